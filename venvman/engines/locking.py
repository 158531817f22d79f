"""From pins to locks: each group's own part of the solution, as pip-compile would write it."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.engines.given import command_of, kept_entries
from venvman.engines.portable import finished_lock
from venvman.index.page import leaf_of
from venvman.lock.file import LockEntry, sort_key
from venvman.model.sources import ArchiveSource, IndexSource
from venvman.requirements.includes import includes_in
from venvman.system.variables import expand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from venvman.engines import FreezeRequest
    from venvman.engines.given import CompileCommand, SourceTexts
    from venvman.engines.portable import Portable
    from venvman.index.client import Index
    from venvman.lock.file import Lock
    from venvman.model.names import NormalizedName
    from venvman.project.groups import Group
    from venvman.requirements.file import Requirement
    from venvman.resolve.demand import Demand, Pin
    from venvman.resolve.supply import Supply


class Locking:
    """Knows the request, so that one group after the other can be written down.

    ``sources`` are the groups' texts, ``name_of`` tells the name of a line, ``roots`` what a
    group's lines demand. ``computed`` (URL to hash) is added to: what an index does not say of a
    file is computed by downloading it.
    """

    def __init__(
        self,
        request: FreezeRequest,
        *,
        sources: Mapping[str, SourceTexts],
        portable: Portable,
        index: Index,
        supply: Supply,
        computed: dict[str, str],
        name_of: Callable[[Requirement], NormalizedName | None],
        roots: Callable[[Group], Sequence[Demand]],
    ) -> None:
        self._request = request
        self._sources = sources
        self._portable = portable
        self._index = index
        self._supply = supply
        self._computed = computed
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
        target = self._request.target
        lines = [
            (name, line)
            for line in group.lines
            if target.applies(line.marker) and (name := self._name_of(line)) is not None
        ]
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
                hashes=self._hashes(pin, existing.get(pin.name)) if style.hashes else (),
                via=tuple(sorted(via.get(pin.name, ()))) if style.annotate else (),
            )
            entries.append(entry)
        return finished_lock(
            tuple(sorted(entries, key=sort_key)),
            group,
            self._sources[group.name],
            target=target,
            existing=self._request.locks.get(group.name),
            command=command,
            limited=limited,
            unpinned=tuple(sorted({pin.name for pin in bases} - {pin.name for pin in pinned})),
        )

    def _via(
        self,
        group: Group,
        own: Mapping[str, Pin],
        finished: Mapping[str, Lock],
        command: CompileCommand,
        lines: Sequence[tuple[NormalizedName, Requirement]],
    ) -> dict[NormalizedName, set[str]]:
        """By name, all that asks for it: files, and distributions."""
        groups, beside = self._request.groups, self._request.beside
        texts = self._sources[group.name].texts
        files, included = _own_files(group, texts, [*beside, *(each.lock for each in groups)])
        root, folder = self._request.project.root, command.folder

        @cache  # thousands of lines stand in a few files
        def shown(file: str) -> str | None:
            if "://" in file:
                return file
            path = Path(os.path.normpath(root / file))
            return os.path.relpath(path, folder) if path in files else None

        via: defaultdict[NormalizedName, set[str]] = defaultdict(set)
        for name, line in lines:
            file = shown(line.origin.path)
            if file is not None:
                via[name].add(f"{'-c' if line.constraint else '-r'} {file}")
        done = {each.lock: finished[each.name] for each in groups if each.name in finished}
        for flag, path in included:
            lock = done.get(path) or beside.get(path)
            for entry in lock.entries if lock else ():
                via[entry.name].add(f"{flag} {os.path.relpath(path, folder)}")
        for pin in own.values():
            for demand in pin.demands or ():
                if demand.name != pin.name:
                    via[demand.name].add(pin.name)
        for name in _echoed(self._roots(group), own):
            via[name].add(name)
        return via

    def _hashes(self, pin: Pin, existing: LockEntry | None) -> tuple[str, ...]:
        """Sorted ``sha256:<hex>``; those of ``existing`` if it is the same version.

        pip-compile keeps existing hashes too: a lock does not change because a file was added.

        Raises:
            IndexFault, InstallError: a file that had to be downloaded could not be had.
        """
        if isinstance(pin.source, ArchiveSource):
            url = expand(pin.source.url, self._request.variables)
            return (self._hash_of(url, pin.source.hashes),)
        if pin.source is not None:
            return ()
        if existing is not None and existing.hashes and existing.version == pin.version:
            return existing.hashes
        told, untold = self._supply.candidates(pin.name).hashes(pin.version)
        return tuple(sorted({*told, *(self._hash_of(each.url, each.hashes) for each in untold)}))

    def _hash_of(self, url: str, hashes: tuple[str, ...]) -> str:
        told = next((each for each in hashes if each.startswith("sha256:")), None)
        if told is None and url not in self._computed:
            digest = self._index.sha256(url, hashes=hashes, label=leaf_of(url))
            self._computed[url] = f"sha256:{digest}"
        return told or self._computed[url]

    def _entry(self, pin: Pin, about: Sequence[Requirement]) -> LockEntry:
        markers = [line.marker for line in about if line.marker is not None]
        version = str(pin.version)
        source = pin.source or IndexSource()
        if isinstance(source, ArchiveSource):
            # Its hash, as it was learned, stands in the entry, not in the URL.
            asked = [line.source for line in about if isinstance(line.source, ArchiveSource)]
            source = replace(source, hashes=asked[0].hashes if asked else ())
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
            source=self._portable.source(source, about),
        )


def _echoed(roots: Sequence[Demand], own: Mapping[str, Pin]) -> Iterator[NormalizedName]:
    """The names that pip-compile lists among who asks for them.

    It takes what stands for the first demand, less its extras, for who asks, and sees that this is
    the package itself by its spelling only. What pip meets first depends on the order in which it
    chooses, which is gone through again.
    """
    demands = [each for pin in own.values() for each in pin.demands or ()]
    if not any(each.echoed for each in (*roots, *demands)):
        return
    order = {root.identifier: number for number, root in reversed([*enumerate(roots)])}
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
            order.get(identifier, len(order)),
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


def _own_files(
    group: Group, texts: Mapping[Path, str], locks: Iterable[Path]
) -> tuple[set[Path], dict[tuple[str, Path], None]]:
    """The files that pip-compile would read for a group: its own, and locks that it names.

    A lock with the ``-r`` or ``-c`` that names it. venvman reads the sources of those locks
    instead, so not all of a group's lines are its own. ``texts`` are the group's files, ``locks``
    the locks of all groups.
    """
    known = frozenset(locks)
    files: set[Path] = set()
    found: dict[tuple[str, Path], None] = {}
    pending = [*group.sources, *group.limits]
    while pending:
        path = pending.pop()
        if path in files:
            continue
        files.add(path)
        for flag, name in includes_in(texts.get(path, "")):
            target = Path(os.path.normpath(path.parent / name))
            if target in known and target != group.lock:
                found[flag, target] = None
            elif target in texts:
                pending.append(target)
    return files, found
