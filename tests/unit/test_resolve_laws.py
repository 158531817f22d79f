"""Laws of the solver, over worlds made up by the thousand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resolvelib.resolvers import Resolution

from tests.support.solving import World
from venvman.resolve import solver
from venvman.resolve.demand import Dependency, Pin, specifier_set
from venvman.resolve.provider import Provider
from venvman.resolve.resolution import QuickResolution
from venvman.resolve.solver import Unsolvable, closure

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
def test_the_search_finds_what_resolvelib_finds(packages: Packages, texts: list[str]) -> None:
    assert_same_as_resolvelib(packages, texts)


# Going back after a jump that led nowhere, and pins that contradict themselves, are rare.
@pytest.mark.parametrize("seed", [1335, 1437, 101794, *range(60)])
def test_in_larger_worlds_it_finds_the_same_too(seed: int) -> None:
    assert_same_as_resolvelib(*larger_world(seed))


def assert_same_as_resolvelib(packages: Packages, texts: list[str]) -> None:
    quick = outcome(packages, texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solver, "QuickResolution", Resolution)
        assert outcome(packages, texts) == quick


def outcome(packages: Packages, texts: list[str]) -> object:
    try:
        return World(packages).pins(*texts)
    except Unsolvable as failure:
        return {(str(cause.requirement), str(cause.parent)) for cause in failure.causes}


def larger_world(seed: int) -> tuple[Packages, list[str]]:
    chance = random.Random(seed)
    names = [f"p{number}" for number in range(chance.choice([5, 8, 15, 30]))]
    newest, most = chance.choice([2, 4, 8]), chance.choice([1, 2, 3])

    def version() -> int:
        return chance.randint(1, newest)

    def some(signs: list[str]) -> str:
        name, sign = chance.choice(names), chance.choice(signs)
        return f"{name}{sign}{version()}" if sign else name

    packages = {
        name: {
            str(number): [
                some(["", ">=", "<", "<=", "==", "!="]) for _ in range(chance.randint(0, most))
            ]
            for number in range(1, newest + 1)
        }
        for name in names
    }
    return packages, sorted({some(["", "", ">=", "<="]) for _ in range(chance.randint(1, 6))})


def test_the_work_of_a_search_grows_with_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    told = Provider.get_preference

    def counted(provider: Provider, name: str, *rest: Any) -> tuple[Any, ...]:
        asked.append(name)
        return told(provider, name, *rest)

    monkeypatch.setattr(Provider, "get_preference", counted)
    World({f"p{number}": {"1": []} for number in range(400)}).solve(
        *(f"p{number}==1" for number in range(400))
    )
    assert len(asked) <= 800


def test_what_a_search_holds_against_a_name_it_holds_once(monkeypatch: pytest.MonkeyPatch) -> None:
    patched = QuickResolution._patch_criteria
    held: list[list[Pin]] = []

    def watched(search: QuickResolution, broken: list[tuple[str, list[Pin]]]) -> bool:
        done = patched(search, broken)
        if done:
            held.extend(list(each.incompatibilities) for each in search.state.criteria.values())
        return done

    monkeypatch.setattr(QuickResolution, "_patch_criteria", watched)
    outcome(*larger_world(80))
    assert any(held)
    assert all(len(pins) == len(set(pins)) for pins in held)


def test_a_name_that_nobody_asks_for_any_more_ends_no_search() -> None:
    packages: Packages = {
        "a": {"1": [], "2": [], "3": []},
        "b": {"1": ["b>=2"], "2": ["a<1"], "3": ["a", "c!=1"]},
        "c": {"1": [], "2": ["b<1"], "3": ["b<3"]},
    }
    with pytest.raises(Unsolvable):
        World(packages).pins("b")
