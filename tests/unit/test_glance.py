"""What a command line says at a glance."""

from __future__ import annotations

import pytest

from venvman.cli.read import glance


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("sync --bad", "sync"),
        ("--bad sync", "sync"),
        ("lock", "freeze"),
        ("hooks install --sync", "hooks install"),
        ("hooks", "hooks"),
        ("hooks nonsense", "hooks"),
        ("cache --format json size", "cache size"),
        ("nonsense", "venvman"),
        ("", "venvman"),
    ],
)
def test_the_command_is_named_as_in_the_envelope(line: str, command: str) -> None:
    assert glance(line.split()).command == command


def test_an_unknown_command_is_not_known() -> None:
    assert not glance(["nonsense"]).known
    assert glance(["sync"]).known


@pytest.mark.parametrize(
    "line",
    [
        "sync --format json",
        "--format json sync",
        "sync --format=json -x",
        "--format json",
        "run --project x --format json y",
        "hooks run x --format json",
    ],
)
def test_json_is_recognised_anywhere(line: str) -> None:
    assert glance(line.split()).given.format == "json"


@pytest.mark.parametrize(
    "line",
    ["sync", "sync --format", "sync --format xml", "run -- --format json", "run x --format json"],
)
def test_everything_else_is_text(line: str) -> None:
    assert glance(line.split()).given.format == "text"


def test_the_other_options_that_shape_a_refusal_are_read_too() -> None:
    seen = glance(["sync", "-v", "-q", "--color", "never", "--bad"]).given

    assert (seen.verbose, seen.quiet, seen.color) == (True, True, "never")


def test_a_nonsensical_colour_is_passed_over() -> None:
    assert glance(["--color=pink"]).given.color == "auto"
