"""The dependency graph that locks hold: who asks for what, and why it is there. Pure.

A lock's ``via`` annotations say which package brings which; the packages' own metadata, where it is
known, adds what they ask for exactly.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.model.names import NormalizedName
    from venvman.model.sources import Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One pinned distribution.

    ``version`` is None where the lock has only a URL; where groups disagree, all of them with
    commas between. ``groups`` are those whose locks hold it.
    """

    name: NormalizedName
    version: str | None
    source: Source
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A line of a source file that asks for ``name``.

    ``requirement`` is the line's own text, credentials hidden. ``line`` is None where only a lock
    says that the file asks. ``groups`` are those that read the file.
    """

    name: NormalizedName
    path: str
    line: int | None
    requirement: str
    specifier: str
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """``parent`` brings ``child``.

    ``specifier`` is what it asks for, None where its metadata is not known. ``extra`` is the extra
    of ``parent`` that brings it, None for what it always needs. ``groups`` are those in whose locks
    it does.
    """

    parent: NormalizedName
    child: NormalizedName
    specifier: str | None = None
    extras: tuple[str, ...] = ()
    extra: str | None = None
    groups: tuple[str, ...] = ()

    def by(self, above: Asking | Dependency) -> bool:
        """Whether ``above``, which asks for the parent, asks for the extra that this one needs.

        Nobody knows which extras a parent without metadata asks for: it may be any.
        """
        return self.extra is None or above.specifier is None or self.extra in above.extras


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Packages by name, the lines that ask for them, and what brings what. May have cycles."""

    packages: Mapping[NormalizedName, Package]
    askings: tuple[Asking, ...]
    dependencies: tuple[Dependency, ...]

    @cached_property
    def needs(self) -> Mapping[NormalizedName, tuple[Dependency, ...]]:
        """What each package brings, by name."""
        edges = sorted(self.dependencies, key=lambda edge: edge.child)
        return _grouped((edge.parent, edge) for edge in edges)

    @cached_property
    def needed_by(self) -> Mapping[NormalizedName, tuple[Dependency, ...]]:
        """What brings each package, by name."""
        edges = sorted(self.dependencies, key=lambda edge: edge.parent)
        return _grouped((edge.child, edge) for edge in edges)

    @cached_property
    def asked_by(self) -> Mapping[NormalizedName, tuple[Asking, ...]]:
        """The lines that ask for each package."""
        return _grouped((each.name, each) for each in self.askings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A node of a drawn tree: a package, or the line where an inverted branch ends.

    ``edge`` says how it is reached, None at a root that was asked for by name. ``repeated`` says
    that its children stand elsewhere in the tree: so do cycles end. ``cut`` that they are deeper
    than was asked for.
    """

    package: Package | None
    edge: Asking | Dependency | None = None
    children: tuple[Branch, ...] = ()
    repeated: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """From a line of a source file through packages to one that it is the reason for."""

    asking: Asking
    steps: tuple[Dependency, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """The chains to ``name``, shortest first; ``more`` says that not all of them were followed."""

    name: NormalizedName
    chains: tuple[Chain, ...] = field(default=())
    more: bool = False


def forest(
    graph: Graph,
    names: Sequence[NormalizedName] = (),
    *,
    invert: bool = False,
    depth: int | None = None,
) -> tuple[Branch, ...]:
    """The trees from ``names``, or from every line that asks for something.

    ``invert`` grows them from what is needed towards the lines that ask; without ``names`` from
    what needs nothing itself. ``depth`` counts the levels of packages, from 1; None is all.
    What has been drawn once is not drawn again.
    """
    grower = _Grower(graph, invert=invert)
    if names:
        return tuple(grower.grow(name, None, depth) for name in names)
    if invert:
        leaves = [name for name in sorted(graph.packages) if name not in graph.needs]
        return tuple(grower.grow(name, None, depth) for name in leaves)
    grown = [grower.grow(each.name, each, depth) for each in graph.askings]
    # Packages that no line is known to ask for: first those that nothing brings.
    reached: frozenset[NormalizedName] = frozenset()
    rest = graph.packages.keys() - _asked_for(graph)
    for name in sorted(rest, key=lambda each: (each in graph.needed_by, each)):
        if name not in reached:
            reached |= closure(graph, (name,))
            grown.append(grower.grow(name, None, depth))
    return tuple(grown)


def chains_to(graph: Graph, name: NormalizedName, *, limit: int = 100) -> Chains:
    """Every way from a line of a source file to ``name``, shortest first, at most ``limit``.

    No way passes a package twice. There can be exponentially many: those beyond ``limit`` are not
    looked for.
    """
    found: list[Chain] = []
    level: list[tuple[Dependency, ...]] = [()]
    while level:
        here: list[Chain] = []
        longer: list[tuple[Dependency, ...]] = []
        for steps in level:  # edges from the top down, empty for ``name`` itself
            top = steps[0].parent if steps else name
            passed = {name, *(step.parent for step in steps)}
            for asking in graph.asked_by.get(top, ()):
                # Extras differ between groups, and with them what a package brings.
                together = [all(each in step.groups for step in steps) for each in asking.groups]
                if any(together) and (not steps or steps[0].by(asking)):
                    here.append(Chain(asking=asking, steps=steps))
            longer += [
                (edge, *steps)
                for edge in graph.needed_by.get(top, ())
                if edge.parent not in passed and (not steps or steps[0].by(edge))
            ]
        found += sorted(here, key=_chain_order)
        if len(found) > limit or len(level) > 100 * limit:
            return Chains(name=name, chains=tuple(found[:limit]), more=True)
        level = longer
    return Chains(name=name, chains=tuple(found))


def closure(
    graph: Graph, names: Iterable[NormalizedName], *, invert: bool = False
) -> frozenset[NormalizedName]:
    """``names`` and all they bring, directly or not; ``invert``: and all that brings them."""
    edges = graph.needed_by if invert else graph.needs
    seen: set[NormalizedName] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending += [each.parent if invert else each.child for each in edges.get(name, ())]
    return frozenset(seen)


def part_of(graph: Graph, names: Iterable[NormalizedName]) -> Graph:
    """``graph`` without the packages that are not among ``names``."""
    kept = frozenset(names)
    return Graph(
        packages={name: each for name, each in graph.packages.items() if name in kept},
        askings=tuple(each for each in graph.askings if each.name in kept),
        dependencies=tuple(
            each for each in graph.dependencies if each.parent in kept and each.child in kept
        ),
    )


def _asked_for(graph: Graph) -> frozenset[NormalizedName]:
    """All that the lines bring by the extras that they and each other ask for."""
    seen: set[tuple[NormalizedName, Dependency | Asking]] = set()
    pending: list[tuple[NormalizedName, Dependency | Asking]]
    pending = [(each.name, each) for each in graph.askings]
    while pending:
        name, edge = pending.pop()
        if (name, edge) not in seen:
            seen.add((name, edge))
            pending += [(each.child, each) for each in graph.needs.get(name, ()) if each.by(edge)]
    return frozenset(name for name, _ in seen)


class _Grower:
    """Draws the children that each package has by an edge once: where the most levels may stand."""

    def __init__(self, graph: Graph, *, invert: bool) -> None:
        self._graph = graph
        self._invert = invert
        self._drawn: dict[tuple[NormalizedName, tuple[Asking | Dependency, ...]], float] = {}

    def grow(
        self, name: NormalizedName, edge: Asking | Dependency | None, depth: int | None
    ) -> Branch:
        """The branch of ``name`` with ``depth`` levels, its own included."""
        package = self._graph.packages[name]
        next_ones = self._next(name, edge)
        if not next_ones:
            return Branch(package=package, edge=edge)
        below = float("inf") if depth is None else depth - 1
        if self._drawn.get((name, next_ones), 0) >= max(below, 1):
            return Branch(package=package, edge=edge, repeated=True)
        if below <= 0:
            return Branch(package=package, edge=edge, cut=True)
        self._drawn[name, next_ones] = below
        left = None if depth is None else depth - 1
        children = tuple(
            Branch(package=None, edge=each)
            if isinstance(each, Asking)
            else self.grow(each.parent if self._invert else each.child, each, left)
            for each in next_ones
        )
        return Branch(package=package, edge=edge, children=children)

    def _next(
        self, name: NormalizedName, edge: Asking | Dependency | None
    ) -> tuple[Asking | Dependency, ...]:
        """The edges that go on from ``name``, where ``edge`` led: only through its extras."""
        if not self._invert:
            needs = self._graph.needs.get(name, ())
            return tuple(each for each in needs if edge is None or each.by(edge))
        above: tuple[Asking | Dependency, ...] = self._graph.asked_by.get(name, ())
        above += self._graph.needed_by.get(name, ())
        if not isinstance(edge, Dependency):
            return above
        return tuple(each for each in above if edge.by(each))


def _chain_order(chain: Chain) -> tuple[object, ...]:
    asking = chain.asking
    return (asking.path, asking.line or 0, tuple(step.child for step in chain.steps))


def _grouped(pairs: Iterable[tuple[NormalizedName, T]]) -> Mapping[NormalizedName, tuple[T, ...]]:
    found: dict[NormalizedName, list[T]] = defaultdict(list)
    for name, value in pairs:
        found[name].append(value)
    return {name: tuple(values) for name, values in found.items()}
