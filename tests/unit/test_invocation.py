"""What a command line says at a glance."""

from __future__ import annotations

import pytest

from venvman.cli.invocation import Invocation
from venvman.cli.options import Color, Format


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
    assert Invocation.of(line.split()).command == command


def test_an_unknown_command_is_not_known() -> None:
    assert not Invocation.of(["nonsense"]).known
    assert Invocation.of(["sync"]).known


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
    assert Invocation.of(line.split()).common.format is Format.JSON


@pytest.mark.parametrize(
    "line",
    ["sync", "sync --format", "sync --format xml", "run -- --format json", "run x --format json"],
)
def test_everything_else_is_text(line: str) -> None:
    assert Invocation.of(line.split()).common.format is Format.TEXT


def test_the_other_options_that_shape_a_refusal_are_read_too() -> None:
    common = Invocation.of(["sync", "-v", "-q", "--color", "never", "--bad"]).common

    assert (common.verbose, common.quiet, common.color) == (True, True, Color.NEVER)


def test_a_nonsensical_colour_is_passed_over() -> None:
    assert Invocation.of(["--color=pink"]).common.color is Color.AUTO
