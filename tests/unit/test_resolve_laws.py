"""Laws of the solver, over worlds made up by the thousand."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resolvelib.resolvers import Resolution

from tests.support.solving import World
from venvman.resolve import solver
from venvman.resolve.dependency import Dependency, specifier_set
from venvman.resolve.solver import Unsolvable, closure

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("a", "b", "c", "d")
VERSIONS = ("1", "2", "3")
Packages = dict[str, dict[str, list[str]]]

requirement = st.builds(
    lambda name, sign, version: f"{name}{sign}{version}" if sign else name,
    st.sampled_from(NAMES),
    st.sampled_from(["", ">=", "<", "==", "!=", "<="]),
    st.sampled_from(VERSIONS),
)
dependencies = st.lists(requirement, max_size=2, unique=True)
worlds = st.fixed_dictionaries(
    {name: st.fixed_dictionaries(dict.fromkeys(VERSIONS, dependencies)) for name in NAMES}
)
lines = st.lists(requirement, min_size=1, max_size=3, unique=True)


def solved(world: World, texts: list[str]) -> dict[str, str] | None:
    try:
        return world.pins(*texts)
    except Unsolvable:
        return None


def holds(packages: Packages, texts: list[str], chosen: Mapping[str, str]) -> bool:
    """Whether ``chosen`` meets every line and every dependency of what is chosen."""
    wanted = [read(text) for text in texts]
    wanted += [read(text) for name in chosen for text in packages[name][chosen[name]]]
    return all(
        each.name in chosen and specifier_set(each.specifier).contains(chosen[each.name])
        for each in wanted
    )


def read(text: str) -> Dependency:
    (found,) = World({}).dependencies.of([text])
    return found


@settings(max_examples=60, deadline=None)
@given(worlds, lines)
def test_every_pin_satisfies_all_demands_and_leads_back_to_a_line(
    packages: Packages, texts: list[str]
) -> None:
    world = World(packages)
    pins = solved(world, texts)
    if pins is None:
        return
    assert holds(packages, texts, pins)
    solution = world.solve(*texts)
    asked = [pin for pin in solution.pins.values() if any(t.startswith(pin.name) for t in texts)]
    roots = [demand for pin in asked for demand in world.shared.demands(read(pin.name))]
    assert closure(roots, solution.pins).keys() == solution.pins.keys()


@settings(max_examples=60, deadline=None)
@given(worlds, lines)
def test_what_is_refused_has_no_solution(packages: Packages, texts: list[str]) -> None:
    if solved(World(packages), texts) is not None:
        return
    absent: tuple[str | None, ...] = (None, *VERSIONS)
    for choice in product(absent, repeat=len(NAMES)):
        chosen = {name: version for name, version in zip(NAMES, choice, strict=True) if version}
        assert not holds(packages, texts, chosen), chosen


@settings(max_examples=40, deadline=None)
@given(worlds, lines, st.data())
def test_dropping_a_line_with_pins_kept_never_adds_a_package(
    packages: Packages, texts: list[str], data: st.DataObject
) -> None:
    before = solved(World(packages), texts)
    if before is None:
        return
    dropped = data.draw(st.sampled_from(texts))
    fewer = [text for text in texts if text != dropped]
    after = World(packages).pins(*fewer, kept=before)
    assert after.items() <= before.items()


@settings(max_examples=25, deadline=None)
@given(worlds, lines)
def test_pins_that_still_hold_are_a_fixed_point(packages: Packages, texts: list[str]) -> None:
    before = solved(World(packages), texts)
    if before is not None:
        assert World(packages).pins(*texts, kept=before) == before


@settings(max_examples=40, deadline=None)
@given(worlds, lines)
def test_what_is_kept_from_earlier_runs_changes_no_answer(
    packages: Packages, texts: list[str]
) -> None:
    assert solved(World(packages, kept=True), texts) == solved(World(packages), texts)


@settings(max_examples=60, deadline=None)
@given(worlds, lines)
def test_remembering_answers_between_rounds_changes_none(
    packages: Packages, texts: list[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quick = solved(World(packages), texts)
        patch.setattr(solver, "QuickResolution", Resolution)
        assert solved(World(packages), texts) == quick


def test_a_name_that_nobody_asks_for_any_more_ends_no_search() -> None:
    packages: Packages = {
        "a": {"1": [], "2": [], "3": []},
        "b": {"1": ["b>=2"], "2": ["a<1"], "3": ["a", "c!=1"]},
        "c": {"1": [], "2": ["b<1"], "3": ["b<3"]},
    }
    with pytest.raises(Unsolvable):
        World(packages).pins("b")
