"""``clean`` removes an environment, and nothing that is not one."""

from __future__ import annotations

import venv
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.projects import snapshot, write_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with an empty lock and an environment."""
    root = write_project(
        tmp_path / "shop", {"requirements.txt": "", "requirements.lock": "", "src/app.py": "1\n"}
    )
    assert run("sync", "-q", cwd=root).code == 0
    return root


def test_the_environment_goes_and_everything_else_stays(root: Path) -> None:
    before = snapshot(root, without=["venv"])
    ran = run("clean", "--format", "json", cwd=root)
    assert (ran.code, ran.json["status"]) == (0, "ok")
    assert snapshot(root) == before


def test_a_second_time_there_is_nothing_to_do(root: Path) -> None:
    run("clean", cwd=root)
    assert run("clean", cwd=root).code == 0


def test_a_broken_environment_goes_too(root: Path) -> None:
    (root / "venv" / "bin" / "python").unlink()
    (root / "venv" / "bin" / "python").symlink_to("/nowhere/python")
    assert run("clean", cwd=root).code == 0
    assert not (root / "venv").exists()


def test_somebody_elses_environment_goes_since_it_is_one(root: Path) -> None:
    run("clean", cwd=root)
    venv.create(root / "venv", symlinks=True)
    assert run("clean", cwd=root).code == 0
    assert not (root / "venv").exists()


@pytest.mark.parametrize("content", ["file", "folder", "folder with a configuration", "project"])
def test_what_is_no_environment_stays(root: Path, content: str) -> None:
    run("clean", cwd=root)
    place = root / "venv"
    match content:
        case "file":
            place.write_text("thesis")
        case "folder":
            place.mkdir()
            (place / "thesis.txt").write_text("thesis")
        case "folder with a configuration":
            place.mkdir()
            (place / "pyvenv.cfg").write_text("home = /usr/bin\n")
        case _:
            venv.create(place, symlinks=True)
            (place / "pyproject.toml").write_text("")
    before = snapshot(root)

    ran = run("clean", "--format", "json", cwd=root)

    assert (ran.code, ran.json["status"]) == (2, "error")
    assert ran.json["problems"][0]["code"] == "not-an-environment"
    assert snapshot(root) == before


def test_of_a_link_only_the_link_goes(root: Path, tmp_path: Path) -> None:
    (root / "venv").rename(tmp_path / "shared")
    (root / "venv").symlink_to(tmp_path / "shared")
    assert run("clean", cwd=root).code == 0
    assert not (root / "venv").is_symlink()
    assert (tmp_path / "shared" / "pyvenv.cfg").is_file()


def test_links_inside_are_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("thesis")
    (root / "venv" / "link").symlink_to(tmp_path / "precious")
    assert run("clean", cwd=root).code == 0
    assert (tmp_path / "precious" / "thesis.txt").is_file()
