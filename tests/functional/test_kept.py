"""What is kept is kept with what it needs: pip, setuptools, wheel, and the setting ``keep``."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import site_of, versions_in, write_project
from tests.support.wheels import make_wheel


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """alpha is locked and synced; more is installed with pip."""
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


@pytest.fixture
def whole(tmp_path: Path, index: Index) -> Path:
    """shell and packaging, which it needs, with more below, are locked and synced."""
    make_wheel(index.folder, "shell", requires=["packaging"])
    make_wheel(index.folder, "packaging", "26.4", requires=["deeper[x]"])
    make_wheel(index.folder, "deeper", extras={"x": ["deepest"]})
    make_wheel(index.folder, "deepest")
    make_wheel(index.folder, "stray")
    root = write_project(tmp_path / "shop", {"requirements.in": "shell\nstray\n"})
    assert run("sync", cwd=root).code == 0
    return root


def lose(root: Path, *names: str) -> None:
    """The pins of ``names`` are lost from the lock, as in a bad merge."""
    lock = root / "requirements.txt"
    entries = re.split(r"(?m)^(?=\S)", lock.read_text())
    lock.write_text("".join(each for each in entries if not each.startswith(names)))


def test_what_a_locked_one_needs_stays_though_the_lock_has_lost_it(whole: Path) -> None:
    before = versions_in(whole)
    lose(whole, "deepest==", "packaging==", "stray==")
    for _ in range(2):
        ran = run("sync", "--frozen", cwd=whole)
        assert ran.code == 0
        assert versions_in(whole) == {
            name: each for name, each in before.items() if name != "stray"
        }
        said = " ".join(ran.stderr.split())
        assert "packaging 26.4 stays though no lock names it: shell needs it." in said
        assert "deepest 1.0 stays though no lock names it: deeper needs it." in said
    assert run("freeze", cwd=whole).code == 0
    again = run("sync", "--frozen", cwd=whole)
    assert (again.code, "stays" in again.stderr) == (0, False)
    assert versions_in(whole) == before


def test_what_is_overridden_nobody_locked_needs(whole: Path) -> None:
    lose(whole, "deepest==")
    (whole / "pyproject.toml").write_text(
        "[tool.venvman]\noverrides = [\"deepest; python_version < '3'\"]\n"
    )
    assert run("sync", "--frozen", cwd=whole).code == 0
    assert "deepest" not in versions_in(whole)


def test_what_leaves_while_somebody_comes_who_needs_it_is_told(whole: Path) -> None:
    lock = whole / "requirements.txt"
    entire = lock.read_text()
    lose(whole, "shell==")
    assert run("sync", "--frozen", cwd=whole).code == 0
    lock.write_text(entire)
    lose(whole, "packaging==")
    ran = run("sync", "--frozen", cwd=whole)
    said = " ".join(ran.stderr.split())
    assert "packaging, which no lock names, was removed, but shell needs it." in said


def test_the_way_back_to_a_lock_that_lost_a_pin_removes_nothing_needed(whole: Path) -> None:
    lock = whole / "requirements.txt"
    entire = lock.read_text()
    lose(whole, "packaging==")
    shutil.rmtree(whole / "venv")
    assert run("sync", "--frozen", cwd=whole).code == 0
    assert "packaging" not in versions_in(whole)
    lost = lock.read_text()
    lock.write_text(entire)
    assert run("sync", "--frozen", cwd=whole).code == 0
    lock.write_text(lost)
    ran = run("sync", "--frozen", cwd=whole)
    assert "packaging" in versions_in(whole)
    assert "packaging 26.4 stays" in " ".join(ran.stderr.split())


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_text("broken = True\n")])
def test_a_package_whose_files_are_not_its_own_is_installed_again_by_name(
    whole: Path, spoil: Callable[[Path], object]
) -> None:
    file = site_of(whole) / "shell.py"
    spoil(file)
    (told,) = run("doctor", "--select", "VM5", "--format", "json", cwd=whole).json["data"][
        "findings"
    ]
    assert told["fix"] == "venvman sync --reinstall shell"
    ran = run("sync", "--reinstall", "Shell", "--format", "json", cwd=whole)
    assert [each["name"] for each in ran.json["data"]["changed"]] == ["shell"]
    assert run("doctor", "--select", "VM5", "--verify", cwd=whole).code == 0
    assert run("sync", "--check", cwd=whole).code == 0


def test_only_what_is_locked_can_be_installed_again(whole: Path) -> None:
    ran = run("sync", "--reinstall", "nosuch", "--format", "json", cwd=whole)
    assert (ran.code, ran.json["problems"][0]["code"]) == (2, "package-not-locked")
