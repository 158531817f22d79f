"""Where a value came from, so that every message can say it.

Paths here are already in the form that people and JSON see: POSIX, relative to the project root,
absolute outside it, or a URL.
"""

from __future__ import annotations

from venvman.frozen import dataclass

__all__ = ["FileLine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One logical line of a file: ``line`` is 1-based, ``text`` is the line as written.

    What stands in no file has the line 0, and ``path`` says where it is from.
    """

    path: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path
