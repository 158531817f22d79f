"""A command line that contradicts itself, or that cannot be understood."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from venvman.errors import Fix, VenvmanError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NAME", "UsageFault", "said_elsewhere"]

NAME = "venvman"
"""What people type."""


class UsageFault(VenvmanError):
    """``message`` says what is wrong with the line.

    ``misspelled`` where the command's help shows how it should be; ``fix`` is the line to ask for
    it, which only the one boundary knows (``app``).
    """

    def __init__(self, message: str, *, misspelled: bool = True, fix: Fix | None = None) -> None:
        super().__init__(message, code="usage", fix=fix)
        self.misspelled = misspelled


_ELSEWHERE = {
    "check": "doctor",
    "compile": "freeze",
    "create": "sync",
    "init": "sync",
    "install": "sync",
    "list": "tree",
    "uninstall": "remove",
    "update": "upgrade",
    "venv": "sync",
}
"""What pip, pip-tools, uv, poetry and others call it, and its name here."""
_UPGRADING = frozenset({"--upgrade", "-U", "--upgrade-package", "-P"})


def said_elsewhere(words: Sequence[str]) -> tuple[str, ...] | None:
    """The line, without the program's name, for what ``words`` ask another tool for."""
    if not words:
        return None
    command, rest = words[0], words[1:]
    # Up to the first option that may take a value.
    named = [word for word in rest if word not in _UPGRADING and word not in ("-y", "--yes")]
    names = tuple(takewhile(lambda word: not word.startswith("-"), named))
    if command in ("sync", "install") and _UPGRADING.intersection(rest):
        return ("upgrade", *names)
    if command == "install" and names:
        return ("add", *names)
    if command == "uninstall":
        return ("remove", *(names or ("--help",)))
    here = _ELSEWHERE.get(command)
    return None if here is None else (here,)
