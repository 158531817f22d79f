"""Where venvman keeps things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.system.directories import Directories

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
