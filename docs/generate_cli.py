"""Writes ``reference/cli.md`` from the command line itself; ``--check`` only compares.

Reads the same functions that make the command line, so that the page cannot tell of an option that
is not there. A test runs it with ``--check``.
"""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, get_args, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from venvman.cli.commands import COMMANDS, GROUPS, HIDDEN, load
from venvman.cli.options import Common
from venvman.cli.typed import command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from venvman.report.result import Result

__all__ = ["page"]

PAGE = Path(__file__).parent / "reference" / "cli.md"

HEAD = """\
# Commands

<!-- Written by docs/generate_cli.py: do not edit by hand. -->

Every command takes the [common options](#options-of-every-command). What it prints with
`--format json` is described in [JSON output](json-output.md), what it exits with in
[Exit codes](exit-codes.md).

`venvman --install-completion` sets up completion for the shell it runs in (bash, zsh, fish and
PowerShell); `--show-completion` prints the script.
"""


def page() -> str:
    """The whole page; the same on every Python, terminal and version of typer."""
    parts = [HEAD]
    for words, function in _commands():
        doc = inspect.getdoc(function) or ""
        own = [each for each in _parameters(function) if not _is_common(each)]
        parts += [f"## `venvman {words}`\n", f"{doc}\n", _table(own)]
    shared = [each for each in _parameters(load(COMMANDS["sync"])) if _is_common(each)]
    parts += ["## Options of every command\n", _table(shared)]
    return "\n".join(part for part in parts if part)


def main() -> int:
    """1 where ``--check`` finds the page out of date."""
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


_COMMON = {
    name: get_args(hint)[1].help
    for name, hint in get_type_hints(Common, include_extras=True).items()
}


def _commands() -> Iterator[tuple[str, Callable[..., Result]]]:
    yield from ((name, load(place)) for name, place in COMMANDS.items())
    for group, (_, members) in GROUPS.items():
        for name, place in members.items():
            if name not in HIDDEN:
                yield f"{group} {name}", load(place)


def _parameters(function: Callable[..., Result]) -> list[inspect.Parameter]:
    return list(inspect.signature(command(function)).parameters.values())


def _is_common(parameter: inspect.Parameter) -> bool:
    """Whether it is the option that all commands have; a few have a ``--format`` of their own."""
    return _COMMON.get(parameter.name) == _info(parameter).help


def _table(parameters: Sequence[inspect.Parameter]) -> str:
    if not parameters:
        return ""
    rows = [f"| `{_spelled(each)}` | {_info(each).help} |" for each in parameters]
    kinds = dict.fromkeys(
        "argument" if isinstance(_info(each), ArgumentInfo) else "option" for each in parameters
    )
    head = " or ".join(kinds)
    return "\n".join([f"| {head} | meaning |", "| --- | --- |", *rows, ""])


def _info(parameter: inspect.Parameter) -> OptionInfo | ArgumentInfo:
    info: OptionInfo | ArgumentInfo = get_args(parameter.annotation)[1]
    return info


def _spelled(parameter: inspect.Parameter) -> str:
    """``--group, -g GROUP``; with the words to choose from where there is a choice."""
    info = _info(parameter)
    if isinstance(info, ArgumentInfo):
        return info.metavar or parameter.name.upper()
    kind, _ = get_args(parameter.annotation)
    value = info.metavar or ""
    for each in (kind, *get_args(kind)):
        if isinstance(each, type) and issubclass(each, Enum):
            value = "|".join(choice.value for choice in each)
    # In an annotation, typer takes the first name for the default until it parses the signature.
    names = ", ".join((str(info.default), *(info.param_decls or ())))
    return f"{names} {value}".rstrip().replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
