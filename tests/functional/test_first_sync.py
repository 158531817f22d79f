"""The first ``sync`` in a place that venvman did not make: nothing is lost, little moves."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run, run_on_terminal
from tests.support.index import Index
from tests.support.projects import git, lock_of, site_of, snapshot, versions_in, write_project
from tests.support.wheels import make_wheel


@pytest.fixture(scope="module")
def by_pip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Wheels, and the site-packages into which pip has installed the older ones."""
    folder = tmp_path_factory.mktemp("by-pip")
    old = [
        make_wheel(folder / "wheels", "web", "1.4", requires=["parts"]),
        make_wheel(folder / "wheels", "parts", "1.9"),
        make_wheel(folder / "wheels", "tool", "0.3", files={"tool.py": "print('a tool')\n"}),
    ]
    make_wheel(folder / "wheels", "web", "2.0", requires=["parts"])
    make_wheel(folder / "wheels", "parts", "3.0")
    venv.create(folder / "venv", symlinks=True)
    python = str(folder / "venv" / "bin" / "python")
    words = (sys.executable, "-m", "pip", "--python", python, "install", "--no-index")
    subprocess.run((*words, *map(str, old)), check=True, capture_output=True)
    return folder / "wheels", site_of(folder)


@pytest.fixture
def root(by_pip: tuple[Path, Path], tmp_path: Path, index: Index) -> Path:
    """A project whose environment somebody made with pip; the index has newer versions by now."""
    wheels, site = by_pip
    shutil.copytree(wheels, index.folder, dirs_exist_ok=True)
    root = write_project(tmp_path / "shop", {"requirements.txt": "web\n"})
    venv.create(root / "venv", symlinks=True)
    shutil.copytree(site, site_of(root), dirs_exist_ok=True)
    return root


AS_FOUND = {"parts": "1.9", "tool": "0.3", "web": "1.4"}


def sync(root: Path, *arguments: str, code: int = 0) -> Any:
    ran = run("sync", *arguments, "--format", "json", cwd=root)
    assert ran.code == code, ran.stdout
    return ran.json


def without_tools(root: Path) -> dict[str, str]:
    found = versions_in(root)
    return {name: found[name] for name in found if name not in {"pip", "setuptools"}}


class TestAnEnvironmentThatSomebodyElseMade:
    def test_the_first_freeze_keeps_what_is_installed(self, root: Path) -> None:
        sync(root, "--inexact")
        assert without_tools(root) == AS_FOUND

    def test_a_requirement_moves_what_it_has_to(self, root: Path) -> None:
        (root / "requirements.txt").write_text("web>=2\n")
        sync(root, "--inexact", "--yes")
        assert without_tools(root) == AS_FOUND | {"web": "2.0"}

    def test_once_it_is_kept_by_venvman_a_new_lock_is_the_newest(self, root: Path) -> None:
        sync(root, "--yes")
        (root / "requirements.lock").unlink()
        sync(root)
        assert without_tools(root) == {"parts": "3.0", "web": "2.0"}

    def test_a_major_move_and_a_removal_are_asked_about(self, root: Path, index: Index) -> None:
        wheel = index.folder / "web-2.0-py3-none-any.whl"
        parts = index.folder / "parts-1.9-py3-none-any.whl"
        (root / "requirements.lock").write_text(lock_of(wheel, parts))
        refused = sync(root, code=2)["problems"][0]
        assert refused["code"] == "sync-adopts"
        assert "move web 1.4 to 2.0" in refused["message"]
        assert "remove tool" in refused["message"]
        assert without_tools(root) == AS_FOUND
        assert "move web 1.4 to 2.0" in sync(root, "--inexact", code=2)["problems"][0]["message"]
        sync(root, "--yes")
        assert without_tools(root) == {"parts": "1.9", "web": "2.0"}

    def test_as_found_is_state_1_and_comes_back_byte_by_byte(self, root: Path) -> None:
        before = snapshot(site_of(root))
        sync(root, "--yes")
        assert "tool" not in versions_in(root)
        history = run("history", "--format", "json", cwd=root).json["data"]["states"]
        ran = run("rollback", "--format", "json", cwd=root)
        assert [(each["number"], each["by"]) for each in history] == [(0, "sync"), (1, "found")]
        assert (ran.code, ran.json["problems"]) == (0, [])
        assert snapshot(site_of(root)) == before

    def test_what_was_edited_in_the_attic_is_not_brought_back(self, root: Path) -> None:
        sync(root, "--yes")
        kept = (root / "venv" / ".venvman" / "attic").glob("tool-*/**/*")
        [module] = [each for each in kept if each.is_file() and each.read_bytes()[:5] == b"print"]
        module.write_bytes(b"print('A TOOL')\n")
        ran = run("rollback", "--format", "json", cwd=root)
        assert [each["code"] for each in ran.json["problems"]] == ["rollback-by-hand"]
        assert "tool" not in versions_in(root)

    def test_a_second_sync_finds_nothing_to_do(self, root: Path) -> None:
        sync(root, "--yes")
        assert sync(root, "--check")["status"] == "ok"


