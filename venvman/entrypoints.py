"""``entry_points.txt``: the scripts that a distribution wants. Pure: text in, values out.

The format is the specification "Entry points", read as :mod:`importlib.metadata` reads it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["EntryPoint", "EntryPointInvalid", "parse_scripts"]

_SECTIONS = {"[console_scripts]": "console", "[gui_scripts]": "gui"}
_OBJECT = re.compile(r"([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?")


class EntryPointInvalid(ValueError):
    """A script that cannot be generated; the message is a sentence's end ("the line ...")."""

    def __init__(self, message: str, *, line: int, text: str) -> None:
        super().__init__(message)
        self.line = line
        self.text = text


class EntryPoint(NamedTuple):
    """One script to generate.

    ``section`` is ``console`` or ``gui``, ``attribute`` may be dotted.
    """

    name: str
    module: str
    attribute: str
    section: str


def parse_scripts(text: str) -> tuple[EntryPoint, ...]:
    """The console and gui scripts in ``text``, in its order; other sections are not looked at.

    Raises:
        EntryPointInvalid: a script without a function, or one whose name would lead out of the
            folder for scripts.
    """
    section: str | None = None
    scripts: dict[str, EntryPoint] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if line.startswith("["):
            section = _SECTIONS.get(line)
        elif section is not None and line and not line.startswith(("#", ";")):
            script = _script(line, section, number)
            scripts[script.name] = script
    return tuple(scripts.values())


def _script(line: str, section: str, number: int) -> EntryPoint:
    name, equals, value = (part.strip() for part in line.partition("="))
    if not equals or not name:
        raise EntryPointInvalid("is not NAME = MODULE:FUNCTION", line=number, text=line)
    if name in (".", "..") or any(character in name for character in "/\\\0"):
        raise EntryPointInvalid("names a place outside of bin", line=number, text=line)
    match = _OBJECT.fullmatch(value)
    if match is None:
        raise EntryPointInvalid("names no function", line=number, text=line)
    return EntryPoint(name=name, module=match[1], attribute=match[2], section=section)
