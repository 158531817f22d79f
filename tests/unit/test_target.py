"""Markers and tags are judged by the target, never by the Python that runs venvman."""

from __future__ import annotations

from packaging.markers import Marker

from venvman.target import Target

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
