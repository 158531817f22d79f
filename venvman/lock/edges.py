"""Locks to a dependency graph: annotations for the edges, metadata for what is asked. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.lock.match import named_entry, pins_of
from venvman.model.frozen import dataclass
from venvman.model.graph import Asking, Dependency, Graph, Package
from venvman.model.names import NormalizedName, canonical
from venvman.model.pep508 import Malformed, parse_requirement
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement as PackagingRequirement
    from packaging.specifiers import Specifier

    from venvman.lock.file import Lock, LockEntry
    from venvman.model.target import Target
    from venvman.project.groups import Group

    Requires = Callable[[LockEntry], Sequence[str] | None]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
# How pip-compile names a project whose pyproject.toml it read: `shop (pyproject.toml)`.
_PROJECT = re.compile(r"(?P<name>\S+) \((?P<path>[^)]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedGroup:
    """A group's lock; ``requirements`` is None where it was made from no requirements file."""

    name: str
    lock: Lock
    requirements: Group | None


def build_graph(
    groups: Sequence[LockedGroup], *, target: Target, root: Path, requires: Requires
) -> Graph:
    """The graph of what ``target`` installs from all ``groups`` together.

    Args:
        groups: the locks, the project's own order.
        target: whose markers count.
        root: the project's, absolute.
        requires: the ``Requires-Dist`` lines of a pin where they are known. They put specifiers on
            the edges, and make the edges of a lock that has no annotations.
    """
    builder = _Builder(target, root, requires)
    for group in groups:
        builder.read(group)
    return builder.graph()


def in_order(clauses: Iterable[Specifier]) -> str:
    """``>=2,<4``, as people write it: a set of specifiers has no order of its own."""
    texts = {str(clause) for clause in clauses}
    return ",".join(sorted(texts, key=lambda text: (text.startswith("<"), text)))


class _Builder:
    """Merges groups; what several of them say is kept once, with all their names."""

    def __init__(self, target: Target, root: Path, requires: Requires) -> None:
        self._target = target
        self._root = root
        self._requires = requires
        self._packages: dict[NormalizedName, list[tuple[str, LockEntry]]] = defaultdict(list)
        self._askings: dict[Asking, list[str]] = defaultdict(list)
        self._edges: dict[tuple[NormalizedName, NormalizedName], list[str]] = defaultdict(list)

    def read(self, group: LockedGroup) -> None:
        """Takes in one group."""
        entries = [each for each in group.lock.entries if self._target.applies(each.marker)]
        for entry in entries:
            self._packages[entry.name].append((group.name, entry))
        for asking in self._asked(group, entries):
            self._askings[asking].append(group.name)
        names = frozenset(entry.name for entry in entries)
        annotated = any(entry.via for entry in entries)
        # What the annotations say; else by metadata.
        notes = ((via, each.name) for each in entries for via in each.via if via[:1] != "-")
        said = ((canonical(via.partition(" ")[0].partition("[")[0]), name) for via, name in notes)
        for parent, child in said if annotated else self._required(entries, group):
            if parent in names and child in names:
                self._edges[parent, child].append(group.name)

    def graph(self) -> Graph:
        """Everything read so far."""
        askings = tuple(
            replace(
                asking,
                groups=tuple(dict.fromkeys(groups)),
                extras=self._with_own(asking.name, asking.extras),
            )
            for asking, groups in self._askings.items()
        )
        found = {
            pair: tuple(self._dependencies(*pair, groups))
            for pair, groups in sorted(self._edges.items())
        }
        packages = {name: _package(name, self._packages[name]) for name in sorted(self._packages)}
        return Graph(
            packages=packages,
            askings=askings,
            dependencies=tuple(_active(found.values(), askings)),
        )

    def _asked(self, group: LockedGroup, entries: Sequence[LockEntry]) -> Iterator[Asking]:
        if group.requirements is None:
            yield from _asked_elsewhere(entries)
            return
        pins = pins_of(group.lock)
        for requirement in group.requirements.requirements:
            if not self._target.applies(requirement.marker):
                continue
            entry = named_entry(requirement, pins, target=self._target, root=self._root)
            if entry is not None:
                yield Asking(
                    name=entry.name,
                    path=requirement.origin.path,
                    line=requirement.origin.line,
                    requirement=redact(requirement.raw or entry.name),
                    specifier=in_order(requirement.specifier),
                    extras=tuple(sorted(requirement.extras)),
                )

    def _required(
        self, entries: Sequence[LockEntry], group: LockedGroup
    ) -> Iterator[tuple[NormalizedName, NormalizedName]]:
        """Edges by metadata, where it is known, for a lock that does not say them."""
        asked: dict[NormalizedName, set[str]] = defaultdict(set)
        for asking in self._asked(group, entries):
            asked[asking.name].update(asking.extras)
        for entry in entries:
            extras = ("", *asked[entry.name])
            for each in _parsed(self._requires(entry) or ()):
                if any(self._target.applies(each.marker, extra=extra) for extra in extras):
                    yield entry.name, canonical(each.name)

    def _with_own(self, name: NormalizedName, extras: tuple[str, ...]) -> tuple[str, ...]:
        """``extras`` of ``name`` and those that they bring: ``name[a]; extra == "all"``."""
        if not extras or name not in self._packages:
            return extras
        lines = self._requires(self._packages[name][0][1]) or ()
        own = list(_parsed(line for line in lines if _names(line, name)))
        every: dict[str, None] = dict.fromkeys(extras)
        while True:
            more = {
                canonical(each)
                for requirement in own
                for extra in every
                if self._target.applies(requirement.marker, extra=extra)
                for each in requirement.extras
            }
            if more <= every.keys():
                return tuple(sorted(every))
            every.update(dict.fromkeys(sorted(more)))

    def _dependencies(
        self, parent: NormalizedName, child: NormalizedName, groups: Sequence[str]
    ) -> Iterator[Dependency]:
        """What ``parent`` always asks of ``child``, and what it asks with each of its extras."""
        edge = Dependency(parent=parent, child=child, groups=tuple(dict.fromkeys(groups)))
        lines = self._requires(self._packages[parent][0][1])
        requirements = list(_parsed(line for line in lines or () if _names(line, child)))
        always = [each for each in requirements if self._target.applies(each.marker)]
        if always or not requirements:
            plain = _described(edge, always, extra=None) if always else edge
            yield replace(plain, extras=self._with_own(child, plain.extras))
        extras = {name for each in requirements for name in _EXTRA.findall(str(each.marker or ""))}
        for extra in sorted(extras):
            some = [
                each
                for each in requirements
                if each not in always and self._target.applies(each.marker, extra=extra)
            ]
            if some:
                extended = _described(edge, some, extra=canonical(extra))
                yield replace(extended, extras=self._with_own(child, extended.extras))


