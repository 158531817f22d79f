"""Graphs: trees that end, chains that are all there, shortest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from venvman.lock.edges import in_order
from venvman.model.graph import (
    Asking,
    Branch,
    Dependency,
    Graph,
    Package,
    chains_to,
    closure,
    forest,
    part_of,
)
from venvman.model.names import canonical
from venvman.model.sources import IndexSource

NAMES = [canonical(name) for name in "abcdef"]


def graph(edges: Iterable[str], asked: Iterable[str], **groups: str) -> Graph:
    """``edges`` are pairs of names (``ab``); ``groups`` puts one into another: ``ab="dev"``."""
    return Graph(
        packages={
            name: Package(name=name, version="1", source=IndexSource(), groups=("default", "dev"))
            for name in NAMES
        },
        askings=tuple(
            Asking(
                name=canonical(name),
                path="requirements.in",
                line=line,
                requirement=name,
                specifier="",
                groups=("default",),
            )
            for line, name in enumerate(asked, start=1)
        ),
        dependencies=tuple(
            Dependency(
                parent=canonical(edge[0]),
                child=canonical(edge[1]),
                groups=(groups.get(edge, "default"),),
            )
            for edge in sorted(set(edges))
        ),
    )


def paths(found: Graph, name: str) -> list[str]:
    return [
        chain.asking.name + "".join(step.child for step in chain.steps)
        for chain in chains_to(found, canonical(name)).chains
    ]


def branches(trees: Iterable[Branch]) -> Iterator[Branch]:
    for tree in trees:
        yield tree
        yield from branches(tree.children)


def test_chains_come_shortest_first() -> None:
    assert paths(graph(["ab", "bc", "ac"], "a"), "c") == ["ac", "abc"]


def test_a_cycle_is_passed_once() -> None:
    assert paths(graph(["ab", "ba", "bc"], "a"), "c") == ["abc"]


def test_an_edge_of_another_group_is_no_reason_for_a_line() -> None:
    assert paths(graph(["ab"], "a", ab="dev"), "b") == []


def test_no_more_chains_than_wanted_are_looked_for() -> None:
    found = chains_to(graph(["ab", "ac", "bd", "cd"], "a"), canonical("d"), limit=1)
    assert (len(found.chains), found.more) == (1, True)


def test_a_deeper_level_is_drawn_where_there_is_room_for_it() -> None:
    trees = forest(graph(["ab", "bc", "cd"], "ac"), depth=2)
    assert [child.package.name for child in trees[1].children if child.package] == ["d"]


def test_packages_that_no_line_asks_for_are_drawn_all_the_same() -> None:
    names = {each.package.name for each in branches(forest(graph(["ab"], ""))) if each.package}
    assert names == set(NAMES)


def test_specifiers_are_written_from_low_to_high() -> None:
    from packaging.specifiers import SpecifierSet

    assert in_order(SpecifierSet("<3,!=2.1,>=2")) == "!=2.1,>=2,<3"


EDGES = st.lists(st.text("abcdef", min_size=2, max_size=2), max_size=14)
ASKED = st.lists(st.sampled_from("abcdef"), max_size=3, unique=True)


@given(EDGES, ASKED, st.sampled_from("abcdef"))
def test_chains_are_all_the_simple_paths_from_lines(
    edges: list[str], asked: list[str], name: str
) -> None:
    def walks(path: str) -> Iterator[str]:
        if path[-1] == name:
            yield path
            return
        for edge in set(edges):
            if edge[0] == path[-1] and edge[1] not in path:
                yield from walks(path + edge[1])

    found = paths(graph(edges, asked), name)
    assert sorted(found) == sorted(path for start in asked for path in walks(start))
    assert [len(path) for path in found] == sorted(len(path) for path in found)


@given(EDGES, ASKED, st.one_of(st.none(), st.integers(1, 4)), st.booleans())
def test_a_forest_ends_and_draws_no_children_twice(
    edges: list[str], asked: list[str], depth: int | None, invert: bool
) -> None:
    drawn = list(branches(forest(graph(edges, asked), invert=invert, depth=depth)))
    whole = [each.package.name for each in drawn if each.children and each.package]
    if depth is None:
        assert len(whole) == len(set(whole))
        if not invert:
            assert {each.package.name for each in drawn if each.package} == set(NAMES)


@given(EDGES, st.sampled_from("abcdef"))
def test_a_closure_is_closed_and_its_part_of_the_graph_stands_alone(
    edges: list[str], name: str
) -> None:
    found = graph(edges, "")
    names = closure(found, [canonical(name)])
    part = part_of(found, names)
    assert all(edge.child in names for edge in found.dependencies if edge.parent in names)
    assert {edge.parent for edge in part.dependencies} <= part.packages.keys() == names
