"""What commands found, or came to: plain values, for the reports and the API."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from venvman.model.errors import Command, Fix, Problem
from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvman.doctor.examination import ExaminedLock
    from venvman.drift import Drift
    from venvman.environment.history import State, WayBack
    from venvman.environment.inspection import Condition, Environment
    from venvman.install.attic import AtticEntry, AtticLimit
    from venvman.install.transaction import Outcome
    from venvman.lock.file import Lock
    from venvman.model.errors import Problem
    from venvman.model.events import Stage
    from venvman.model.graph import Branch, Chains, Graph
    from venvman.model.names import NormalizedName
    from venvman.plan import Plan
    from venvman.project.project import Project
    from venvman.project.scan import Scan
    from venvman.python.probe import Interpreter
    from venvman.requirements.edit import LineEdit
    from venvman.requirements.file import Requirement


# ---- what was looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One screen: requirements, locks, environment, drift (None where it cannot be known)."""

    project: Project
    requirements: int
    locks: tuple[ExaminedLock, ...]
    environment: Path
    inspection: Condition
    interpreter: Interpreter | None
    drift: Drift | None
    plan: Plan | None
    last: State | None = None
    """The newest state of the environment's history; None before the first sync."""
    last_on_disk: bool = False
    """Whether the locks that it was made from are those of the project now."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeOutcome:
    """``graph`` is the part of the locks' graph that ``branches`` draw, however deep."""

    project: Project
    graph: Graph
    branches: tuple[Branch, ...]
    invert: bool
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyOutcome:
    """For each name that was asked about, the chains to it, and the constraints that limit it."""

    project: Project
    graph: Graph
    reasons: tuple[Chains, ...]
    limits: tuple[Requirement, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What keeps a pin from its newest version.

    A line (``path``, ``line``), a ``package`` that asks for ``specifier``, or, where neither is
    there, the target itself: ``reason`` then says why in a clause.
    """

    specifier: str | None = None
    path: str | None = None
    line: int | None = None
    package: NormalizedName | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedPin:
    """A pin that ``upgrade`` moves, or with something newer than it.

    ``wanted`` is where ``upgrade`` moves it (the pin itself, where it stays), ``latest`` the newest
    at all: versions, of a git requirement commits. ``holds`` is empty where ``wanted`` is
    ``latest``. ``direct``: a source file asks for it.
    """

    name: NormalizedName
    current: str
    wanted: str
    latest: str
    holds: tuple[Hold, ...]
    direct: bool

    @property
    def moves(self) -> bool:
        """Whether ``upgrade`` moves it."""
        return self.wanted != self.current


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedOutcome:
    """``checked`` counts the pins that were looked up; those from archives and folders are not.

    ``upgrade`` is what moves them: the command in the header of locks that only their own tool
    can write, None where that is not said.
    """

    project: Project
    pins: tuple[OutdatedPin, ...]
    checked: int
    problems: tuple[Problem, ...] = ()
    upgrade: Command | None = field(default_factory=lambda: Command.venvman("upgrade"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LockPair:
    """One lock on both sides; None where that side has none. ``path`` is as people see it."""

    path: str
    before: Lock | None
    after: Lock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffOutcome:
    """``before`` and ``after`` name the sides.

    ``plan``, what ``sync`` would do, stands in place of ``pairs`` where the environment is one.
    """

    project: Project
    before: str
    after: str
    pairs: tuple[LockPair, ...] = ()
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """A state, numbered back from now (0).

    ``before`` is the state before it, None for the oldest that is known; ``target`` the number of
    the one that a rollback went to, where it is still known. ``ways`` counts its distributions by
    where they would come from. ``on_disk`` says that its locks are those of the project now.
    """

    number: int
    state: State
    before: State | None
    target: int | None
    ways: Mapping[WayBack, int]
    on_disk: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReport:
    """``states`` are the newest first; empty before the first sync, or without an environment."""

    project: Project
    environment: Path
    states: tuple[HistoryRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookLine:
    """What the hook says of one project, and what to do about it.

    ``refused`` makes git stop (pre-commit only).
    """

    project: str
    text: str
    fix: Fix | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AtticReport:
    """``entries`` are the oldest first, ``setting`` is what ``limit`` was read from."""

    project: Project
    environment: Path
    entries: tuple[AtticEntry, ...]
    limit: AtticLimit
    setting: str

    @property
    def bytes(self) -> int:
        """All entries together; what the store shares with them takes no space of its own."""
        return sum(entry.size for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A setting, its value as JSON has it, and the layer that gave it."""

    name: str
    value: object
    origin: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Values may hold credentials until they are redacted; of ``variables`` these are the names.

    ``project`` and ``environment`` are None where there is no project, or it cannot be read;
    ``faults`` say why.
    """

    version: str
    python: tuple[str, str]
    platform: str
    libraries: tuple[tuple[str, str], ...]
    paths: tuple[tuple[str, Path], ...]
    interpreters: tuple[tuple[str, Path], ...]
    settings: tuple[Value, ...]
    pip: tuple[Value, ...]
    variables: tuple[str, ...]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOutcome:
    """The locks of ``groups`` as a ``text`` of ``count`` pins; ``path`` where it was written."""

    project: Project
    form: str
    path: Path | None
    groups: tuple[str, ...]
    count: int
    text: str
    problems: tuple[Problem, ...] = ()


# ---- what was changed


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOutcome:
    """One group's lock after freezing.

    ``before`` is None where there was none; ``changed`` says whether its text differs;
    ``stale`` why it had to be frozen (empty when only an upgrade was asked for).
    """

    group: str
    path: Path
    lock: Lock
    before: Lock | None
    changed: bool
    stale: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A pin that was taken over, and is not in the locks as it was; ``after`` None: not at all."""

    name: NormalizedName
    before: str
    after: str | None
    asked_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeOutcome:
    """``written`` is False for ``--check``, ``--dry-run`` and where nothing changed.

    ``resolved`` is False where it was not looked up what stale locks would become: ``problems`` are
    then the reasons why they are stale.
    """

    project: Project
    locks: tuple[LockOutcome, ...]
    written: bool
    resolved: bool = True
    problems: tuple[Problem, ...] = ()
    seconds: Mapping[Stage, float] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether any lock differs from what is, or was, on disk."""
        return any(each.changed for each in self.locks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a sync looked at, and when (nanoseconds since the epoch).

    ``files_ns`` is when the requirements files and locks began to be read, ``environment_ns`` when
    the environment was last compared with the lock and nothing was to be done. ``groups`` are those
    whose locks were chosen.
    """

    scan: Scan
    groups: tuple[str, ...]
    environment: Environment
    files_ns: int
    environment_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOutcome:
    """``outcome`` is None when nothing was to be done or nothing was allowed to be.

    ``environment`` is absolute; ``created`` says that it is new or was made again. ``frozen`` is
    what happened to the locks first, None if they were fresh or not checked. ``seconds`` per stage.
    """

    project: Project
    environment: Path
    interpreter: Interpreter
    created: bool
    plan: Plan
    outcome: Outcome | None
    frozen: FreezeOutcome | None
    groups: tuple[str, ...]
    seconds: Mapping[Stage, float]
    problems: tuple[Problem, ...] = ()
    pending: bool = False
    """Whether a killed command left something to finish, which this one only looked at."""
    observation: Observation | None = None
    """For the next sync's answer: None unless the environment now is what the lock says."""

    @property
    def changed(self) -> bool:
        """Whether the environment or a lock differs from what is, or was, there."""
        moved = self.frozen is not None and self.frozen.changed
        return bool(self.plan) or self.created or moved


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanOutcome:
    """``removed`` is False where there was no environment."""

    environment: Path
    removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEdit:
    """One file's change. ``path`` is absolute; ``before`` is None where there was no file.

    Texts, without byte order mark; ``edits`` are the lines that were asked about.
    """

    path: Path
    before: str | None
    after: str
    edits: tuple[LineEdit, ...]

    @property
    def changed(self) -> bool:
        """Whether the file is, or would be, another one."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOutcome:
    """What was, or with a dry run would be, done.

    ``leaving`` are the pins that leave the locks with what was removed, ``staying`` those that
    were asked to go but that others need: as a lock's own graph says, before freezing. ``frozen``
    and ``synced`` are None where that was not asked for.
    """

    project: Project
    files: tuple[FileEdit, ...]
    written: bool
    leaving: tuple[NormalizedName, ...] = ()
    staying: tuple[tuple[NormalizedName, tuple[NormalizedName, ...]], ...] = ()
    frozen: FreezeOutcome | None = None
    synced: SyncOutcome | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeOutcome:
    """``synced`` is None where that was not asked for."""

    frozen: FreezeOutcome
    synced: SyncOutcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackOutcome:
    """What a rollback came to; ``outcome`` is None where nothing was to be done or allowed to be.

    ``written`` are the locks that were, or with a dry run would be, put back; ``behind`` those on
    disk that are not the state's.
    """

    project: Project
    environment: Path
    number: int
    state: State
    plan: Plan
    outcome: Outcome | None
    written: tuple[Path, ...]
    behind: tuple[Path, ...]
    seconds: Mapping[Stage, float] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptOutcome:
    """What ``adopt`` took from ``files``: ``sources`` (path to text) and how many ``pins``.

    ``frozen`` is None where nothing was written; ``problems`` are what is not taken over.
    ``adopted``: ``files`` are venvman's own sources, and nothing else is there.
    """

    project: Project
    tool: str
    files: tuple[str, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    pins: int = 0
    adopted: bool = False
    frozen: FreezeOutcome | None = None
    moved: tuple[Moved, ...] = ()
    problems: tuple[Problem, ...] = ()
