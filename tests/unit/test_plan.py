from __future__ import annotations

import pytest

from tests.support.locked import entry, installed
from venvman.drift import (
    Damaged,
    Difference,
    Drift,
    Duplicate,
    Extra,
    Missing,
    OtherSource,
    OtherVersion,
)
from venvman.model.names import canonical
from venvman.plan import Add, Plan, Remove, Replace, Step, make_plan

PIN, THERE, SECOND = entry("a", "2.0"), installed("a", "1.0"), installed("a", "1.5")
NAME = canonical("a")


def plan_of(*differences: Difference, keep: str = "", inexact: bool = False) -> Plan:
    return make_plan(
        Drift(differences=differences, unchanged=3),
        keep=dict.fromkeys(map(canonical, keep.split())),
        inexact=inexact,
    )


@pytest.mark.parametrize(
    ("difference", "step"),
    [
        (Missing(entry=PIN), Add(entry=PIN, because="not installed")),
        (
            OtherVersion(entry=PIN, installed=THERE),
            Replace(entry=PIN, installed=(THERE,), because="1.0 installed, 2.0 locked"),
        ),
        (
            OtherSource(entry=PIN, installed=THERE, because="installed editable"),
            Replace(entry=PIN, installed=(THERE,), because="installed editable"),
        ),
        (
            Damaged(entry=PIN, installed=installed("a", damage="RECORD is missing")),
            Replace(
                entry=PIN,
                installed=(installed("a", damage="RECORD is missing"),),
                because="RECORD is missing",
            ),
        ),
        (
            Duplicate(name=NAME, entry=PIN, installed=(THERE, SECOND)),
            Replace(entry=PIN, installed=(THERE, SECOND), because="installed 2 times"),
        ),
        (
            Duplicate(name=NAME, entry=None, installed=(THERE, SECOND)),
            Remove(installed=(THERE, SECOND), because="no lock in use names it"),
        ),
        (Extra(installed=THERE), Remove(installed=(THERE,), because="no lock in use names it")),
    ],
)
def test_each_difference_has_one_step_that_mends_it(difference: Difference, step: Step) -> None:
    plan = plan_of(difference)
    assert plan.steps == (step,)
    assert plan.steps[0].name == NAME


def test_no_drift_is_an_empty_plan() -> None:
    assert not plan_of()
    assert plan_of().unchanged == 3


def test_steps_are_ordered_by_name() -> None:
    plan = plan_of(Missing(entry=entry("z")), Extra(installed=installed("m")))
    assert [step.name for step in plan.steps] == ["m", "z"]


def test_what_is_kept_is_not_removed_but_put_right_when_locked() -> None:
    extra, wrong = Extra(installed=installed("b")), OtherVersion(entry=PIN, installed=THERE)
    assert [step.name for step in plan_of(wrong, extra, keep="a B").steps] == ["a"]


def test_inexact_removes_nothing() -> None:
    twice = Duplicate(name=NAME, entry=None, installed=(THERE, SECOND))
    assert not plan_of(Extra(installed=installed("b")), twice, inexact=True)
