"""The walk of one sync in the page on architecture is the way that a sync takes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from tools.walk import PAGE, called, in_order, steps

if TYPE_CHECKING:
    from pathlib import Path


def test_every_function_of_the_walk_is_there() -> None:
    found = steps(PAGE.read_text())

    assert len(found) > 25
    for step in found:
        module, names = step.split(":")
        value: object = importlib.import_module(f"venvman.{module}")
        for name in names.split("."):
            value = getattr(value, name)


def test_a_sync_calls_them_in_this_order(tmp_path: Path) -> None:
    text = PAGE.read_text()

    assert in_order(text, called(tmp_path)) == text, "run: python -m tools.walk"


def test_rows_are_put_into_the_order_of_the_calls_and_what_is_not_called_is_named() -> None:
    text = "## One sync, followed\n\n| `b:two` | 2 |\n| `a:C.one` | 1 |\n\n## More\n"

    assert in_order(text, ["a:one", "x:else", "b:two"]) == (
        "## One sync, followed\n\n| `a:C.one` | 1 |\n| `b:two` | 2 |\n\n## More\n"
    )
    with pytest.raises(LookupError, match="b:two"):
        in_order(text, ["a:one"])
