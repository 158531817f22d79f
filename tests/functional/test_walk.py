"""The walk of one sync in the page on architecture is the way that a sync takes."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tools.walk import PAGE, ROOT, called, in_order, linked, steps


def test_every_function_of_the_walk_is_there() -> None:
    found = steps(PAGE.read_text())
    assert len(found) > 25
    for step in found:
        module, names = step.split(":")
        value: object = importlib.import_module(f"venvman.{module}")
        for name in names.split("."):
            value = getattr(value, name)
        link = re.search(r"\(\.\./\.\./(\S+)#:~:text=(\S+)\)", linked(step))
        assert link is not None
        source = (ROOT / link[1]).read_text()
        assert len(re.findall(rf"^ *{link[2].replace('%20', ' ')}\b", source, re.MULTILINE)) == 1


def test_the_table_of_folders_names_each_part_of_the_package() -> None:
    table = PAGE.read_text().split("| --- | --- |")[1].split("\n\n")[0]
    named = re.findall(r"`(\w+)/?`", "".join(row.split(" | ")[0] for row in table.split("\n| ")))
    package = ROOT / "venvman"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    modules = {path.stem for path in package.glob("[a-z]*.py")} - {"version"}

    assert sorted(named) == sorted(folders | modules)
    drawn = PAGE.read_text().split("<!-- flow folders")[1].split("-->\n\n")[0]
    assert set(re.findall(r"\w+", drawn)) <= set(named)


def test_a_sync_calls_them_in_this_order(tmp_path: Path) -> None:
    text = PAGE.read_text()
    assert in_order(text, called(tmp_path)) == text, "run: python -m tools.walk"


def test_rows_are_put_into_the_order_of_the_calls_and_what_is_not_called_is_named() -> None:
    text = "## One sync, followed\n\n| `b:two` | 2 |\n| `a:C.one` | 1 |\n\n## More\n"
    assert in_order(text, ["a:one", "x:else", "b:two"]) == (
        "## One sync, followed\n\n"
        "| [`a:C.one`](../../venvman/a/__init__.py#:~:text=def%20one) | 1 |\n"
        "| [`b:two`](../../venvman/b/__init__.py#:~:text=def%20two) | 2 |\n\n## More\n"
    )
    with pytest.raises(LookupError, match="b:two"):
        in_order(text, ["a:one"])