def test_a_python_version_that_names_another_implementation_is_said_to_be_passed_over(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "web")
    root = write_project(
        tmp_path / "shop", {"requirements.txt": "web\n", ".python-version": "pypy3.10-7.3.12\n"}
    )
    told = [each for each in sync(root)["problems"] if each["code"] == "python-passed-over"]
    assert [(each["path"], each["line"]) for each in told] == [(".python-version", 1)]
    assert "pypy3.10-7.3.12 is passed over" in told[0]["message"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("shop\n", ["python-passed-over"]),
        ("# ours\nminiconda3-4.7.12\n3.99\n", ["interpreter-not-found"]),
        ("system\n", []),
        ("3.99.1/envs/shop\n", ["interpreter-not-found"]),
    ],
)
def test_a_python_version_that_names_none_is_told(
    text: str, told: list[str], tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    make_wheel(index.folder, "web")
    root = write_project(tmp_path / "shop", {"requirements.txt": "web\n", ".python-version": text})
    ran = run("sync", "--format", "json", cwd=root)
    assert [each["code"] for each in ran.json["problems"]][-1:] == told


def test_a_python_version_that_the_project_does_not_allow_is_warned_of(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    make_wheel(index.folder, "web")
    files = {
        "requirements.txt": "web\n",
        ".python-version": "{}.{}\n".format(*sys.version_info),
        "pyproject.toml": '[project]\nname = "x"\nrequires-python = "<3"\n',
    }
    root = write_project(tmp_path / "shop", files)
    told = [each for each in sync(root)["problems"] if each["code"] == "python-not-allowed"]
    assert [(each["path"], each["line"]) for each in told] == [(".python-version", 1)]


class TestWhatIsNotAgreedOn:
    """Nothing has changed where a command refuses, the locks no more than the environment."""

    @pytest.mark.parametrize("words", ["", "-U", "-P web", "--reinstall"])
    def test_no_lock_is_written(self, root: Path, words: str) -> None:
        (root / "requirements.txt").write_text("web>=2\n")
        before = {path.name for path in root.iterdir()}
        refused = sync(root, *words.split(), code=2)["problems"][0]
        assert refused["code"] == "sync-adopts"
        assert "web 1.4 to 2.0" in refused["message"]
        assert {path.name for path in root.iterdir()} == before
        assert without_tools(root) == AS_FOUND
        sync(root, *words.split(), "--yes")
        assert without_tools(root)["web"] == "2.0"

    def test_nor_an_empty_one(self, root: Path) -> None:
        sync(root, "--yes")
        before = (root / "requirements.lock").read_bytes()
        (root / "requirements.txt").write_text("# nothing\n")
        assert sync(root, code=2)["problems"][0]["code"] == "sync-removes-all"
        assert (root / "requirements.lock").read_bytes() == before

    def test_what_is_agreed_on_is_asked_about_once(self, root: Path) -> None:
        (root / "requirements.txt").write_text("web>=2\n")
        said = run_on_terminal("sync", cwd=root, typed="y\n").stdout
        assert said.count("[y/N]") == 1
        assert without_tools(root)["web"] == "2.0"


class TestWhatGitSeesOfIt:
    """An environment that venvman makes ignores itself; so does one that it takes over."""

    @pytest.fixture
    def repository(self, root: Path) -> Path:
        (root / ".git").rmdir()
        git(root, "init", "-q")
        return root

    def test_git_lists_it_no_more(self, repository: Path) -> None:
        assert "?? venv/" in git(repository, "status", "--porcelain")
        sync(repository, "--yes")
        assert "venv" not in git(repository, "status", "--porcelain")
        assert (repository / "venv/.gitignore").read_text() == "*\n"

    def test_what_git_tracks_gets_no_file(self, repository: Path) -> None:
        git(repository, "add", "-f", "venv/pyvenv.cfg")
        sync(repository, "--yes")
        assert not (repository / "venv/.gitignore").exists()

    def test_nor_does_what_the_project_ignores(self, repository: Path) -> None:
        (repository / ".gitignore").write_text("/venv\n")
        sync(repository, "--yes")
        assert not (repository / "venv/.gitignore").exists()

    def test_nor_what_may_not_be_changed_yet(self, repository: Path) -> None:
        sync(repository, code=2)
        assert not (repository / "venv/.gitignore").exists()


def test_a_named_package_that_stays_where_it_is_is_told_with_what_holds_it(root: Path) -> None:
    (root / "requirements.txt").write_text("web\nparts<2\n")
    sync(root, "--yes")
    told = sync(root, "-P", "parts")["problems"]
    assert [(each["code"], each["severity"]) for each in told] == [("package-stays", "note")]
    assert told[0]["message"] == "parts stays at 1.9."
    assert "There is 3.0, but requirements.txt:2 asks for <2." in told[0]["why"]


@pytest.mark.parametrize(
    "words",
    ["sync", "sync --check", "freeze", "freeze --check", "freeze --dry-run", "upgrade --dry-run"],
)
def test_it_is_told_once_on_a_screen_whether_or_not_another_one_moves(
    root: Path, words: str
) -> None:
    (root / "requirements.txt").write_text("web\nparts<2\n")
    sync(root, "--yes")
    for names in (("parts",), ("parts", "web")):
        named = names if "upgrade" in words else [word for name in names for word in ("-P", name)]
        ran = run(*words.split(), *named, cwd=root)
        told = ran.stdout + ran.stderr
        assert told.count("parts stays at 1.9.") == 1
        assert ("web" in told) == ("web" in names)
        assert "is stale" not in told
        assert "not looked up" not in told
