"""What the verbs are asked, and what they answer: plain values, for the CLI, the API and tests."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from venvman.drift import Drift
    from venvman.engines import Upgrade
    from venvman.environment.history import State
    from venvman.environment.inspection import Condition
    from venvman.errors import Problem
    from venvman.events import Stage
    from venvman.install.transaction import Outcome
    from venvman.lock.file import Lock
    from venvman.lock.freshness import Judgement
    from venvman.names import NormalizedName
    from venvman.plan import Plan
    from venvman.project import Project
    from venvman.python.interpreters import Interpreter
    from venvman.workflow.watching import Looked

__all__ = [
    "CleanOutcome",
    "FreezeOutcome",
    "FreezeRequest",
    "GroupChoice",
    "LockOutcome",
    "LockPolicy",
    "LockState",
    "StatusReport",
    "SyncOutcome",
    "SyncRequest",
]


class LockPolicy(str, Enum):
    """What ``sync`` does about a lock that is missing or stale."""

    FREEZE = "freeze"
    """Freeze it first."""
    LOCKED = "locked"
    """Raise :class:`~venvman.errors.LockStale`: the lock is somebody else's to change."""
    FROZEN = "frozen"
    """Use it unjudged; a missing one is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChoice:
    """Which groups to install: ``default``, ``dev`` and ``extra``, or ``only``, or all."""

    extra: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    everything: bool = False
    dev: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRequest:
    """``upgrade`` None keeps existing pins; ``hashes`` None keeps what the lock has (new: hashes).

    ``check`` and ``dry_run`` write nothing. ``installed`` pins what the environment holds.
    ``yes`` overwrites a file in the way that is not recognised as a lock, and moves pins of fresh
    locks where others need that; ``confirm`` asks a person about the latter. ``groups`` are those
    that are installed together, so that their locks have to agree; ``apart`` allows groups that
    cannot live together to be frozen apart.
    """

    upgrade: Upgrade | None = None
    check: bool = False
    dry_run: bool = False
    installed: bool = False
    hashes: bool | None = None
    yes: bool = False
    confirm: Callable[[str], bool] | None = None
    groups: GroupChoice = field(default_factory=GroupChoice)
    apart: bool = True


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
class SyncRequest:
    """``confirm`` asks the person a question; None where there is nobody to ask.

    ``command`` is what the person gave, for errors to name. ``wait`` is how long another command
    that changes the environment is waited for: seconds, -1 for ever.
    """

    groups: GroupChoice = field(default_factory=GroupChoice)
    locks: LockPolicy = LockPolicy.FREEZE
    wait: float = -1
    dry_run: bool = False
    check: bool = False
    inexact: bool = False
    recreate: bool = False
    reinstall: Mapping[NormalizedName, str] = field(default_factory=dict)
    """What is installed again though it is what the lock says, and why: a clause."""
    yes: bool = False
    confirm: Callable[[str], bool] | None = None
    command: str = "sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOutcome:
    """``outcome`` is None when nothing was to be done or nothing was allowed to be.

    ``environment`` is absolute; ``created`` says that it is new or was made again. ``frozen`` is
    what happened to the locks first, None if they were fresh or not judged. ``seconds`` per stage.
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
    looked: Looked | None = None
    """For the next sync's answer: None unless the environment now is what the lock says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockState:
    """One group's lock as it is.

    ``freshness`` is None where the group has no requirements file of its own (the lock of a
    ``pyproject.toml``, say); ``pins`` 0 where there is no lock. ``synced`` says whether a sync
    installs the group, and makes its lock.
    """

    group: str
    sources: tuple[Path, ...]
    path: Path
    pins: int
    freshness: Judgement | None
    synced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One screen: requirements, locks, environment, drift (None where it cannot be known)."""

    project: Project
    requirements: int
    locks: tuple[LockState, ...]
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
class CleanOutcome:
    """``removed`` is False where there was no environment."""

    environment: Path
    removed: bool
