"""Settings of a user for all projects, and flags for what has only variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cli import run
from tests.support.projects import versions_in, write_project
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index import Index


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("alpha", "beta"):
        make_wheel(index.folder, name)
    make_wheel(index.folder, "alpha", version="2.0")
    files = {"requirements.in": "alpha\n", "requirements-dev.in": "beta\n"}
    return write_project(tmp_path / "shop", files)


def wish(root: Path, text: str) -> Path:
    path = root.parent / "config/venvman/venvman.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_a_user_wants_everywhere_counts_below_the_project(root: Path) -> None:
    wish(root, 'groups = ["default"]\n')
    assert run("sync", cwd=root).code == 0
    assert set(versions_in(root)) == {"alpha"}
    (root / "pyproject.toml").write_text('[tool.venvman]\ngroups = ["dev"]\n')
    assert run("sync", cwd=root).code == 0
    assert set(versions_in(root)) == {"beta"}


def test_a_changed_wish_is_noticed(root: Path) -> None:
    assert run("sync", cwd=root).code == 0
    assert run("sync", cwd=root).code == 0
    wish(root, 'groups = ["default"]\n')
    assert run("sync", "--check", cwd=root).code == 1
    assert run("sync", cwd=root).code == 0
    assert set(versions_in(root)) == {"alpha"}


def test_constraints_count_from_the_file_that_names_them(root: Path) -> None:
    path = wish(root, 'constraints = ["limits.txt"]\n')
    (path.parent / "limits.txt").write_text("alpha<2\n")
    assert run("sync", cwd=root).code == 0
    assert versions_in(root)["alpha"] == "1.0"


@pytest.mark.parametrize("text", ["nonsense = 3\n", "groups = 3\n", "groups = [\n"])
def test_a_fault_in_it_is_told_with_its_file(root: Path, text: str) -> None:
    path = wish(root, text)
    done = run("sync", "--format", "json", cwd=root)
    assert done.code == 2
    assert done.json["problems"][0]["path"] == str(path)


def test_an_index_can_be_named_for_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Index
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert run("freeze", cwd=root).code == 2
    assert run("sync", "--index-url", index.simple, cwd=root).code == 0
    assert index.simple not in (root / "requirements.txt").read_text()
    assert run("add", "--index-url", index.simple, "beta", cwd=root).code == 0


def test_a_package_can_be_built_for_once(root: Path) -> None:
    done = run("freeze", "--no-binary", "alpha", cwd=root)
    assert (done.code, "alpha" in done.stderr) == (2, True)
    assert run("freeze", cwd=root).code == 0


def test_files_that_are_too_new_are_passed_over_for_once(root: Path, index: Index) -> None:
    for name in ("alpha-1.0", "beta-1.0"):
        index.upload_times[f"{name}-py3-none-any.whl"] = "2020-01-01T00:00:00Z"
    index.upload_times["alpha-2.0-py3-none-any.whl"] = "2022-01-01T00:00:00Z"
    assert run("freeze", "--exclude-newer", "2021-01-01", cwd=root).code == 0
    assert "alpha==1.0" in (root / "requirements.txt").read_text()
    assert run("freeze", "-U", "--exclude-newer", "some day", cwd=root).code == 2
