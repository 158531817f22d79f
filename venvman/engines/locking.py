"""From pins to locks: each group's own part of the solution, as pip-compile would write it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.engines.asking import asked_by, own_files
from venvman.engines.command import command_of
from venvman.engines.keeping import kept_entries
from venvman.engines.portable import finished_lock
from venvman.lock.file import LockEntry, sort_key
from venvman.sources import ArchiveSource, IndexSource, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from venvman.engines import FreezeRequest
    from venvman.engines.asking import OwnFiles
    from venvman.engines.command import Command
    from venvman.engines.hashing import Hashes
    from venvman.engines.portable import Portable
    from venvman.engines.sourcefiles import SourceTexts
    from venvman.lock.file import Lock
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Group, Requirement
    from venvman.resolve.demand import Demand, Pin

__all__ = ["Locking"]


class Locking:
    """Knows the request, so that one group after the other can be written down.

    ``sources`` are the groups' texts, ``name_of`` tells the name of a line, ``roots`` what a
    group's lines demand.
    """

    def __init__(
        self,
        request: FreezeRequest,
        *,
        sources: Mapping[str, SourceTexts],
        portable: Portable,
        hashes: Hashes,
        name_of: Callable[[Requirement], NormalizedName | None],
        roots: Callable[[Group], Sequence[Demand]],
    ) -> None:
        self._request = request
        self._sources = sources
        self._portable = portable
        self._hashes = hashes
        self._name_of = name_of
        self._roots = roots

    def lock(
        self, group: Group, own: Mapping[str, Pin], finished: Mapping[str, Lock], *, limited: bool
    ) -> Lock:
        """The lock of ``group``.

        ``own`` are the pins that its lines bring in, by identifier; ``finished`` the locks that
        its files may include, by group. ``limited``: other groups' pins had a say.
        """
        command = command_of(self._request, group)
        style = command.style
        lines = self._lines(group)
        via = self._via(group, own, finished, command, lines)
        bases = list(dict.fromkeys(pin.base for pin in own.values()))
        existing = {entry.name: entry for entry in kept_entries(self._request, group)}
        pinned = [
            pin
            for pin in bases
            if style.allow_unsafe or pin.name not in style.unsafe or pin.name in existing
        ]
        entries = []
        about: defaultdict[NormalizedName, list[Requirement]] = defaultdict(list)
        for name, line in lines:
            about[name].append(line)
        extras: defaultdict[Pin, set[str]] = defaultdict(set)
        for each in own.values():
            if each.extra:
                extras[each.base].add(each.extra)
        for pin in pinned:
            entry = replace(
                self._entry(pin, about[pin.name]),
                extras=frozenset() if style.strip_extras else frozenset(extras[pin]),
                hashes=self._hashes.of(pin, existing.get(pin.name)) if style.hashes else (),
                via=tuple(sorted(via.get(pin.name, ()))) if style.annotate else (),
            )
            entries.append(entry)
        return finished_lock(
            tuple(sorted(entries, key=sort_key)),
            group,
            self._sources[group.name],
            target=self._request.target,
            existing=self._request.locks.get(group.name),
            command=command,
            limited=limited,
            unpinned=tuple(sorted({pin.name for pin in bases} - {pin.name for pin in pinned})),
        )

    def _lines(self, group: Group) -> list[tuple[NormalizedName, Requirement]]:
        target = self._request.target
        return [
            (name, line)
            for line in group.lines
            if target.applies(line.marker) and (name := self._name_of(line)) is not None
        ]

    def _via(
        self,
        group: Group,
        own: Mapping[str, Pin],
        finished: Mapping[str, Lock],
        command: Command,
        lines: Sequence[tuple[NormalizedName, Requirement]],
    ) -> dict[NormalizedName, set[str]]:
        """By name, all that asks for it: files, and distributions."""
        groups = self._request.groups
        files: OwnFiles = own_files(
            group,
            self._sources[group.name].texts,
            [*self._request.beside, *(each.lock for each in groups)],
        )
        via = asked_by(
            lines,
            files,
            root=self._request.project.root,
            folder=command.folder,
            locks={
                **self._request.beside,
                **{each.lock: finished[each.name] for each in groups if each.name in finished},
            },
        )
        for child, parent in _edges(own):
            via.setdefault(child, set()).add(parent)
        for name in _echoed(self._roots(group), own):
            via.setdefault(name, set()).add(name)
        return via

    def _entry(self, pin: Pin, about: Sequence[Requirement]) -> LockEntry:
        markers = [line.marker for line in about if line.marker is not None]
        version = str(pin.version)
        return LockEntry(
            name=pin.name,
            version=pin.version if pin.source is None else None,
            exact=any(
                each.operator == "===" and each.version == version
                for line in about
                for each in line.specifier
            ),
            # pip-compile takes the marker of the last line that has one.
            marker=markers[-1] if markers else None,
            source=self._portable.source(_as_written(pin.source, about), about),
        )


def _edges(own: Mapping[str, Pin]) -> Iterator[tuple[NormalizedName, NormalizedName]]:
    """Every name with each of those that demand it."""
    for pin in own.values():
        for demand in pin.demands or ():
            if demand.name != pin.name:
                yield demand.name, pin.name


def _echoed(roots: Sequence[Demand], own: Mapping[str, Pin]) -> Iterator[NormalizedName]:
    """The names that pip-compile lists among who asks for them.

    It takes what stands for the first demand, less its extras, for who asks, and sees that this is
    the package itself by its spelling only. What pip meets first depends on the order in which it
    chooses, which is gone through again.
    """
    demands = [each for pin in own.values() for each in pin.demands or ()]
    if not any(each.echoed for each in (*roots, *demands)):
        return
    place = {root.identifier: number for number, root in reversed([*enumerate(roots)])}
    asking: defaultdict[str, list[Demand]] = defaultdict(list)
    first: dict[NormalizedName, Demand] = {}

    def meet(demand: Demand) -> None:
        first.setdefault(demand.name, demand)
        asking[demand.identifier].append(demand)

    def preference(identifier: str) -> tuple[object, ...]:
        known = asking[identifier]
        return (
            not any(each.pin is not None for each in known),
            not any(each.pinned for each in known),
            not any(each.bounded for each in known),
            place.get(identifier, len(place)),
            all(each.free for each in known),
            identifier,
        )

    for root in sorted(roots, key=lambda each: bool(each.extra)):
        meet(root)
    chosen: set[str] = set()
    while waiting := asking.keys() & own.keys() - chosen:
        identifier = min(waiting, key=preference)
        chosen.add(identifier)
        for demand in own[identifier].demands or ():
            meet(demand)
    yield from (name for name, demand in first.items() if demand.echoed)


def _as_written(source: Source | None, lines: Sequence[Requirement]) -> Source:
    """Without what was learned of an archive: its hash stands in the entry, not in the URL."""
    if source is None:
        return IndexSource()
    if not isinstance(source, ArchiveSource):
        return source
    asked = [line.source for line in lines if isinstance(line.source, ArchiveSource)]
    return replace(source, hashes=asked[0].hashes if asked else ())
