"""The site as it lies in ``docs``: every page has its place in the menu, every link an end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.pages import PAGES, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]*`|<!--.*?-->", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")


def in_menu(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    else:
        for each in entry.values() if isinstance(entry, dict) else entry:
            yield from in_menu(each)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {
        re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
        for heading in headings
    }


def test_every_page_has_one_place_in_the_menu() -> None:
    menu = list(in_menu(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))

    assert sorted(menu) == sorted(
        page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")
    )


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_has_an_end(page: str) -> None:
    path = ROOT / page
    text = CODE.sub("", path.read_text())
    dead = []
    for found in LINK.finditer(text):
        target, _, anchor = (found[1] or found[2]).partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        end = path.parent / target if target else path
        if not end.exists() or (end.suffix == ".md" and anchor and anchor not in anchors(end)):
            dead.append(found[0])
    assert dead == []


def test_the_comparison_is_the_readmes() -> None:
    page = (ROOT / "docs" / "explanation" / "other-tools.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("|")]

    assert len(rows) == 8
    assert "\n".join(rows) in (ROOT / "README.md").read_text()