def _active(
    found: Iterable[tuple[Dependency, ...]], askings: Iterable[Asking]
) -> Iterator[Dependency]:
    """Of each pair the edges whose extra a line or another edge asks for.

    Where it cannot be told who does, the pair is still one: the lock says so.
    """
    pairs = list(found)
    asked = {(each.name, extra) for each in askings for extra in each.extras}
    while True:
        active = [
            [edge for edge in pair if edge.extra is None or (edge.parent, edge.extra) in asked]
            for pair in pairs
        ]
        more = {(edge.child, extra) for pair in active for edge in pair for extra in edge.extras}
        if more <= asked:
            break
        asked |= more
    for pair, edges in zip(pairs, active, strict=True):
        bare = [edge for edge in edges if edge.extra is None]
        extra = [edge for edge in edges if not bare or set(edge.extras) - set(bare[0].extras)]
        yield from dict.fromkeys([*bare, *extra]) or [
            replace(each, extra=None) for each in pair[:1]
        ]


def _package(name: NormalizedName, found: Sequence[tuple[str, LockEntry]]) -> Package:
    versions = dict.fromkeys(str(each.version) for _, each in found if each.version is not None)
    return Package(
        name=name,
        version=", ".join(versions) or None,
        source=found[0][1].source,
        groups=tuple(dict.fromkeys(group for group, _ in found)),
    )


def _asked_elsewhere(entries: Iterable[LockEntry]) -> Iterator[Asking]:
    """What the annotations say of files that are not read here."""
    for entry in entries:
        for via in entry.via:
            project = _PROJECT.fullmatch(via)
            path = via[3:] if via.startswith("-r ") else project["path"] if project else None
            if path is not None:
                yield Asking(
                    name=entry.name, path=path, line=None, requirement=entry.name, specifier=""
                )


def _described(
    edge: Dependency, requirements: Sequence[PackagingRequirement], *, extra: str | None
) -> Dependency:
    specifier = in_order(clause for each in requirements for clause in each.specifier)
    extras = sorted({canonical(name) for each in requirements for name in each.extras})
    return replace(edge, specifier=specifier, extras=tuple(extras), extra=extra)


def _names(line: str, name: NormalizedName) -> bool:
    """Whether ``line`` is about ``name``; parsing all of them would take longer than the rest."""
    match = _NAME.match(line.lstrip())
    return match is not None and canonical(match[0]) == name


def _parsed(lines: Iterable[str]) -> Iterator[PackagingRequirement]:
    """Lines that cannot be read are passed over."""
    for line in lines:
        try:
            yield parse_requirement(line)
        except Malformed:
            continue
