"""The laws of drift and plan, over values."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tests.support.locked import entry, installed
from venvman.drift import Drift, compare
from venvman.environment.inventory import Installed, Inventory
from venvman.lock.file import LockEntry
from venvman.model.names import NormalizedName, canonical
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource
from venvman.plan import Add, Plan, Remove, make_plan

ROOT = Path("/project")
NAMES = st.sampled_from(["a", "b", "c", "pip", "setuptools", "wheel"])
VERSIONS = st.sampled_from(["1.0", "1.0+cpu", "2.0"])
COMMITS = st.sampled_from(["a" * 40, "b" * 40])
URLS = st.sampled_from(["https://e.org/one", "https://e.org/two"])
SOURCES = st.one_of(
    st.just(IndexSource()),
    st.builds(VcsSource, vcs=st.just("git"), url=URLS, commit=COMMITS),
    st.builds(ArchiveSource, url=URLS),
    st.builds(DirectorySource, path=st.just("/project/lib"), editable=st.booleans()),
)
ENTRIES = st.lists(
    st.builds(entry, NAMES, st.none() | VERSIONS, source=SOURCES), unique_by=lambda each: each.name
)
INSTALLED = st.lists(
    st.builds(
        installed, NAMES, VERSIONS, source=SOURCES, damage=st.none() | st.just("RECORD is missing")
    ),
    max_size=8,
)
KEEP = st.frozensets(st.sampled_from([canonical("a"), canonical("b")]))
NOTHING_KEPT: dict[NormalizedName, None] = {}


def drift_of(entries: list[LockEntry], found: list[Installed]) -> Drift:
    return compare(entries, Inventory(distributions=tuple(found)), root=ROOT)


def planned(entries: list[LockEntry], found: list[Installed]) -> Plan:
    return make_plan(drift_of(entries, found), keep=NOTHING_KEPT)


def applied(plan: Plan, found: list[Installed]) -> list[Installed]:
    """What an installer that does exactly what the plan says leaves."""
    result = list(found)
    for step in plan.steps:
        if not isinstance(step, Add):
            result = [each for each in result if each not in step.installed]
        if not isinstance(step, Remove):
            pin = step.entry
            version = str(pin.version or Version("9"))
            result.append(installed(pin.name, version, source=pin.source))
    return result


@given(ENTRIES, INSTALLED, KEEP, st.booleans())
def test_planning_again_after_applying_is_empty(
    entries: list[LockEntry], found: list[Installed], keep: frozenset[NormalizedName], inexact: bool
) -> None:
    plan = make_plan(drift_of(entries, found), keep=dict.fromkeys(keep), inexact=inexact)
    after = drift_of(entries, applied(plan, found))
    assert not make_plan(after, keep=dict.fromkeys(keep), inexact=inexact)


@given(ENTRIES, INSTALLED)
def test_after_an_exact_sync_there_is_no_drift(
    entries: list[LockEntry], found: list[Installed]
) -> None:
    after = drift_of(entries, applied(planned(entries, found), found))
    assert not after
    assert after.unchanged == len(entries)


@given(ENTRIES.filter(bool), INSTALLED)
def test_dropping_one_entry_changes_the_plan_by_that_removal_alone(
    entries: list[LockEntry], found: list[Installed]
) -> None:
    dropped = entries[0].name
    before = [step for step in planned(entries, found).steps if step.name != dropped]
    after = list(planned(entries[1:], found).steps)
    new = [step for step in after if step not in before]
    assert [step for step in after if step not in new] == before
    there = any(each.name == dropped for each in found)
    removed = [dropped] if there and dropped not in ("pip", "setuptools", "wheel") else []
    assert [step.name for step in new] == removed
    assert all(isinstance(step, Remove) for step in new)


@given(ENTRIES, INSTALLED, KEEP)
def test_what_is_kept_never_leaves_unless_it_is_replaced(
    entries: list[LockEntry], found: list[Installed], keep: frozenset[NormalizedName]
) -> None:
    drift = drift_of(entries, found)
    steps = make_plan(drift, keep=dict.fromkeys(keep)).steps
    removed = {step.name for step in steps if isinstance(step, Remove)}
    assert not removed & keep
    inexact = make_plan(drift, keep=dict.fromkeys(keep), inexact=True)
    assert not any(isinstance(step, Remove) for step in inexact.steps)


@given(ENTRIES, INSTALLED)
def test_the_order_of_the_input_does_not_matter(
    entries: list[LockEntry], found: list[Installed]
) -> None:
    assert planned(entries[::-1], found) == planned(entries, found)
