"""The site: what `make docs` builds and looks at."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tools.site import QUESTIONS, ROOT, dead_links, faults, show_sources


def page(path: Path, *links: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f'<a class="a" href="{link}">there</a>\n' for link in links))


def test_a_link_that_leads_nowhere_is_dead_and_a_page_that_no_link_leads_to_is_lost(
    tmp_path: Path,
) -> None:
    page(tmp_path / "index.html", "how-to/", "how-to/#part", "https://example.org/", "gone/")
    page(tmp_path / "how-to/index.html", "..", "../../outside/", "../site.css?1")
    page(tmp_path / "lost/index.html", "/how-to/", "./")
    (tmp_path / "site.css").touch()

    assert sorted(dead_links(tmp_path)) == [
        "how-to/index.html links to ../../outside/, which is not there",
        "index.html links to gone/, which is not there",
        "no page links to lost/index.html",
    ]


def test_source_that_is_linked_to_is_a_page_of_the_site(tmp_path: Path) -> None:
    page(tmp_path / "index.html", "walk/")
    page(tmp_path / "walk/index.html", "../../venvman/plan.py#:~:text=def%20make_plan")

    show_sources(tmp_path)

    link = 'href="../venvman/plan.py/#:~:text=def%20make_plan"'
    assert link in (tmp_path / "walk/index.html").read_text()
    assert "def make_plan" in (tmp_path / "venvman/plan.py/index.html").read_text()
    assert dead_links(tmp_path) == []


def test_what_people_ask_is_answered_by_pages_that_there_are() -> None:
    there = {
        path.relative_to(ROOT / "docs").with_suffix("").as_posix() + "/"
        for path in (ROOT / "docs").rglob("*.md")
    }

    assert len(QUESTIONS) > 60
    assert {page for page in QUESTIONS.values() if page} <= there


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_every_page_is_sound(tmp_path: Path) -> None:
    zensical = Path(sysconfig.get_path("scripts"), "zensical")
    if not zensical.exists():
        pytest.skip("zensical is not there (make docs)")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")

    subprocess.run([zensical, "build", "--strict"], cwd=tmp_path, check=True)
    site = tmp_path / "site"
    show_sources(site)

    assert faults(site) == []
