"""Names of targets, and the markers and tags that stand behind them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.markers import Marker

from tests.support.groups import HERE
from venvman.model.target import Target
from venvman.python.probe import probe
from venvman.python.targets import (
    KNOWN_MINORS,
    expand,
    is_covered,
    label_of,
    names_of,
    parse_minors,
    parse_target,
    synthetic,
)
from venvman.system.directories import Directories


def labels(
    *texts: str, requires_python: str | None = None, pythons: tuple[tuple[int, int], ...] = ()
) -> list[str]:
    found = expand(texts, requires_python=requires_python, current=(3, 11), pythons=pythons)
    return [label_of(each) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux:3.12", ["linux:3.12"]),
        ("Linux-x86_64:3.12", ["linux:3.12"]),
        ("linux-arm64:3.12", ["linux-aarch64:3.12"]),
        ("linux-musl:3.12", ["linux-musl:3.12"]),
        ("linux-musl-aarch64:3.12", ["linux-musl-aarch64:3.12"]),
        ("macos-arm64:3.12", ["macos:3.12"]),
        ("macos-x86_64:3.12", ["macos-x86_64:3.12"]),
        ("windows-amd64:3.12", ["windows:3.12"]),
        ("windows-arm64:3.12", ["windows-arm64:3.12"]),
        ("universal:3.12", ["linux:3.12", "macos:3.12", "windows:3.12"]),
        ("macos:3.9-3.11", ["macos:3.11", "macos:3.10", "macos:3.9"]),
    ],
)
def test_a_name_says_system_machine_and_pythons(text: str, expected: list[str]) -> None:
    assert labels(text) == expected


@pytest.mark.parametrize(
    "text", ["solaris", "linux-sparc", "", "linux:", "linux:2.7", "linux:3.13-3.10", "linux:3"]
)
def test_what_names_no_target_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"known are|neither a Python"):
        parse_target(text)


def test_without_pythons_it_is_the_one_in_use() -> None:
    assert labels("linux") == ["linux:3.11"]


def test_without_pythons_it_is_every_known_one_that_requires_python_allows() -> None:
    assert labels("linux", requires_python=">=3.12") == [
        f"linux:3.{minor}" for _, minor in reversed(KNOWN_MINORS) if minor >= 12
    ]


def test_pythons_given_apart_are_for_names_without_any() -> None:
    given = parse_minors("3.9-3.10")
    assert labels("linux", "macos:3.12", pythons=given) == [
        "macos:3.12", "linux:3.10", "linux:3.9",
    ]  # fmt: skip


def test_the_newest_python_comes_first_then_the_order_of_the_names() -> None:
    assert labels("windows:3.10", "linux:3.10-3.11") == [
        "linux:3.11", "windows:3.10", "linux:3.10",
    ]  # fmt: skip


def test_a_minor_is_its_first_patch_that_requires_python_allows() -> None:
    (plain,) = expand(["linux:3.10"], requires_python=None, current=(3, 11))
    (later,) = expand(["linux:3.10"], requires_python=">=3.10.4,!=3.10.5", current=(3, 11))
    assert (plain.python, later.python) == ("3.10.0", "3.10.4")
    assert later.applies(Marker("python_full_version == '3.10.4'"))


def test_a_python_that_requires_python_excludes_is_refused() -> None:
    with pytest.raises(ValueError, match=r">=3\.10 excludes Python 3\.8"):
        labels("linux:3.8", requires_python=">=3.10")


def test_a_requires_python_beyond_all_that_is_known_means_the_one_in_use() -> None:
    future = expand(["linux"], requires_python=">=3.40", current=(3, 40))
    assert [label_of(each) for each in future] == ["linux:3.40"]


@pytest.mark.parametrize(
    ("name", "marker"),
    [
        ("linux", "sys_platform == 'linux' and platform_machine == 'x86_64' and os_name=='posix'"),
        ("linux-aarch64", "platform_system == 'Linux' and platform_machine == 'aarch64'"),
        ("macos", "sys_platform == 'darwin' and platform_machine == 'arm64'"),
        ("windows", "os_name == 'nt' and platform_machine == 'AMD64'"),
        ("windows", "platform_system == 'Windows' and implementation_name == 'cpython'"),
    ],
)
def test_the_markers_are_those_of_such_a_machine(name: str, marker: str) -> None:
    assert synthetic(name, "3.12.0").applies(Marker(marker))


@pytest.mark.parametrize(
    ("name", "supported", "refused"),
    [
        ("linux", "cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_31_x86_64"),
        ("linux", "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-musllinux_1_1_x86_64"),
        ("linux-aarch64", "cp38-abi3-manylinux_2_28_aarch64", "cp312-cp312-manylinux1_x86_64"),
        ("linux-musl", "cp312-cp312-musllinux_1_2_x86_64", "cp312-cp312-manylinux_2_17_x86_64"),
        ("macos", "cp312-cp312-macosx_11_0_arm64", "cp312-cp312-macosx_11_0_x86_64"),
        ("macos", "cp312-cp312-macosx_14_0_universal2", "cp312-cp312-macosx_15_0_arm64"),
        ("macos-x86_64", "cp312-cp312-macosx_10_9_x86_64", "cp312-cp312-macosx_11_0_arm64"),
        ("windows", "cp312-cp312-win_amd64", "cp312-cp312-win32"),
        ("windows-arm64", "py3-none-any", "cp311-cp311-win_arm64"),
    ],
)
def test_the_tags_are_those_of_such_a_machine(name: str, supported: str, refused: str) -> None:
    tags = synthetic(name, "3.12.0").tags
    assert supported in tags
    assert refused not in tags


def test_names_are_as_few_as_can_be_and_come_back_as_the_same_targets() -> None:
    given = expand(
        ["universal:3.10-3.12", "linux:3.8", "windows:3.14"], requires_python=None, current=(3, 9)
    )
    names = names_of(given)
    assert set(names) == {
        "linux:3.8", "linux:3.10-3.12", "macos:3.10-3.12", "windows:3.10-3.12", "windows:3.14",
    }  # fmt: skip
    assert set(expand(names, requires_python=None, current=(3, 9))) == set(given)


def test_an_interpreters_own_target_is_covered_by_its_name(tmp_path: Path) -> None:
    own = probe(
        Path(sys.executable), directories=Directories(cache=tmp_path, state=tmp_path)
    ).target
    named = label_of(own)
    assert named == label_of(HERE)
    assert is_covered(own, [HERE])
    other = "windows" if own.applies(Marker("sys_platform != 'win32'")) else "linux"
    assert not is_covered(own, expand([other], requires_python=None, current=own.minor))


TARGET = Target(
    python="3.8.18",
    markers=(("platform_system", "Plan9"), ("python_version", "3.8"), ("sys_platform", "plan9")),
    tags=("cp38-cp38-plan9", "py3-none-any"),
)


def test_the_minor_version_is_two_numbers() -> None:
    assert TARGET.minor == (3, 8)
    assert Target(python="3.15.0a1", markers=(), tags=()).minor == (3, 15)


def test_markers_are_those_of_the_target() -> None:
    assert TARGET.applies(Marker("python_version < '3.9' and sys_platform == 'plan9'"))
    assert not TARGET.applies(Marker("python_version >= '3.9'"))


def test_no_marker_always_applies() -> None:
    assert TARGET.applies(None)


def test_an_extra_applies_where_it_was_asked_for() -> None:
    marker = Marker("extra == 'socks'")
    assert TARGET.applies(marker, extra="socks")
    assert not TARGET.applies(marker)


def test_a_target_is_short_when_printed() -> None:
    assert repr(TARGET) == "Target(python='3.8.18')"
