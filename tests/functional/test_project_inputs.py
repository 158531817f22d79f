"""What a local project's back end reads makes its lock and its installed copy stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import git, versions_in, write_project
from tests.support.wheels import in_tree_backend, make_wheel
from venvman.project.localproject import inputs_of, versions_of

BUILD = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
PROJECT = "[project]\nname = 'dyn'\nversion = '1.0'\ndynamic = ['dependencies']\n"

WAYS = {
    "setuptools": {
        "pyproject.toml": BUILD
        + PROJECT
        + "[tool.setuptools.dynamic]\ndependencies = {file = ['deps.txt']}\n"
    },
    "hatch": {
        "pyproject.toml": BUILD
        + PROJECT
        + "[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ['deps.txt']\n"
    },
    "setup.cfg": {
        "pyproject.toml": BUILD,
        "setup.cfg": "[metadata]\nname = dyn\n[options]\ninstall_requires = file: deps.txt\n",
    },
    "open": {
        "pyproject.toml": BUILD,
        "setup.py": "setup(name='dyn', install_requires=open('deps.txt').read().split())\n",
    },
    "read_text": {
        "pyproject.toml": BUILD,
        "setup.py": "setup(name='dyn', install_requires=(HERE / 'deps.txt').read_text().split())\n",
    },
    "cache-keys": {
        "pyproject.toml": BUILD + PROJECT + "[tool.venvman]\ncache-keys = ['dep*.txt']\n"
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_the_back_end_reads_makes_the_lock_stale(
    tmp_path: Path, index: Index, way: str
) -> None:
    for version in ("1.0", "2.0"):
        make_wheel(index.folder, "alpha", version)
    backend = in_tree_backend("dyn", "1.0").replace(
        "WHEEL = ", "METADATA += 'Requires-Dist: ' + open('deps.txt').read() + '\\n'\nWHEEL = "
    )
    lib = {f"lib/{name}": text for name, text in WAYS[way].items()}
    root = write_project(
        tmp_path / "shop",
        {
            **lib,
            "lib/backend.py": backend,
            "lib/deps.txt": "alpha<2",
            "requirements.txt": "-e ./lib",
        },
    )
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    assert versions_in(root) == {"alpha": "1.0", "dyn": "1.0"}
    (root / "lib" / "deps.txt").write_text("alpha>=2")
    assert run("freeze", "--check", cwd=root).code == 1
    assert run("sync", "--check", cwd=root).code == 1
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "2.0", "dyn": "1.0"}
    assert run("doctor", "--ignore", "VM6,VM7", cwd=root).code == 0


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (
            "[tool.setuptools.dynamic]\nversion = {attr = 'pkg.about.__version__'}",
            "src/pkg/about.py",
        ),
        ("[tool.hatch.version]\npath = 'pkg/__about__.py'", "pkg/__about__.py"),
        ("[tool.pdm.version]\nsource = 'file'\npath = 'pkg/v.py'", "pkg/v.py"),
        ("[tool.flit.module]\nname = 'pkg'", "pkg/__init__.py"),
        (
            "build-system.requires = ['flit_core']\nproject = {name='a-b', dynamic=['version']}",
            "a_b.py",
        ),
    ],
)
def test_the_file_that_a_version_comes_from_is_an_input(
    tmp_path: Path, table: str, name: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    assert name in inputs_of(tmp_path)


def test_commits_and_tags_count_where_the_version_comes_from_git(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.setuptools_scm]\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    seen = [versions_of(tmp_path)]
    git(tmp_path, "tag", "v1")
    seen.append(versions_of(tmp_path))
    git(tmp_path, "commit", "-qm", "two", "--allow-empty")
    seen.append(versions_of(tmp_path))
    git(tmp_path, "pack-refs", "--all")
    seen.append(versions_of(tmp_path))
    assert len(set(seen[:3])) == 3
    assert all(seen)
    (tmp_path / "pyproject.toml").write_text("")
    assert versions_of(tmp_path) == ""


def test_no_input_lies_outside_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.setuptools.dynamic]\ndependencies = {file = ['/etc/passwd', '../x.txt']}\n"
        "[tool.venvman]\ncache-keys = ['../*', '/etc/*']\n"
    )
    assert not [each for each in inputs_of(tmp_path) if each.startswith(("/", ".."))]


def test_a_project_nested_beyond_reading_is_no_defect(tmp_path: Path) -> None:
    root = write_project(tmp_path / "shop", {"requirements.in": "-e ./deep\n"})
    (root / "deep").mkdir()
    (root / "deep" / "pyproject.toml").write_text("a = " + "[" * 20_000)
    for verb in ("status", "doctor", "scan", "freeze"):
        assert "defect" not in run(verb, cwd=root).stderr
