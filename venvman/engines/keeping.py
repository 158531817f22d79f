"""Which existing pins an engine starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.engines import UpgradeAll, UpgradeSome
from venvman.lock.file import located
from venvman.origin import FileLine
from venvman.requirements.requirement import Requirement
from venvman.resolve.dependency import specifier_set
from venvman.sources import IndexSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.engines import FreezeRequest
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Group

__all__ = ["beside_lines", "first_of_each", "is_index", "kept_entries"]


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


def beside_lines(request: FreezeRequest) -> Iterator[Requirement]:
    """The pins of the locks beside the groups, as constraints; each names its lock's line."""
    found: set[NormalizedName] = set()
    for lock in request.beside.values():
        for entry in lock.entries:
            if entry.name in found or not request.target.applies(entry.marker):
                continue
            found.add(entry.name)
            specifier = f"=={entry.version}" if entry.version is not None else ""
            yield Requirement(
                name=entry.name,
                specifier=specifier_set(specifier),
                source=located(entry.source, request.project.root, variables=request.variables),
                constraint=True,
                raw=entry.origin.text if entry.origin else "",
                origin=entry.origin or FileLine(path="", line=0, text=entry.name),
            )


def is_index(entry: LockEntry) -> bool:
    """Whether the entry is a version rather than a place."""
    return isinstance(entry.source, IndexSource)
