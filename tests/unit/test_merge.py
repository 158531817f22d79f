"""Locks of several targets as one: markers as short as they can be, nothing where all agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from packaging.markers import Marker

from tests.support.locked import entry
from venvman.lock.file import Lock, LockEntry, applicable
from venvman.lock.merge import Alike, TargetMarkers, merge
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.lock.style import own_header, target_names
from venvman.model.errors import FreezeError
from venvman.model.target import Target
from venvman.python.targets import expand, label_of, names_of
from venvman.requirements.header import LockStyle


def targets(*texts: str) -> tuple[Target, ...]:
    return expand(texts, requires_python=None, current=(3, 12))


GRID = targets("universal:3.10-3.13")
HEADER = own_header(LockStyle(), python="3.10", targets=names_of(GRID))


def lock(*entries: LockEntry, options: tuple[str, ...] = ()) -> Lock:
    return Lock(entries=entries, header=HEADER, options=options)


def marker(where: Callable[[str], bool], among: tuple[Target, ...] = GRID) -> str | None:
    """The marker of what is there on the targets whose label fulfils ``where``."""
    locks = [(each, lock(*[entry("a")] if where(label_of(each)) else [])) for each in among]
    (found,) = merge(locks, header=HEADER).entries
    return None if found.marker is None else str(found.marker)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (lambda _: True, None),
        (lambda label: "windows" in label, 'sys_platform == "win32"'),
        (lambda label: "windows" not in label, 'sys_platform != "win32"'),
        (lambda label: "3.10" in label, 'python_version < "3.11"'),
        (lambda label: "3.13" in label, 'python_version >= "3.13"'),
        (lambda label: "3.11" in label, 'python_version == "3.11"'),
        (
            lambda label: label[-4:] in {"3.11", "3.12"},
            'python_version >= "3.11" and python_version < "3.13"',
        ),
        (
            lambda label: "macos" in label and "3.10" in label,
            'sys_platform == "darwin" and python_version < "3.11"',
        ),
        (
            lambda label: "windows" in label or "3.10" in label,
            'python_version < "3.11" or sys_platform == "win32"',
        ),
    ],
)
def test_the_marker_is_the_shortest_that_tells(
    where: Callable[[str], bool], expected: str | None
) -> None:
    found = marker(where)
    assert sorted((found or "").split(" or ")) == sorted((expected or "").split(" or "))


def test_a_python_between_two_targets_belongs_to_the_older() -> None:
    among = targets("linux:3.8", "linux:3.10", "linux:3.13")
    assert marker(lambda label: "3.10" in label, among) == (
        'python_version >= "3.10" and python_version < "3.13"'
    )


def test_a_machine_is_told_only_together_with_its_system() -> None:
    among = targets("linux", "linux-aarch64", "macos", "windows")
    assert marker(lambda label: label.startswith("linux:"), among) == (
        'sys_platform == "linux" and platform_machine == "x86_64"'
    )
    assert marker(lambda label: "macos" in label, among) == 'sys_platform == "darwin"'


def test_versions_that_differ_stand_on_lines_that_exclude_each_other() -> None:
    among = targets("universal:3.12")
    versions = {"linux": "1", "macos": "2", "windows": "3"}
    locks = [(each, lock(entry("a", versions[label_of(each).partition(":")[0]]))) for each in among]
    assert [str(each.marker) for each in merge(locks, header=HEADER).entries] == [
        'sys_platform == "darwin"', 'sys_platform == "linux"', 'sys_platform == "win32"',
    ]  # fmt: skip


def test_no_environment_at_all_meets_two_lines_of_one_name() -> None:
    # The shortest markers of these two would both hold on Windows with 3.10, which is no target.
    among = targets("linux:3.10", "windows:3.11", "macos:3.11")
    found = TargetMarkers(among).of(
        [
            frozenset(place for place, each in enumerate(among) if "3.10" in label_of(each)),
            frozenset(place for place, each in enumerate(among) if "windows" in label_of(each)),
        ]
    )
    everyone = [*targets("universal:3.8-3.14"), *targets("linux-aarch64:3.8-3.14")]
    for each in everyone:
        assert sum(each.applies(Marker(text or "")) for text in found) <= 1, label_of(each)


def test_extras_that_differ_are_lines_of_their_own() -> None:
    among = targets("linux", "windows")
    locks = [(among[0], lock(entry("a", extras=["x"]))), (among[1], lock(entry("a")))]
    assert [
        (sorted(each.extras), str(each.marker)) for each in merge(locks, header=HEADER).entries
    ] == [(["x"], 'sys_platform == "linux"'), ([], 'sys_platform == "win32"')]


def test_reasons_hashes_and_options_of_all_are_united() -> None:
    first = replace(entry("a", hashes=["sha256:aa"]), via=("-r requirements.in",))
    second = replace(entry("a", hashes=["sha256:bb"]), via=("b",))
    locks = [
        (GRID[0], lock(first, options=("--no-index", "--find-links ./x"))),
        (GRID[1], lock(second, options=("--no-index",))),
    ]
    merged = merge(locks, header=HEADER)
    (found,) = merged.entries
    assert found.via == ("-r requirements.in", "b")
    assert found.hashes == ("sha256:aa", "sha256:bb")
    assert merged.options == ("--no-index", "--find-links ./x")


def test_glibc_and_musl_may_share_a_lock_as_long_as_they_agree() -> None:
    among = targets("linux", "linux-musl")
    same = [(each, lock(entry("a"))) for each in among]
    assert merge(same, header=HEADER).entries[0].marker is None


def test_glibc_and_musl_with_different_pins_are_refused_by_name() -> None:
    among = targets("linux", "linux-musl")
    with pytest.raises(FreezeError) as caught:
        merge([(among[0], lock(entry("a", "1"))), (among[1], lock(entry("a", "2")))], header=HEADER)
    assert caught.value.code == "targets-alike"
    assert caught.value.message == "linux:3.12 and linux-musl:3.12 need different pins of a."
    with pytest.raises(Alike):
        TargetMarkers(among).of([frozenset({0})])


def test_the_text_comes_back_as_the_same_lock_and_names_its_targets() -> None:
    locks = [(each, lock(entry("a"), *[entry("b")] * ("win" in label_of(each)))) for each in GRID]
    merged = merge(locks, header=HEADER)
    again = parse_lock(render_lock(merged), path="requirements.txt")
    assert again.entries == merged.entries
    assert target_names(again.header) == (
        "linux:3.10-3.13", "macos:3.10-3.13", "windows:3.10-3.13",
    )  # fmt: skip
    assert [len(applicable(again, each)) for each in GRID] == [1, 1, 2] * 4


def test_many_machines_and_pythons_without_any_order_still_get_an_answer() -> None:
    among = targets(
        "linux:3.8-3.14", "linux-aarch64:3.8-3.14", "macos:3.8-3.14", "macos-x86_64:3.8-3.14",
        "windows:3.8-3.14", "windows-arm64:3.8-3.14",
    )  # fmt: skip
    odd = frozenset(place for place in range(len(among)) if (place * place + place // 3) % 5 < 2)
    (text,) = TargetMarkers(among).of([odd])
    assert {place for place, each in enumerate(among) if each.applies(Marker(text or ""))} == odd
