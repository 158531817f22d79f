"""Laws of merging: every target selects from the merged lock what its own lock held."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker

from tests.support.locked import entry
from venvman.lock.file import Lock, select
from venvman.lock.merge import TargetMarkers, merge
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.lock.style import own_header
from venvman.model.target import Target
from venvman.python.targets import expand, synthetic
from venvman.requirements.header import LockStyle

PLACES = ("linux", "linux-aarch64", "macos", "macos-x86_64", "windows")
EVERYWHERE = expand(
    [f"{place}:3.8-3.14" for place in (*PLACES, "windows-arm64")],
    requires_python=None,
    current=(3, 12),
)
HEADER = own_header(LockStyle(), python="3.12", targets=["linux:3.12"])

some_targets = st.lists(
    st.tuples(st.sampled_from(PLACES), st.integers(8, 13)), min_size=1, max_size=9, unique=True
).map(lambda pairs: [synthetic(place, f"3.{minor}.0") for place, minor in pairs])


@st.composite
def locks_of_targets(draw: st.DrawFn) -> list[tuple[Target, Lock]]:
    """Every target with some of four names, each in one of three versions."""
    found = []
    for target in draw(some_targets):
        pins = draw(st.dictionaries(st.sampled_from("abcd"), st.sampled_from("123")))
        entries = tuple(entry(name, version) for name, version in sorted(pins.items()))
        found.append((target, Lock(entries=entries, header=HEADER)))
    return found


def versions(lock: Lock, target: Target) -> dict[str, str]:
    return {each.name: str(each.version) for each in select([("lock", lock)], target)}


@given(locks_of_targets())
@settings(max_examples=60, deadline=None)
def test_every_target_selects_what_it_was_resolved_to(locks: list[tuple[Target, Lock]]) -> None:
    merged = merge(locks, header=HEADER)
    again = parse_lock(render_lock(merged), path="requirements.txt")
    for target, lock in locks:
        own = {each.name: str(each.version) for each in lock.entries}
        assert versions(merged, target) == versions(again, target) == own


@given(locks_of_targets())
@settings(max_examples=40, deadline=None)
def test_no_environment_whatsoever_meets_a_name_twice(locks: list[tuple[Target, Lock]]) -> None:
    merged = merge(locks, header=HEADER)
    for target in EVERYWHERE:
        names = [each.name for each in merged.entries if target.applies(each.marker)]
        assert len(names) == len(set(names))


@given(locks_of_targets())
@settings(max_examples=30, deadline=None)
def test_only_what_all_agree_on_bears_no_marker(locks: list[tuple[Target, Lock]]) -> None:
    for each in merge(locks, header=HEADER).entries:
        pins = [(own.name, own.version) for _, lock in locks for own in lock.entries]
        assert (each.marker is None) == (pins.count((each.name, each.version)) == len(locks))


@given(some_targets, st.data())
@settings(max_examples=60, deadline=None)
def test_a_marker_holds_exactly_where_it_should(targets: list[Target], data: st.DataObject) -> None:
    chosen = data.draw(
        st.frozensets(st.integers(0, len(targets) - 1), min_size=1, max_size=len(targets))
    )
    (text,) = TargetMarkers(targets).of([chosen])
    marker = None if text is None else Marker(text)
    assert {place for place, each in enumerate(targets) if each.applies(marker)} == chosen
