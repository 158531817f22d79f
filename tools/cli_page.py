"""Writes ``docs/reference/cli.md``, and the manual, from the table of commands.

python -m tools.cli_page [--check]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools import man_page
from venvman.cli.declare import Argument, Option
from venvman.cli.help import usage_of
from venvman.cli.table import COMMANDS, COMMON, Command

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_CODES = Path(__file__).parents[1] / "docs" / "reference" / "exit-codes.md"
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"

HEAD = """\
# Commands

<!-- Written by tools/cli_page.py: do not edit by hand. -->

Every command takes the [common options](#options-of-every-command). What it prints with
`--format json` is described in [JSON output](json-output.md). What cannot proceed exits with 2;
there is more on [exit codes](exit-codes.md).

`venvman --install-completion` sets up completion for the shell it runs in (bash, zsh, fish and
PowerShell); `--show-completion` prints the script.
"""


def page() -> str:
    """The whole page; the same on every Python, terminal and version of typer."""
    parts = [HEAD]
    for name, command in COMMANDS.items():
        if command.hidden:
            continue
        own = [each for each in command.options if each not in COMMON]
        takes: list[Option | Argument] = [
            *([] if command.argument is None else [command.argument]),
            *own,
        ]
        parts += [f"## `venvman {name}`\n", f"{command.help}\n"]
        parts += [f"```text\n{usage_of(command)}\n```\n", _examples(command), _table(takes)]
        parts.append(_exits(name))
    parts += ["## Options of every command\n", _table(COMMON)]
    return "\n".join(part for part in parts if part)


def main() -> int:
    """Writes both pages."""
    PAGE.write_text(page(), encoding="utf-8")
    return man_page.main()


def _exits(name: str) -> str:
    """What the page of exit codes says of the command: the rows that name it, or its family."""
    rows = [
        line
        for line in EXIT_CODES.read_text(encoding="utf-8").splitlines()
        for said in re.findall(r"`([^`]+)`", line.split("|")[1] if line.startswith("| `") else "")
        if said in {name, name.partition(" ")[0]} or said.startswith(f"{name} -")
    ]
    assert rows, f"no row of {EXIT_CODES.name} is about {name}"
    return "\n".join(["| exits with | 0 | 1 |", "| --- | --- | --- |", *dict.fromkeys(rows), ""])


def _table(takes: Sequence[Option | Argument]) -> str:
    if not takes:
        return ""
    rows = [f"| {_spelled(each)} | {each.help} |" for each in takes]
    kinds = dict.fromkeys("argument" if isinstance(each, Argument) else "option" for each in takes)
    head = " or ".join(kinds)
    return "\n".join([f"| {head} | meaning |", "| --- | --- |", *rows, ""])


def _examples(command: Command) -> str:
    if not command.examples:
        return ""
    width = max(len(line) for line, _ in command.examples)
    rows = [f"{line:<{width}}  # {purpose}" for line, purpose in command.examples]
    return "\n".join(["```bash", *rows, "```", ""])


def _spelled(declared: Option | Argument) -> str:
    """``--group, -g GROUP``; with the words to choose from where there is a choice."""
    value = "|".join(declared.choices) or declared.metavar or ""
    if isinstance(declared, Argument):
        written = value or declared.name.upper()
    else:
        written = f"{', '.join(declared.spellings)} {value}".rstrip()
    # A bar would end the table's cell, and a backslash before it is shown by some.
    return f"<code>{written.replace('|', '&#124;')}</code>" if "|" in written else f"`{written}`"


if __name__ == "__main__":
    sys.exit(main())
