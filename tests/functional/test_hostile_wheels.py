"""A wheel owns what it brings and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import lock_of, python_in, site_of, snapshot, versions_in, write_project
from tests.support.wheels import make_wheel

MINOR = "{}.{}".format(*sys.version_info[:2])
SITE = f"lib/python{MINOR}/site-packages"

RESERVED = (
    f"data/{SITE}/aaa-1.0.dist-info/METADATA",
    f"data/lib64/python{MINOR}/site-packages/AAA-1.0.dist-info/x",
    *("purelib/aaa-1.0.dist-info/RECORD", "platlib/other.egg-info/PKG-INFO", "data/pyvenv.cfg"),
    *("data/PyVenv.CFG", "data/.venvman/journal.json", "data/.VENVMAN/attic/k/entry.json"),
    *("scripts/python", "scripts/python3", f"scripts/python{MINOR}", "scripts/pythonw"),
    *("scripts/Python3", "scripts/pip", "scripts/pip3", f"scripts/pip{MINOR}", "scripts/PIP"),
    *("scripts/activate", "scripts/activate.fish", "scripts/Activate.ps1"),
    *("data/bin/python", "data/bin/pip3", "data/bin/activate.csh", "data/BIN/python"),
)  # fmt: skip
FREE = {
    "scripts/pip-audit": "#!python\n",
    "scripts/python-argcomplete-check-easy-install-script": "#!python\n",
    "scripts/activate-global-python-argcomplete": "#!python\n",
    "scripts/pipx": "#!python\n",
    "data/share/pyvenv.cfg": "",
    "data/share/python": "",
}


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A project whose environment holds aaa."""
    aaa = make_wheel(index.folder, "aaa", files={"aaa.py": "x = 1\n"})
    made = write_project(
        tmp_path / "shop", {"requirements.txt": "aaa\n", "requirements.lock": lock_of(aaa)}
    )
    assert run("sync", cwd=made).code == 0
    return made


def ask_for(root: Path, *wheels: Path) -> None:
    lines = "".join(f"{wheel.name.split('-')[0]}\n" for wheel in wheels)
    (root / "requirements.txt").write_text(lines)
    (root / "requirements.lock").write_text(lock_of(*wheels))


def refused(root: Path, index: Index, said: str, files: Mapping[str, str], **rest: object) -> None:
    evil = make_wheel(index.folder, "evil", files=files, **rest)  # type: ignore[arg-type]
    before = snapshot(root / "venv")
    ask_for(root, next(index.folder.glob("aaa-*.whl")), evil)
    ran = run("sync", cwd=root)
    assert ran.code == 2, ran.stdout
    assert "wheel-target-reserved" in ran.stderr
    assert said in "".join(ran.stderr.replace("│", "").split())
    assert snapshot(root / "venv") == before


@pytest.mark.parametrize("target", RESERVED)
def test_a_wheel_that_brings_a_reserved_file_is_refused_and_nothing_is_touched(
    root: Path, index: Index, target: str
) -> None:
    refused(root, index, target.rpartition("/")[2], {f"evil-1.0.data/{target}": "evil\n"})


@pytest.mark.parametrize("name", ["python", "python3", f"python{MINOR}", "activate", "pip", "Pip3"])
def test_so_is_one_that_declares_it_as_a_script(root: Path, index: Index, name: str) -> None:
    refused(root, index, f"bin/{name}", {"evil.py": ""}, scripts={name: "evil:main"})


def test_names_that_only_resemble_them_are_free(root: Path, index: Index) -> None:
    files = {f"evil-1.0.data/{path}": text for path, text in FREE.items()}
    evil = make_wheel(index.folder, "evil", files=files, scripts={"pip-sync": "evil:main"})
    ask_for(root, next(index.folder.glob("aaa-*.whl")), evil)
    assert run("sync", cwd=root).code == 0
    assert os.access(root / "venv/bin/pip-audit", os.X_OK)
    assert run("sync", "--check", cwd=root).code == 0


def test_a_file_of_two_is_told_of_and_comes_back_when_the_other_leaves(
    root: Path, index: Index
) -> None:
    aaa = next(index.folder.glob("aaa-*.whl"))
    evil = make_wheel(index.folder, "evil", files={"aaa.py": "x = 6\n", "evil.py": ""})
    ask_for(root, aaa, evil)
    ran = run("sync", cwd=root)
    assert ran.code == 0
    assert "aaa and evil both bring" in " ".join(ran.stderr.split())
    assert python_in(root, "import aaa; print(aaa.x)") == "6"

    ask_for(root, aaa)
    plan = run("sync", "--dry-run", cwd=root).stdout
    assert "aaa.py was overwritten by what leaves" in " ".join(plan.split())
    assert run("sync", "--yes", cwd=root).code == 0
    assert versions_in(root) == {"aaa": "1.0"}
    assert python_in(root, "import aaa; print(aaa.x)") == "1"
    assert run("doctor", "--verify", "--select", "VM4,VM5", cwd=root).code == 0
    assert run("sync", "--check", cwd=root).code == 0


def test_two_new_wheels_with_one_file_are_told_of_too(root: Path, index: Index) -> None:
    first = make_wheel(index.folder, "first", files={"common.py": "1"})
    second = make_wheel(index.folder, "second", files={"common.py": "2"})
    ask_for(root, next(index.folder.glob("aaa-*.whl")), first, second)
    assert "first and second both bring" in " ".join(run("sync", cwd=root).stderr.split())
    assert (site_of(root) / "common.py").read_text() == "2"
