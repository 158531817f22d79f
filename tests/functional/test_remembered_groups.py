"""What sync was told of groups is the environment's choice until it is told something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import git, versions_in, write_project
from tests.support.wheels import make_wheel

FILES = {
    "requirements.in": "alpha\n",
    "requirements-dev.in": "beta\n",
    "requirements-docs.in": "gamma\n",
    "requirements-test.in": "delta\n",
}
CHOICES = {
    "--group test": "alpha beta delta",
    "--only-group test": "delta",
    "--all-groups": "alpha beta delta gamma",
    "--no-dev": "alpha",
    "--no-group dev": "alpha",
    "--all-groups --no-group docs": "alpha beta delta",
}


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    for name in ("alpha", "beta", "gamma", "delta", "epsilon"):
        make_wheel(index.folder, name)
    return write_project(tmp_path / "shop", FILES)


def held(root: Path) -> str:
    return " ".join(sorted(versions_in(root)))


@pytest.mark.parametrize("words", CHOICES)
def test_all_commands_follow_what_sync_was_told(root: Path, words: str) -> None:
    assert run("sync", *words.split(), cwd=root).code == 0
    assert held(root) == CHOICES[words]
    for look in ("sync --check", "status", "doctor --fail-on warning", "sync --check --frozen"):
        assert run(*look.split(), cwd=root).code == 0, look
    assert run("sync", cwd=root).code == 0
    assert held(root) == CHOICES[words]


def test_the_usual_groups_come_back_when_asked_for(root: Path) -> None:
    assert run("sync", "--only-group", "test", cwd=root).code == 0
    assert run("sync", "--default-groups", cwd=root).code == 0
    assert held(root) == "alpha beta"
    assert run("sync", cwd=root).stdout.startswith("Nothing to do")
    assert held(root) == "alpha beta"


def test_another_choice_takes_the_place_of_the_last(root: Path) -> None:
    assert run("sync", "--group", "test", cwd=root).code == 0
    assert run("sync", "--group", "docs", cwd=root).code == 0
    assert held(root) == "alpha beta gamma"


@pytest.mark.slow
def test_switching_between_choices_is_no_confusion(root: Path) -> None:
    for words, expected in (*CHOICES.items(), *CHOICES.items()):
        assert run("sync", *words.split(), cwd=root).code == 0
        assert held(root) == expected
        assert run("sync", cwd=root).code == 0
        assert held(root) == expected
        assert run("sync", "--default-groups", cwd=root).code == 0
        assert run("sync", cwd=root).code == 0
        assert held(root) == "alpha beta"


@pytest.mark.parametrize("words", ["sync --check --group test", "sync --dry-run --group test"])
def test_looking_chooses_nothing(root: Path, words: str) -> None:
    assert run("sync", cwd=root).code == 0
    run(*words.split(), cwd=root)
    assert run("sync", "--check", cwd=root).code == 0


def test_what_is_added_to_a_group_stays(root: Path) -> None:
    assert run("sync", cwd=root).code == 0
    assert run("add", "--group", "test", "epsilon", cwd=root).code == 0
    assert held(root) == "alpha beta delta epsilon"
    assert run("add", "gamma", cwd=root).code == 0
    assert held(root) == "alpha beta delta epsilon gamma"
    assert run("upgrade", cwd=root).code == 0
    assert run("remove", "gamma", cwd=root).code == 0
    assert held(root) == "alpha beta delta epsilon"


def test_a_group_that_is_no_more_is_passed_over(root: Path) -> None:
    assert run("sync", "--group", "test", cwd=root).code == 0
    for name in ("requirements-test.in", "requirements-test.txt"):
        (root / name).unlink()
    assert run("sync", cwd=root).code == 0
    assert held(root) == "alpha beta"


def test_a_new_environment_in_the_place_of_the_old_has_the_same(root: Path) -> None:
    assert run("sync", "--group", "test", cwd=root).code == 0
    assert run("sync", "--recreate", cwd=root).code == 0
    assert held(root) == "alpha beta delta"
    assert run("sync", cwd=root).code == 0
    assert held(root) == "alpha beta delta"


def test_the_variable_counts_for_this_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("sync", "--group", "test", cwd=root).code == 0
    with monkeypatch.context() as once:
        once.setenv("VENVMAN_GROUPS", "docs")
        assert run("sync", cwd=root).code == 0
        assert held(root) == "gamma"
    assert run("sync", cwd=root).code == 0
    assert held(root) == "alpha beta delta"


def test_a_choice_that_came_with_a_copy_is_nobodys(root: Path, tmp_path: Path) -> None:
    import shutil

    assert run("sync", "--group", "test", cwd=root).code == 0
    shutil.copytree(root, tmp_path / "copy", symlinks=True)
    shutil.rmtree(tmp_path / "copy/venv")
    assert run("sync", cwd=tmp_path / "copy").code == 0
    kept = (root / "venv/.venvman/groups.json").read_bytes()
    (tmp_path / "copy/venv/.venvman/groups.json").write_bytes(kept)
    assert run("sync", cwd=tmp_path / "copy").code == 0
    assert held(tmp_path / "copy") == "alpha beta"


@pytest.mark.parametrize("words", ["--no-group nothing", "--default-groups --group test"])
def test_what_cannot_be_is_refused(root: Path, words: str) -> None:
    assert run("sync", *words.split(), cwd=root).code == 2
    assert not (root / "venv").exists()


def test_hooks_follow_it(root: Path) -> None:
    git(root, "init", "-q")
    assert run("sync", "--group", "test", cwd=root).code == 0
    assert run("hooks", "run", "post-checkout", "--mode", "report", cwd=root).stdout == ""
    assert run("hooks", "run", "post-checkout", "--mode", "sync", cwd=root).stdout == ""
    assert held(root) == "alpha beta delta"
