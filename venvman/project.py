"""Project: a folder with requirements files, found by walking upwards (DESIGN 4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Project"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """``root`` is absolute; ``git_root`` is the work tree that holds it, None outside git."""

    root: Path
    git_root: Path | None = None

    def display(self, path: Path) -> str:
        """``path`` as people and JSON see it: POSIX, relative to the root, absolute outside it."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()
