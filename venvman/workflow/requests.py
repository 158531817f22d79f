"""What the verbs are asked, and what they answer: plain values, for the CLI, the API and tests."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from venvman.engines import Upgrade
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.outcomes import FreezeOutcome


class LockPolicy(str, Enum):
    """What ``sync`` does about a lock that is missing or stale."""

    FREEZE = "freeze"
    """Freeze it first."""
    LOCKED = "locked"
    """Raise :class:`~venvman.model.errors.LockStale`: the lock is somebody else's to change."""
    FROZEN = "frozen"
    """Use it unjudged; a missing one is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChoice:
    """Which groups to install: ``default``, ``dev`` and ``extra``, or ``only``, or all.

    ``without`` are not. ``usual``: whatever was chosen before. ``recalled``: it is what was chosen
    before, and groups that are no more are passed over.
    """

    extra: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    everything: bool = False
    dev: bool = True
    usual: bool = False
    recalled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeRequest:
    """``upgrade`` None keeps existing pins; ``hashes`` None keeps what the lock has (new: hashes).

    ``check`` and ``dry_run`` write nothing. ``installed`` pins what the environment holds.
    ``yes`` overwrites a file in the way that is not recognised as a lock, and moves pins of fresh
    locks where others need that; ``confirm`` asks a person about the latter. ``groups`` are those
    that are installed together, so that their locks have to agree; ``apart`` allows groups that
    cannot live together to be frozen apart. ``prefer`` are pins to start from in place of those of
    the locks. ``agree`` is shown what would be written, and raises where that must not be.
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
    prefer: tuple[LockEntry, ...] = ()
    agree: Callable[[FreezeOutcome], None] | None = None

    @property
    def looks(self) -> bool:
        """Whether nothing is to be written."""
        return self.dry_run or self.check


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
    everything_again: bool = False
    forward: tuple[str, ...] | None = None
    """Whose pins are moved forward first, as typed; of all if empty, of none if None."""
    yes: bool = False
    confirm: Callable[[str], bool] | None = None
    command: str = "sync"

    @property
    def looks(self) -> bool:
        """Whether nothing is to be changed."""
        return self.dry_run or self.check
