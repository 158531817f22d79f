"""One lock for several targets, from the locks of each: markers tell the lines apart. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.errors import Advice, FreezeError
from venvman.lock.file import Lock, sort_key
from venvman.lock.markers import Alike, TargetMarkers
from venvman.python.targets import label_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from venvman.lock.file import LockEntry
    from venvman.lock.header import LockHeader
    from venvman.names import NormalizedName
    from venvman.target import Target

__all__ = ["merge"]


def merge(locks: Sequence[tuple[Target, Lock]], *, header: LockHeader) -> Lock:
    """The lock of which every target selects what its own lock holds.

    Each of ``locks`` holds a name once, on a target that its markers, if any, apply to. A pin that
    all targets have bears no marker, any other one the shortest that holds on its targets and on
    no other. Hashes and ``via`` are those of all targets together.

    Raises:
        FreezeError: ``targets-alike``: two targets that look the same to every marker (glibc and
            musl) have different pins.
    """
    markers = TargetMarkers([target for target, _ in locks])
    names: dict[NormalizedName, dict[Hashable, list[tuple[int, LockEntry]]]] = {}
    for place, (_, lock) in enumerate(locks):
        for entry in lock.entries:
            names.setdefault(entry.name, {}).setdefault(_pin(entry), []).append((place, entry))
    entries = [
        entry
        for name, pins in names.items()
        for entry in _told_apart(name, tuple(pins.values()), markers, locks)
    ]
    return Lock(
        entries=tuple(sorted(entries, key=sort_key)),
        header=header,
        options=tuple(dict.fromkeys(line for _, lock in locks for line in lock.options)),
        unpinned=tuple(sorted({name for _, lock in locks for name in lock.unpinned})),
    )


def _pin(entry: LockEntry) -> Hashable:
    """All that must be the same for entries of two targets to be one line."""
    return entry.version, entry.exact, entry.extras, entry.source


def _told_apart(
    name: NormalizedName,
    pins: Sequence[Sequence[tuple[int, LockEntry]]],
    markers: TargetMarkers,
    locks: Sequence[tuple[Target, Lock]],
) -> Iterable[LockEntry]:
    from packaging.markers import Marker

    try:
        found = markers.of([frozenset(place for place, _ in pin) for pin in pins])
    except Alike as alike:
        first, second = (label_of(locks[place][0]) for place in (alike.first, alike.second))
        raise FreezeError(
            f"{first} and {second} need different pins of {name}.",
            code="targets-alike",
            why="No environment marker tells these targets apart, so one lock cannot serve both.",
            fix=Advice("Freeze for one of the two, or ask for the same pin on both."),
        ) from None
    for text, pin in zip(found, pins, strict=True):
        entries = [entry for _, entry in pin]
        yield replace(
            entries[0],
            marker=None if text is None else Marker(text),
            hashes=tuple(sorted({each for entry in entries for each in entry.hashes})),
            via=tuple(sorted({each for entry in entries for each in entry.via})),
            origin=None,
        )
