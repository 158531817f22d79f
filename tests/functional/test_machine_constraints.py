"""Constraints that no file of the project names: pip's own configuration, and the setting."""

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
    """epsilon needs alpha, of which there are 1.0 and 2.0."""
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    make_wheel(index.folder, "epsilon", requires=["alpha"])
    for version in ("1.0", "2.0"):
        make_wheel(index.folder, "alpha", version)
    files = {"requirements.in": "epsilon\n", "limits.txt": "alpha<2\n"}
    return write_project(tmp_path / "shop", files)


def configure(root: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "variable":
        monkeypatch.setenv("PIP_CONSTRAINT", "limits.txt")
    elif way == "pip.conf":
        conf = root.parent / "pip.conf"
        conf.write_text(f"[install]\nconstraint = {root / 'limits.txt'}\n")
        monkeypatch.setenv("PIP_CONFIG_FILE", str(conf))
    else:
        (root / "pyproject.toml").write_text("[tool.venvman]\nconstraints = ['limits.txt']\n")


WAYS = ["variable", "pip.conf", "setting"]


@pytest.mark.parametrize("way", WAYS)
def test_they_limit_what_is_frozen_and_are_not_in_the_lock(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(root, way, monkeypatch)
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    assert versions_in(root) == {"alpha": "1.0", "epsilon": "1.0"}
    assert "limits" not in (root / "requirements.txt").read_text()
    for verb in ("sync", "freeze"):
        assert run(verb, "--check", cwd=root).code == 0
    (root / "limits.txt").write_text("alpha>=2\n")
    assert run("sync", "--check", cwd=root).code == 1
    assert run("sync", cwd=root).code == 0
    assert versions_in(root)["alpha"] == "2.0"


@pytest.mark.parametrize("way", WAYS)
def test_a_fresh_lock_is_stale_once_one_forbids_a_pin(
    root: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("freeze", cwd=root).code == 0
    configure(root, way, monkeypatch)
    ran = run("freeze", "--check", "--format", "json", cwd=root)
    assert ran.code == 1
    [problem] = ran.json["problems"]
    assert (problem["path"], problem["line"]) == ("limits.txt", 1)
    assert run("freeze", cwd=root).code == 0
    assert "alpha==1.0" in (root / "requirements.txt").read_text()


def test_one_that_is_not_there_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONSTRAINT", "gone.txt")
    ran = run("freeze", cwd=root)
    assert ran.code == 2
    assert "gone.txt" in ran.stderr
