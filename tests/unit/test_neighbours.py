"""Environments of this machine, and the inodes that they share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from venvman.environment.neighbours import Neighbour, neighbours, note, sharing
from venvman.model.errors import Command


def environment(path: Path) -> Path:
    (path / "lib").mkdir(parents=True)
    (path / "pyvenv.cfg").touch()
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def noted(state: Path, path: Path) -> Neighbour:
    note(state, environment(path), path.parent)
    return Neighbour(path=path, project=path.parent)


def test_what_was_noted_is_found_by_path(state: Path, tmp_path: Path) -> None:
    two, one = noted(state, tmp_path / "b/venv"), noted(state, tmp_path / "a ü/venv")
    assert neighbours(state) == (one, two)


def test_noting_twice_writes_once(state: Path, tmp_path: Path) -> None:
    noted(state, tmp_path / "a/venv")
    (file,) = (state / "environments").iterdir()
    before = file.stat().st_ino
    note(state, tmp_path / "a/venv", tmp_path / "a")
    assert [each.stat().st_ino for each in (state / "environments").iterdir()] == [before]


def test_a_link_to_an_environment_is_the_environment(state: Path, tmp_path: Path) -> None:
    there = noted(state, tmp_path / "a/venv")
    (tmp_path / "link").symlink_to(tmp_path / "a/venv")
    note(state, tmp_path / "link", tmp_path)
    assert neighbours(state) == (there,)


def test_what_is_no_more_is_not_found_and_forgotten_by_the_next_note(
    state: Path, tmp_path: Path
) -> None:
    gone, stays = noted(state, tmp_path / "a/venv"), noted(state, tmp_path / "b/venv")
    (gone.path / "pyvenv.cfg").unlink()
    assert neighbours(state) == (stays,)
    noted(state, tmp_path / "c/venv")
    assert len(list((state / "environments").iterdir())) == 2


def test_half_a_note_is_no_note_and_written_again(state: Path, tmp_path: Path) -> None:
    there = noted(state, tmp_path / "a/venv")
    (file,) = (state / "environments").iterdir()
    file.write_bytes(b"")
    assert neighbours(state) == ()
    note(state, there.path, there.project)
    assert neighbours(state) == (there,)


def test_the_command_that_mends_can_be_pasted(tmp_path: Path) -> None:
    spaced = Neighbour(path=tmp_path / "my shop/venv", project=tmp_path / "my shop")
    root = tmp_path / "my shop"
    assert spaced.recreate == Command((("venvman", "sync", "--recreate"),), root=root)


def test_each_file_is_told_with_those_that_have_it(state: Path, tmp_path: Path) -> None:
    one, two, three = (noted(state, tmp_path / name / "venv") for name in ("a", "b", "c"))
    both, pair, alone = (one.path / "lib" / name for name in ("both.py", "pair.py", "alone.py"))
    for file in (both, pair, alone):
        file.touch()
    os.link(both, two.path / "lib/both.py")
    os.link(both, three.path / "elsewhere")
    os.link(pair, three.path / "lib/pair.py")
    assert sharing(state, [both, pair, alone, one.path / "missing"]) == {
        both: (one, two, three),
        pair: (one, three),
    }


def test_a_folder_that_cannot_be_listed_hides_only_itself(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (noted(state, tmp_path / name / "venv") for name in ("a", "b"))
    (two.path / "closed").mkdir()
    file = one.path / "lib/x.py"
    file.touch()
    os.link(file, two.path / "lib/x.py")
    scandir = os.scandir

    def listing(path: str | Path) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("venvman.environment.neighbours.os.scandir", listing)
    assert sharing(state, [file]) == {file: (one, two)}


def test_links_to_folders_are_not_followed(state: Path, tmp_path: Path) -> None:
    one, two = (noted(state, tmp_path / name / "venv") for name in ("a", "b"))
    file = one.path / "lib/x.py"
    file.touch()
    os.link(file, tmp_path / "x.py")
    (two.path / "link").symlink_to(one.path / "lib")
    assert sharing(state, [file]) == {file: (one,)}
