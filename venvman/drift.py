"""Drift: every difference between what the lock selects and what the inventory shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.inventory import Installed
    from venvman.lockfile import LockEntry
    from venvman.names import NormalizedName

__all__ = [
    "Damaged",
    "Difference",
    "Drift",
    "Duplicate",
    "Extra",
    "Missing",
    "OtherSource",
    "OtherVersion",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Locked, not installed."""

    entry: LockEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVersion:
    """Installed in another version than the locked one."""

    entry: LockEntry
    installed: Installed


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSource:
    """From another place than the lock says: URL, commit, hash, folder, editable or not."""

    entry: LockEntry
    installed: Installed
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """Installed, not locked, and not kept on purpose."""

    installed: Installed


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Two or more metadata folders claim the same name; ``entry`` is None when it is not locked."""

    name: NormalizedName
    entry: LockEntry | None
    installed: tuple[Installed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """Locked and installed, but its metadata is broken: ``installed.damage`` says how."""

    entry: LockEntry
    installed: Installed


Difference = Missing | OtherVersion | OtherSource | Extra | Duplicate | Damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All differences, sorted by name; falsy when there are none."""

    differences: tuple[Difference, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.differences)
