"""Where venvman keeps things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.system.directories import Directories

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_variables_name_both_folders(tmp_path: Path) -> None:
    variables = {"VENVMAN_CACHE_DIR": str(tmp_path / "c"), "VENVMAN_STATE_DIR": str(tmp_path / "s")}
    assert Directories.of(variables) == Directories(cache=tmp_path / "c", state=tmp_path / "s")


def test_a_flag_beats_the_variable(tmp_path: Path) -> None:
    variables = {"VENVMAN_CACHE_DIR": str(tmp_path / "c")}
    assert Directories.of(variables, cache=tmp_path / "f").cache == tmp_path / "f"


def test_a_relative_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Directories.of({"VENVMAN_CACHE_DIR": "c"}).cache == tmp_path / "c"


def test_without_variables_both_are_below_the_home_folder(isolated: Path) -> None:
    directories = Directories.of({})
    assert directories.cache.is_relative_to(isolated)
    assert directories.state.is_relative_to(isolated)
    assert directories.cache != directories.state


def test_one_environment_has_one_lock_however_it_is_named(tmp_path: Path) -> None:
    directories = Directories(cache=tmp_path, state=tmp_path / "s")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    lock = directories.environment_lock(tmp_path / "real")
    assert directories.environment_lock(tmp_path / "link") == lock
    assert directories.environment_lock(tmp_path / "other") != lock


def test_the_lock_lies_outside_the_environment(tmp_path: Path) -> None:
    directories = Directories(cache=tmp_path, state=tmp_path / "s")
    assert directories.environment_lock(tmp_path / "venv").is_relative_to(tmp_path / "s")


def test_a_project_has_one_folder_of_state_however_it_is_named(tmp_path: Path) -> None:
    directories = Directories(cache=tmp_path, state=tmp_path / "s")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    folder = directories.project_state(tmp_path / "real")
    assert directories.project_state(tmp_path / "link") == folder
    assert folder.is_relative_to(tmp_path / "s")
