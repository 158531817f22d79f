"""What is said where nothing fits: the reason that is left, alike ones once, a next command."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.solving import World
from tests.support.worlds import TARGET
from venvman.candidates import rank
from venvman.names import canonical
from venvman.options import IndexOptions
from venvman.resolve.demand import Demand, specifier_set
from venvman.resolve.misfits import cure_of, reasons_of
from venvman.resolve.solver import Question, contradiction, exclude_each_other
from venvman.sources import IndexFile

SYSTEM = next(tag.rpartition("-")[2] for tag in TARGET.tags if not tag.endswith("-any"))
OLDER, NEWER = ("cp36", "cp38"), ("cp398", "cp399")


def said(specifier: str, *files: tuple[str, dict[str, Any]]) -> tuple[str, str]:
    demand = Demand(canonical("demo"), "", specifier)
    found = rank(
        canonical("demo"),
        [IndexFile(filename=f"demo-{name}", url=f"https://x.test/{name}", **facts)
         for name, facts in files],
        target=TARGET, options=IndexOptions(), specifier=specifier_set(specifier),
    )  # fmt: skip
    assert not found.candidates
    return reasons_of(found.rejections, demand, TARGET), str(
        cure_of(found.rejections, demand, TARGET)
    )


def test_files_of_other_systems_say_nothing_where_this_one_has_some() -> None:
    why, fix = said(
        "==1.0",
        ("1.0-cp36-cp36m-macosx_10_6_x86_64.whl", {}),
        (f"1.0-cp36-cp36m-{SYSTEM}.whl", {}),
        (f"1.0-cp38-cp38-{SYSTEM}.whl", {}),
        ("1.0-cp38-cp38-win_amd64.whl", {}),
    )
    assert "wheels of this system for Python 3.6 and 3.8 only" in why
    assert "macosx" not in why
    assert fix == "venvman freeze --python 3.8"


def test_where_all_are_for_other_systems_the_systems_are_named() -> None:
    why, fix = said("==1.0", ("1.0-cp36-cp36m-win_amd64.whl", {}))
    assert "win_amd64" in why
    assert "keep it off this system" in fix


def test_no_command_names_a_python_that_no_environment_can_have() -> None:
    assert "venvman" not in said("==1.0", (f"1.0-cp27-cp27m-{SYSTEM}.whl", {}))[1]


def test_versions_refused_for_the_same_reason_are_one_sentence() -> None:
    newer = {"requires_python": ">=3.14"}
    files = [(f"6.0.{number}.tar.gz", newer) for number in range(12)]
    why, fix = said("==6.0.*", *files)
    assert why.count("needs Python") == 1
    assert "demo 6.0.11 to 6.0.0 (12 versions)" in why
    assert fix == "venvman freeze --python 3.14"


def test_the_nearest_versions_are_named() -> None:
    files: list[tuple[str, dict[str, Any]]] = [
        (f"0.{number}.tar.gz", {}) for number in range(40) if number != 20
    ]
    why, _ = said("==0.20", *files)
    assert "0.21, 0.19" in why
    assert "newer ones and" in why


@pytest.mark.parametrize(
    ("one", "other"),
    [("==1.0", "==1.1"), ("<2", ">=3"), ("~=2.1", "<2"), ("==1.0", "!=1.0"), ("==2.*", "==1.5")],
)
def test_what_certainly_excludes_each_other_needs_no_index(one: str, other: str) -> None:
    assert exclude_each_other(specifier_set(one), specifier_set(other))
    world = World({})
    roots = tuple(
        Demand(canonical("demo"), extra, text) for extra, text in (("", one), ("x", other))
    )
    failure = contradiction(Question(roots=roots))
    assert failure is not None
    assert [each.requirement for each in failure.causes] == list(roots)
    assert not world.asked


@pytest.mark.parametrize(
    ("one", "other"),
    [("==1.0", "==1.0.0"), ("==1.0", "==1.0+cpu"), ("<2", ">=1"), ("===x", "==1"), ("", "==1")],
)
def test_what_only_versions_can_tell_is_left_to_them(one: str, other: str) -> None:
    assert not exclude_each_other(specifier_set(one), specifier_set(other))
