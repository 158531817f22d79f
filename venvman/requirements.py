"""RequirementSet: every wish of a project, each with the file and line it comes from.

Reads the scanned source files with what they include, merges them into groups, and reports all the
faults of all the files at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvman.requirement import Requirement

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.options import FileOptions

__all__ = ["Group", "Requirement", "RequirementSet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What one source file brings, includes followed.

    ``source`` and ``lock`` are absolute paths (``lock`` need not exist). ``requirements`` and
    ``constraints`` keep the order of the files. ``options`` has one entry per file read, in order.
    ``files`` are the absolute paths of every local file read, the source first.
    """

    name: str
    source: Path
    lock: Path
    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...] = ()
    options: tuple[FileOptions, ...] = ()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """All groups of a project, ``default`` and ``dev`` first, the others by name."""

    groups: tuple[Group, ...]
