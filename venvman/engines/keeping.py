"""Which existing pins an engine starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.engines import UpgradeAll, UpgradeSome
from venvman.sources import IndexSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.engines import FreezeRequest
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Group

__all__ = ["first_of_each", "is_index", "kept_entries"]


def kept_entries(request: FreezeRequest, group: Group) -> list[LockEntry]:
    """The entries of the group's lock that may stay and apply on the target."""
    upgrade = request.upgrade
    lock = request.locks.get(group.name)
    if lock is None or isinstance(upgrade, UpgradeAll):
        return []
    dropped: frozenset[NormalizedName] = (
        upgrade.names if isinstance(upgrade, UpgradeSome) else frozenset()
    )
    target = request.target
    return [
        entry
        for entry in lock.entries
        if entry.name not in dropped and target.applies(entry.marker)
    ]


def first_of_each(entries: Iterable[LockEntry]) -> list[LockEntry]:
    """The first entry of each name."""
    found: dict[NormalizedName, LockEntry] = {}
    for entry in entries:
        found.setdefault(entry.name, entry)
    return list(found.values())


def is_index(entry: LockEntry) -> bool:
    """Whether the entry is a version rather than a place."""
    return isinstance(entry.source, IndexSource)
