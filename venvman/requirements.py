"""RequirementSet: every wish of a project, each with the file and line it comes from.

Reads the scanned source files with what they include, merges them into groups, and reports all the
faults of all the files at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvman.sources import IndexSource, Source

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

    from venvman.names import NormalizedName
    from venvman.options import FileOptions
    from venvman.origin import FileLine

__all__ = ["Group", "Requirement", "RequirementSet"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement or constraint, parsed.

    ``name`` is None for a direct reference that does not say it (``./pkg``, ``git+https://...``):
    it is known only after building. ``hashes`` are ``sha256:<hex>``. ``raw`` is the line's
    requirement part as written (variables unexpanded, comments and per-line options gone).
    """

    name: NormalizedName | None
    spelled: str | None = None
    extras: frozenset[str] = frozenset()
    specifier: SpecifierSet
    marker: Marker | None = None
    source: Source = field(default_factory=IndexSource)
    hashes: tuple[str, ...] = ()
    config_settings: tuple[tuple[str, str], ...] = ()
    constraint: bool = False
    origin: FileLine
    raw: str = ""


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
