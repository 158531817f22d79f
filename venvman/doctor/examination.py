"""Examination: everything that doctor's checks look at, gathered before they run."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from venvman.doctor.recorded import Recorded, read_records
from venvman.environment.inspection import Condition, Environment
from venvman.environment.inventory import Installed, Inventory, metadata_of
from venvman.lock.freshness import Fresh, Freshness, Stale
from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from packaging.version import Version

    from venvman.drift import Difference, Drift
    from venvman.environment.neighbours import Neighbour
    from venvman.githooks.status import HooksReport
    from venvman.index.advisories import Advisory
    from venvman.lock.file import Lock, LockEntry
    from venvman.model.errors import FileLine, Fix, Problem
    from venvman.model.metadata import CoreMetadata
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.project.groups import RequirementSet
    from venvman.project.project import Project
    from venvman.requirements.file import ParsedFile
    from venvman.resolve.demand import Dependency


class LockTracking(str, Enum):
    """What git knows of a lock."""

    TRACKED = "tracked"
    UNTRACKED = "untracked"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedLock:
    """One group's lock, as far as it can be known.

    ``path`` is absolute and need not exist, ``sources`` are the files it is made from. ``lock``
    is None where there is none or it cannot be read; ``problems`` then say why, and are empty
    where it is missing. ``freshness`` is None where the group has no requirements file of its own
    (the lock of a ``pyproject.toml``, say). ``synced`` says whether a sync installs the group, and
    makes its lock. ``tracking`` is None outside git. ``exposed`` are its lines with credentials.
    """

    group: str
    path: Path
    lock: Lock | None
    sources: tuple[Path, ...] = ()
    freshness: Freshness | None = None
    problems: tuple[Problem, ...] = ()
    synced: bool = True
    tracking: LockTracking | None = None
    exposed: tuple[FileLine, ...] = ()

    @property
    def pins(self) -> int:
        """How many there are; none where there is no lock."""
        return len(self.lock.entries) if self.lock is not None else 0

    @property
    def stale(self) -> tuple[Problem, ...]:
        """Why a lock that is there is stale."""
        stale = self.freshness if self.lock is not None else None
        return stale.reasons if isinstance(stale, Stale) else ()

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is to be told of a fresh one."""
        return self.freshness.notes if isinstance(self.freshness, Fresh) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What databases and indexes say of pins and of what is installed.

    ``yanked`` has the reasons, by pin. ``faults`` are why nothing is known of some, or of all.
    ``accepted`` are the advisories that the project lives with, and until when (ISO 8601).
    """

    advisories: Mapping[tuple[NormalizedName, Version], tuple[Advisory, ...]]
    yanked: Mapping[tuple[NormalizedName, Version], str]
    faults: tuple[Problem, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """The facts about one project; None (or empty) wherever something could not be found out.

    ``root`` is the environment's absolute path, ``condition`` what is there, ``unfinished``
    what a command that was killed left to do, ``active`` the environment that the shell has
    activated. ``python_conflict`` is the sentence of
    :func:`venvman.environment.inspection.conflict`, ``python_fix`` what to do about it.
    ``files`` are all requirements files, as parsed. ``requirements`` is None where they cannot
    be read; ``scan_problems`` say why, or hold warnings of a scan that worked. ``unused`` are
    files of constraints that nothing names, ``strayed`` locks that are nobody's with the sources
    that are gone, ``unset`` variables that lines name and nobody has
    set. ``has_sources`` is False where the project has nothing to read. ``entries`` are those
    selected for the target, ``selection_problems`` why they cannot be. ``keep`` names what the
    configuration leaves alone, ``overrides`` the specifiers that stand for every demand of a
    name; none if it is left out. ``library_folders`` are those that LD_LIBRARY_PATH adds.
    ``verified`` has what was seen to be as its RECORD says when its contents were asked for,
    and is added to, as ``records`` is when the first check asks for what RECORDs say. ``hooks``
    is None outside git, ``tracked`` what git tracks of the environment, relative to the root,
    ``moved`` what ``git status`` says of sources and locks.
    ``metadata`` reads one distribution's metadata; a function, since few runs need all of them.
    ``edited`` names a file of which RECORD has another hash than the wheel that venvman
    installed, ``unlisted`` whether that is a file of the release that the pin has no hash of, where
    that is known. ``sharing`` says which environments of this machine have the
    same files under other names (:func:`venvman.environment.neighbours.sharing`).
    """

    project: Project
    root: Path
    condition: Condition
    unfinished: Problem | None = None
    active: str | None = None
    python_conflict: str | None = None
    python_fix: Fix | None = None
    has_sources: bool = True
    files: tuple[ParsedFile, ...] = ()
    requirements: RequirementSet | None = None
    unused: tuple[Path, ...] = ()
    strayed: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    unset: tuple[tuple[str, FileLine], ...] = ()
    scan_problems: tuple[Problem, ...] = ()
    locks: tuple[ExaminedLock, ...] = ()
    entries: tuple[LockEntry, ...] | None = None
    selection_problems: tuple[Problem, ...] = ()
    inventory: Inventory | None = None
    drift: Drift | None = None
    keep: frozenset[NormalizedName] = frozenset()
    target: Target | None = None
    overrides: Mapping[NormalizedName, tuple[Dependency, ...]] = field(default_factory=dict)
    hooks: HooksReport | None = None
    tracked: tuple[str, ...] = ()
    moved: Mapping[Path, str] = field(default_factory=dict)
    verify_files: bool = False
    library_folders: tuple[str, ...] = ()
    verified: dict[str, str] = field(default_factory=dict)
    records: list[Recorded] = field(default_factory=list)
    audit: Audit | None = None
    metadata: Callable[[Installed], CoreMetadata | None] = metadata_of
    edited: Callable[[Installed], str | None] = lambda _: None
    unlisted: Callable[[LockEntry, Installed], bool] = lambda *_: False
    sharing: Callable[[Iterable[Path]], Mapping[Path, tuple[Neighbour, ...]]] = lambda _: {}

    @property
    def distributions(self) -> tuple[Installed, ...]:
        """What is installed; nothing where that cannot be known."""
        return self.inventory.distributions if self.inventory else ()

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What differs from the locks; nothing where that cannot be known."""
        return self.drift.differences if self.drift else ()

    @property
    def environment(self) -> Environment | None:
        """The environment, if it can be used."""
        return self.condition if isinstance(self.condition, Environment) else None

    @property
    def recorded(self) -> list[Recorded]:
        """Each distribution that has a RECORD which can be read; they are read once."""
        there = self.environment
        if not self.records and self.inventory is not None and there is not None:
            self.records.extend(read_records(self.inventory, there.root))
        return self.records

    def display(self, path: Path) -> str:
        """``path`` as people see it."""
        return self.project.display(path)
