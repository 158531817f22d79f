"""What the commands that change something came to: plain values, for the reports and the API."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvman.environment.history import State
    from venvman.environment.inspection import Environment
    from venvman.install.transaction import Outcome
    from venvman.lock.file import Lock
    from venvman.model.errors import Problem
    from venvman.model.events import Stage
    from venvman.model.names import NormalizedName
    from venvman.plan import Plan
    from venvman.project.project import Project
    from venvman.project.scan import Scan
    from venvman.python.probe import Interpreter
    from venvman.requirements.edit import LineEdit


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
    """``written`` is False for ``--check``, ``--dry-run`` and where nothing changed."""

    project: Project
    locks: tuple[LockOutcome, ...]
    written: bool
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
