"""This repository itself: what it is developed with is frozen, and its sdist is what git tracks."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.support.cli import run

ROOT = Path(__file__).parents[2]
MADE = shutil.ignore_patterns(
    ".git", ".venv", "venv", "build", "dist", "site", ".*_cache", "__pycache__"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of this repository, or of an unpacked sdist, as a repository of their own."""
    root = tmp_path / "clone"
    shutil.copytree(ROOT, root, ignore=MADE, symlinks=True)
    (root / "PKG-INFO").unlink(missing_ok=True)
    for words in ("init -q", "add -A", "commit -q -m all"):
        subprocess.run(["git", *words.split()], cwd=root, check=True)
    return root


def tracked(root: Path) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    )
    return set(listed.stdout.split("\0")[:-1])


def test_the_lock_of_what_developing_needs_is_fresh(clone: Path) -> None:
    check = ("freeze", "--check", "--all-groups", "--offline")
    assert run(*check, cwd=clone).code == 0
    pyproject = clone / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"build>=', '"one-more",\n  "build>='))
    assert run(*check, cwd=clone).code == 1


def test_the_sdist_holds_what_git_tracks_whatever_else_lies_there(clone: Path) -> None:
    files = tracked(clone)
    environment = clone / "examples" / "web" / "venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    (clone / "tests" / "notes.txt").write_text("mine")
    (clone / "ready").touch()  # newer than all that the environment of the Makefile is made of

    subprocess.run(
        ["make", "build", "READY=ready", f"BIN={Path(sys.executable).parent}"],
        cwd=clone,
        check=True,
        capture_output=True,
    )

    (sdist,) = (clone / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert held == {*files, "PKG-INFO"}
    assert len(list((clone / "dist").glob("*.whl"))) == 1


def test_no_modules_need_each_other_in_a_circle_not_even_for_their_types() -> None:
    graph = grimp.build_graph("venvman", exclude_type_checking_imports=False)
    needs = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle
