"""Writes ``man/venvman.1`` from the table of commands.

python -m tools.man_page
"""

from __future__ import annotations

import sys
from pathlib import Path

from venvman.cli.declare import Argument, Option
from venvman.cli.table import COMMANDS, COMMON

PAGE = Path(__file__).parents[1] / "man" / "venvman.1"

HEAD = r"""
.\" Written by tools/man_page.py: do not edit by hand.
.TH VENVMAN 1 "" "venvman" "User Commands"
.SH NAME
venvman \- keep a project's ./venv equal to its requirements files
.SH SYNOPSIS
.B venvman
.I COMMAND
.RI [ OPTIONS ]
.SH DESCRIPTION
venvman finds the requirements files of a project, freezes them into a lock that pip can install
too, makes the environment equal to the lock, and says where the two have drifted apart, why, and
which command fixes it.
.SH COMMANDS
"""
TAIL = r"""
.SH EXIT STATUS
.TP
.B 0
All is well, or it was done.
.TP
.B 1
There is drift, a finding, or a check that failed.
.TP
.B 2
It could not be done.
.TP
.B 130
It was interrupted.
.SH FILES
.TP
.I pyproject.toml
Settings stand in its table
.BR [tool.venvman] .
.SH ENVIRONMENT
.TP
.B VENVMAN_CACHE_DIR
The folder of downloads and unpacked wheels.
.TP
.B VENVMAN_...
Each setting has a variable of its name, such as
.BR VENVMAN_VENV .
.SH SEE ALSO
.BR pip (1),
.BR python3 (1)
"""


def page() -> str:
    """The whole page, in the language of man."""
    parts = [HEAD.strip()]
    for name, command in COMMANDS.items():
        if command.hidden:
            continue
        parts.append(f".SS venvman {_escaped(name)}\n{_escaped(command.help)}")
        if command.argument is not None:
            parts.append(_entry(command.argument))
        parts += [_entry(each) for each in command.options if each not in COMMON]
    parts.append(".SS Options of every command")
    parts += [_entry(each) for each in COMMON]
    return "\n".join([*parts, TAIL.strip(), ""])


def _entry(declared: Option | Argument) -> str:
    value = "|".join(declared.choices) or declared.metavar or ""
    if isinstance(declared, Argument):
        return f".TP\n.I {_escaped(value or declared.name.upper())}\n{_escaped(declared.help)}"
    head = f"{', '.join(declared.spellings)} {value}".rstrip()
    return f".TP\n.B {_escaped(head)}\n{_escaped(declared.help)}"


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def main() -> int:
    """Writes the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
