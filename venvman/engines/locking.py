"""From pins to locks: each group's own part of the solution, as pip-compile would write it."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.engines.existing import command_of, kept_entries, relative
from venvman.engines.portable import finished_lock
from venvman.index.page import leaf_of
from venvman.lock.file import LockEntry, sort_key
from venvman.model.frozen import dataclass
from venvman.model.sources import ArchiveSource, IndexSource, Source
from venvman.requirements.includes import includes_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from venvman.engines import FreezeRequest
    from venvman.engines.existing import CompileCommand
    from venvman.engines.portable import Portable
    from venvman.engines.sourcefiles import SourceTexts
    from venvman.index.client import Index
    from venvman.lock.file import Lock
    from venvman.model.names import NormalizedName
    from venvman.project.groups import Group
    from venvman.requirements.requirement import Requirement
    from venvman.resolve.demand import Demand, Pin
    from venvman.resolve.supply import Supply


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
        command: CompileCommand,
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


def _as_written(source: Source | None, lines: Sequence[Requirement]) -> Source:
    """Without what was learned of an archive: its hash stands in the entry, not in the URL."""
    if source is None:
        return IndexSource()
    if not isinstance(source, ArchiveSource):
        return source
    asked = [line.source for line in lines if isinstance(line.source, ArchiveSource)]
    return replace(source, hashes=asked[0].hashes if asked else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedLock:
    """A lock of the project that a group's file names; ``flag`` is ``-r`` or ``-c``."""

    flag: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFiles:
    """The files that pip-compile would read for a group: its own ones, and locks of other groups.

    venvman reads the sources of those locks instead, so not all of a group's lines are its own.
    """

    files: frozenset[Path]
    locks: tuple[IncludedLock, ...]


def own_files(group: Group, texts: Mapping[Path, str], locks: Iterable[Path]) -> OwnFiles:
    """``texts`` are the group's files, ``locks`` the locks of all groups."""
    known = frozenset(locks)
    files: set[Path] = set()
    found: dict[IncludedLock, None] = {}
    pending = [*group.sources, *group.limits]
    while pending:
        path = pending.pop()
        if path in files:
            continue
        files.add(path)
        for flag, name in includes_in(texts.get(path, "")):
            target = Path(os.path.normpath(path.parent / name))
            if target in known and target != group.lock:
                found[IncludedLock(flag=flag, path=target)] = None
            elif target in texts:
                pending.append(target)
    return OwnFiles(files=frozenset(files), locks=tuple(found))


def asked_by(
    requirements: Iterable[tuple[NormalizedName, Requirement]],
    own: OwnFiles,
    *,
    root: Path,
    folder: Path,
    locks: Mapping[Path, Lock],
) -> dict[NormalizedName, set[str]]:
    """By name, the annotations of files; ``folder`` is where the header's command is run.

    ``requirements`` are the lines that apply, ``locks`` the finished ones of other groups.
    """
    asking: defaultdict[NormalizedName, set[str]] = defaultdict(set)

    @cache  # thousands of lines stand in a few files
    def shown(file: str) -> str | None:
        if "://" in file:
            return file
        path = Path(os.path.normpath(root / file))
        return relative(path, folder) if path in own.files else None

    for name, requirement in requirements:
        file = shown(requirement.origin.path)
        if file is not None:
            asking[name].add(f"{'-c' if requirement.constraint else '-r'} {file}")
    for included in own.locks:
        lock = locks.get(included.path)
        for entry in lock.entries if lock else ():
            asking[entry.name].add(f"{included.flag} {relative(included.path, folder)}")
    return asking


class Hashes:
    """Answers for pins; what an index does not say is computed by downloading.

    ``variables`` fill in ``${VAR}`` in URLs; ``computed`` (URL to hash) is added to.
    """

    def __init__(
        self,
        index: Index,
        supply: Supply,
        variables: Mapping[str, str],
        *,
        computed: dict[str, str],
    ) -> None:
        self._index = index
        self._supply = supply
        self._variables = variables
        self._computed = computed

    def of(self, pin: Pin, existing: LockEntry | None) -> tuple[str, ...]:
        """Sorted ``sha256:<hex>``; those of ``existing`` if it is the same version.

        pip-compile keeps existing hashes too: a lock does not change because a file was added.

        Raises:
            IndexFault, InstallError: a file that had to be downloaded could not be had.
        """
        if isinstance(pin.source, ArchiveSource):
            return (self._of_archive(pin.source),)
        if pin.source is not None:
            return ()
        if existing is not None and existing.hashes and existing.version == pin.version:
            return existing.hashes
        told, untold = self._supply.hashes(pin.name, pin.version)
        computed = [self._of_file(each.url, each.hashes) for each in untold]
        return tuple(sorted(told.union(computed)))

    def _of_archive(self, source: ArchiveSource) -> str:
        from venvman.system.variables import expand

        return self._of_file(expand(source.url, self._variables), source.hashes)

    def _of_file(self, url: str, hashes: tuple[str, ...]) -> str:
        told = next((each for each in hashes if each.startswith("sha256:")), None)
        if told is not None:
            return told
        known = self._computed.get(url)
        if known is None:
            label = leaf_of(url)
            digest = self._index.sha256(url, hashes=hashes, label=label)
            known = self._computed[url] = f"sha256:{digest}"
        return known
