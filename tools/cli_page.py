"""Writes ``docs/reference/cli.md``, and the manual, from the table of commands.

python -m tools.cli_page [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools import man_page
from venvman.cli.table import COMMANDS, COMMON, Argument, Command, Option

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"

HEAD = """\
# Commands

<!-- Written by tools/cli_page.py: do not edit by hand. -->

Every command takes the [common options](#options-of-every-command). What it prints with
`--format json` is described in [JSON output](json-output.md), what it exits with in
[Exit codes](exit-codes.md).

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
        parts += [f"## `venvman {name}`\n", f"{command.help}\n", _examples(command), _table(takes)]
    parts += ["## Options of every command\n", _table(COMMON)]
    return "\n".join(part for part in parts if part)


def main() -> int:
    """Writes both pages."""
    PAGE.write_text(page(), encoding="utf-8")
    return man_page.main()


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
