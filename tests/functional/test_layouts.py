"""The first ``sync``, and the second, in projects laid out as people lay them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import HEADER, snapshot, versions_in, write_project
from tests.support.wheels import in_tree_backend, make_wheel, sha256_of

TOOLS = {"pip", "setuptools", "wheel"}


@pytest.fixture
def wheels(index: Index) -> Mapping[str, Path]:
    """``web 1.0`` needs ``parts``; ``check`` is for developers. Of parts there is a newer one."""
    made = {
        "web": make_wheel(index.folder, "web", requires=["parts"]),
        "parts": make_wheel(index.folder, "parts"),
        "check": make_wheel(index.folder, "check"),
        "serve": make_wheel(index.folder, "serve"),
    }
    make_wheel(index.folder, "parts", "2.0")
    return made


def sync(root: Path, *words: str) -> Any:
    ran = run("sync", *words, "--format", "json", cwd=root)
    assert ran.code == 0, ran.stdout
    return ran.json


def installed(root: Path) -> dict[str, str]:
    return {name: each for name, each in versions_in(root).items() if name not in TOOLS}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """``files`` as they lie there (``{wheels}`` are locks of them), what the first sync writes.

    ``installs`` are names and versions.
    """

    files: Mapping[str, str]
    writes: frozenset[str]
    installs: Mapping[str, str]
    words: tuple[str, ...] = ()
    says: frozenset[str] = field(default_factory=frozenset)


_NEW = {"web": "1.0", "parts": "2.0"}
_BACKEND = in_tree_backend("shop", "1.0", ["web"])
_BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
_EXTRA = '[project.optional-dependencies]\ntest = ["check"]\n'
_PROJECT = '[project]\nname = "shop"\nversion = "1.0"\ndependencies = ["web"]\n'

LAYOUTS = {
    "a pip freeze file": Layout(
        files={"requirements.txt": "parts==1.0\nweb==1.0\n"},
        writes=frozenset({"requirements.lock"}),
        installs={"web": "1.0", "parts": "1.0"},
    ),
    "a file without pins": Layout(
        files={"requirements.txt": "web\n"}, writes=frozenset({"requirements.lock"}), installs=_NEW
    ),
    "pip-tools": Layout(
        files={
            "requirements.in": "web\n",
            "requirements.txt": "{web parts}",
            "dev.in": "-c requirements.txt\ncheck\n",
            "dev.txt": "{check}",
        },
        writes=frozenset(),
        installs={"web": "1.0", "parts": "1.0", "check": "1.0"},
    ),
    "a folder of base, dev and prod": Layout(
        files={
            "requirements/base.txt": "web\n",
            "requirements/dev.txt": "-r base.txt\ncheck\n",
            "requirements/prod.txt": "-r base.txt\nserve\n",
        },
        writes=frozenset({"requirements/base.lock", "requirements/dev.lock"}),
        installs={**_NEW, "check": "1.0"},
    ),
    "requirements with constraints": Layout(
        files={"requirements.txt": "-c constraints.txt\nweb\n", "constraints.txt": "parts<2\n"},
        writes=frozenset({"requirements.lock"}),
        installs={"web": "1.0", "parts": "1.0"},
    ),
    "the project itself": Layout(
        files={
            "requirements.txt": "-e .\n",
            "pyproject.toml": _PROJECT + _BUILD,
            "backend.py": _BACKEND,
        },
        writes=frozenset({"requirements.lock"}),
        installs={**_NEW, "shop": "1.0"},
    ),
    "the project itself with an extra": Layout(
        files={
            "requirements.txt": "-e .[test]\n",
            "pyproject.toml": _PROJECT + _EXTRA + _BUILD,
            "backend.py": in_tree_backend("shop", "1.0", ["web"], {"test": ["check"]}),
        },
        writes=frozenset({"requirements.lock"}),
        installs={**_NEW, "shop": "1.0", "check": "1.0"},
    ),
    "an image that has the lock alone": Layout(
        files={"requirements.txt": "{web parts}"},
        writes=frozenset(),
        installs={"web": "1.0", "parts": "1.0"},
        words=("--frozen", "--no-dev"),
    ),
    "a requirements file beside a pyproject.toml": Layout(
        files={"requirements.txt": "serve\n", "pyproject.toml": _PROJECT},
        writes=frozenset({"requirements.lock"}),
        installs={"serve": "1.0"},
        says=frozenset({"pyproject-passed-over"}),
    ),
}

_DECLARED = frozenset({"requirements.txt", "requirements-dev.txt"})
_GROUPS = '[dependency-groups]\ndev = ["check"]\n'
SHAPES = {
    "uv": Layout(
        files={
            "pyproject.toml": _PROJECT + _GROUPS + "[tool.uv]\npackage = false\n",
            "uv.lock": "version = 1\n",
        },
        writes=_DECLARED,
        installs={**_NEW, "check": "1.0"},
    ),
    "pdm": Layout(
        files={
            "pyproject.toml": _PROJECT + _GROUPS + _BUILD + "[tool.pdm]\ndistribution = true\n",
            "backend.py": _BACKEND,
        },
        writes=_DECLARED,
        installs={**_NEW, "check": "1.0", "shop": "1.0"},
    ),
    "hatch": Layout(
        files={
            "pyproject.toml": '[project]\nname = "shop"\ndynamic = ["version"]\n'
            'dependencies = ["web"]\n' + _BUILD + '[tool.hatch.version]\npath = "backend.py"\n',
            "backend.py": _BACKEND,
        },
        writes=frozenset({"requirements.txt"}),
        installs={**_NEW, "shop": "1.0"},
    ),
    "setuptools": Layout(
        files={
            "pyproject.toml": _PROJECT
            + '[project.optional-dependencies]\ndev = ["check"]\nprod = ["serve"]\n'
            + _BUILD
            + '[tool.setuptools]\npackages = ["shop"]\n',
            "backend.py": _BACKEND,
        },
        writes=_DECLARED,
        installs={**_NEW, "check": "1.0", "shop": "1.0"},
    ),
    "poetry 2": Layout(
        files={
            "pyproject.toml": _PROJECT.replace('"web"', '"web (>=1.0,<2.0)"')
            + _GROUPS
            + _BUILD
            + '[tool.poetry]\npackages = [{ include = "shop" }]\n',
            "backend.py": _BACKEND,
        },
        writes=_DECLARED,
        installs={**_NEW, "check": "1.0", "shop": "1.0"},
    ),
    "flit": Layout(
        files={
            "pyproject.toml": '[project]\nname = "shop"\ndynamic = ["version", "description"]\n'
            'dependencies = ["web"]\n[project.optional-dependencies]\ntest = ["check"]\n' + _BUILD,
            "backend.py": _BACKEND,
        },
        writes=frozenset({"requirements.txt"}),
        installs={**_NEW, "shop": "1.0"},
    ),
}


@pytest.mark.parametrize("layout", [*LAYOUTS, *SHAPES])
def test_the_first_sync_writes_locks_loses_nothing_and_the_second_has_nothing_to_do(
    tmp_path: Path, wheels: Mapping[str, Path], layout: str
) -> None:
    laid = {**LAYOUTS, **SHAPES}[layout]
    root = write_project(
        tmp_path / "shop", {path: _filled(text, wheels) for path, text in laid.files.items()}
    )
    before = snapshot(root)

    told = sync(root, *laid.words)

    after = snapshot(root, without=["venv", "__pycache__"])
    assert {path: after.get(path) for path in before} == before
    assert after.keys() - before.keys() == laid.writes
    assert installed(root) == laid.installs
    assert {each["code"] for each in told["problems"]} == laid.says
    assert told["data"]["removed"] == []

    again = sync(root, *laid.words)

    assert (again["data"]["installed"], again["data"]["changed"]) == ([], [])
    assert again["problems"] == []
    assert snapshot(root, without=["venv", "__pycache__"]) == after
    assert run("status", cwd=root).code == 0


def test_on_ci_a_committed_lock_is_installed_and_none_is_ever_written(
    tmp_path: Path, wheels: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    root = write_project(tmp_path / "shop", {"requirements.in": "web\n"})
    refused = run("sync", "--format", "json", cwd=root)
    assert (refused.code, refused.json["problems"][0]["code"]) == (1, "lock-missing")
    assert {path.name for path in root.iterdir()} == {".git", "requirements.in"}
    lock = _filled("{web parts}", wheels)
    (root / "requirements.txt").write_text(lock)
    sync(root)
    assert installed(root) == {"web": "1.0", "parts": "1.0"}
    assert (root / "requirements.txt").read_text() == lock
    assert sync(root)["data"]["installed"] == []


def test_a_repository_of_five_is_synced_from_its_root_and_writes_below_it_only(
    tmp_path: Path, wheels: Mapping[str, Path]
) -> None:
    for number in range(5):
        write_project(tmp_path / "repo" / f"p{number}", {"requirements.txt": "web\n"})
    root = tmp_path / "repo"
    told = sync(root, "--all")
    assert len(told["data"]["projects"]) == 5
    assert {path.name for path in root.iterdir()} == {f"p{number}" for number in range(5)}
    for number in range(5):
        assert installed(root / f"p{number}") == _NEW
    assert sync(root, "--all", "--check")["status"] == "ok"


def test_why_says_of_the_project_itself_that_nothing_asks_for_it(
    tmp_path: Path, wheels: Mapping[str, Path]
) -> None:
    root = write_project(tmp_path / "shop", {"pyproject.toml": _PROJECT})
    sync(root)
    ran = run("why", "shop", "--format", "json", cwd=root)
    [problem] = ran.json["problems"]
    assert (ran.code, problem["code"]) == (2, "package-is-project")


def _filled(text: str, wheels: Mapping[str, Path]) -> str:
    if not text.startswith("{"):
        return text
    names = text.strip("{}").split()
    source = "-r dev.in" if names == ["check"] else "-r requirements.in"
    pins = (
        f"{name}==1.0 \\\n    --hash={sha256_of(wheels[name])}\n"
        f"    # via {'web' if name == 'parts' else source}\n"
        for name in sorted(names)
    )
    return HEADER + "".join(pins)
