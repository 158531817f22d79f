"""What is kept is kept with what it needs: pip, setuptools, wheel, and the setting ``keep``."""

from __future__ import annotations

import subprocess
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
    """alpha is locked and synced; more is installed with pip."""
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    make_wheel(index.folder, "alpha")
    make_wheel(index.folder, "wheel", "0.48.0", requires=["packaging"])
    make_wheel(index.folder, "packaging", "26.4", requires=["deeper[x]"])
    make_wheel(index.folder, "deeper", extras={"x": ["deepest"]})
    make_wheel(index.folder, "deepest")
    make_wheel(index.folder, "stray")
    make_wheel(index.folder, "shell", requires=["packaging"])
    root = write_project(tmp_path / "shop", {"requirements.in": "alpha\n"})
    assert run("sync", cwd=root).code == 0
    return root


def install(root: Path, *names: str) -> None:
    subprocess.run([root / "venv/bin/python", "-m", "pip", "install", "-q", *names], check=True)


@pytest.mark.parametrize("kept", ["wheel", "shell"])
def test_what_is_kept_stays_with_all_that_it_needs(root: Path, kept: str) -> None:
    if kept == "shell":
        (root / "pyproject.toml").write_text("[tool.venvman]\nkeep = ['shell']\n")
    install(root, kept)
    before = versions_in(root)
    assert before.keys() == {"alpha", kept, "packaging", "deeper", "deepest"}
    for verb in (("doctor", "--ignore", "VM6,VM7"), ("status",), ("sync", "--check"), ("sync",)):
        ran = run(*verb, cwd=root)
        assert ran.code == 0, ran.stdout
    assert versions_in(root) == before


def test_what_nothing_kept_needs_leaves_all_the_same(root: Path) -> None:
    install(root, "wheel", "stray", "shell")
    assert run("sync", "--yes", cwd=root).code == 0
    assert versions_in(root).keys() == {"alpha", "wheel", "packaging", "deeper", "deepest"}
