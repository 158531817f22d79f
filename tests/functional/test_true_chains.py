"""Why and tree tell what is so: an edge with an extra counts where that extra is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import run
from tests.support.projects import write_project
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index import Index


@pytest.fixture
def index_of_extras(index: Index) -> Index:
    """fast[standard] and fast[all] need mail, as does model[email]; fast needs plain model."""
    make_wheel(
        index.folder,
        "fast",
        requires=["model"],
        extras={"standard": ["mail>=2"], "all": ["mail>=1"], "more": ["fast[standard]"]},
    )
    make_wheel(index.folder, "model", extras={"email": ["mail"]})
    make_wheel(index.folder, "mail", "2.0")
    make_wheel(index.folder, "user", requires=["model[email]"])
    return index


@pytest.mark.parametrize("asked", ["fast[standard]", "fast[more]"])
@pytest.mark.usefixtures("index_of_extras")
def test_a_chain_goes_only_through_extras_that_it_asks_for(tmp_path: Path, asked: str) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": f"{asked}\n"})
    assert run("freeze", cwd=root).code == 0
    said = run("why", "mail", cwd=root).stdout
    assert "with extra standard" in said
    assert "with extra all" not in said
    assert "model" not in said
    tree = run("tree", cwd=root).stdout
    assert "with extra standard" in tree
    assert "with extra all" not in tree
    assert "with extra email" not in tree


@pytest.mark.usefixtures("index_of_extras")
def test_each_way_by_its_own_extra_is_a_chain(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": "fast[all]\nuser\n"})
    assert run("freeze", cwd=root).code == 0
    said = run("why", "mail", cwd=root).stdout
    assert "with extra all" in said
    assert "with extra email" in said
    assert "with extra standard" not in said


@pytest.mark.usefixtures("index_of_extras")
def test_each_place_in_a_tree_shows_what_its_own_extras_bring(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": "user\nfast\n"})
    assert run("freeze", cwd=root).code == 0
    lines = [line.strip("│├└─ ") for line in run("tree", cwd=root).stdout.splitlines()]
    assert lines[1:7] == [
        "user 1.0",
        "model 1.0  [email]",
        "mail 2.0  with extra email",
        "fast 1.0",
        "model 1.0",
        "4 packages",
    ]
    inverted = run("tree", "--invert", "mail", cwd=root).stdout
    assert "user 1.0" in inverted
    assert "fast" not in inverted
    assert "model[email] -> mail with extra email" in run("why", "mail", cwd=root).stdout
