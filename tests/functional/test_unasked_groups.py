"""A group that nobody asks for gets no lock, and never blocks one that is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import versions_in, write_project
from tests.support.wheels import make_wheel


@pytest.fixture(autouse=True)
def _wheels(index: Index) -> None:
    """alpha and beta, in two versions each."""
    for name in ("alpha", "beta"):
        for version in ("1.0", "2.0"):
            make_wheel(index.folder, name, version)


def project(root: Path, **files: str) -> Path:
    named = {name.replace("__", "-") + ".txt": text for name, text in files.items()}
    return write_project(root, {"requirements.txt": "alpha\n", **named})


def test_sync_and_freeze_make_no_lock_of_a_group_that_is_not_asked_for(tmp_path: Path) -> None:
    root = project(tmp_path / "p", requirements__docs="beta\n")
    assert run("sync", cwd=root).code == 0
    assert run("freeze", cwd=root).code == 0
    assert not (root / "requirements-docs.lock").exists()
    assert run("doctor", cwd=root).code == 0
    assert run("status", cwd=root).code == 0
    assert run("freeze", "--check", cwd=root).code == 0
    assert run("freeze", "--group", "docs", cwd=root).code == 0
    assert (root / "requirements-docs.lock").exists()


def test_freeze_of_all_groups_makes_every_lock(tmp_path: Path) -> None:
    root = project(tmp_path / "p", requirements__docs="beta\n", requirements__lint="beta\n")
    assert run("freeze", "--all-groups", cwd=root).code == 0
    assert (root / "requirements-docs.lock").exists()
    assert (root / "requirements-lint.lock").exists()


@pytest.mark.parametrize(
    "text",
    [
        "beta ===\n",  # a fault of its syntax
        "alpha==1.0\nalpha==2.0\n",  # no solution
        "beta @ git+file:///nowhere/at/all.git\n",  # nobody answers
        "https://localhost:1/x.tar.gz\n",  # nothing there, and no name
        "-r missing.txt\n",
        "nosuch\n",
    ],
)
def test_what_is_wrong_with_it_blocks_no_other_group(tmp_path: Path, text: str) -> None:
    root = project(tmp_path / "p", requirements__docs=text)
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "2.0"}
    for command in ("freeze", "status", "outdated", "tree", "why alpha", "sync --check"):
        done = run(*command.split(), cwd=root)
        assert done.code in {0, 1}, (command, done.stderr)


def test_a_fault_of_a_group_that_is_not_asked_for_is_a_warning_and_doctors_error(
    tmp_path: Path,
) -> None:
    root = project(tmp_path / "p", requirements__docs="beta ===\n")
    done = run("sync", cwd=root)
    assert (done.code, "requirements-docs.txt" in done.stderr) == (0, True)
    found = json.loads(run("doctor", "--format", "json", cwd=root).stdout)
    (finding,) = found["data"]["findings"]
    assert (finding["severity"], finding["path"]) == ("error", "requirements-docs.txt")
    asked = run("sync", "--group", "docs", cwd=root)
    assert asked.code == 2


def test_sync_leaves_the_stale_lock_of_another_group_as_it_is(tmp_path: Path) -> None:
    root = project(tmp_path / "p", requirements__docs="beta==1.0\n")
    assert run("freeze", "--all-groups", cwd=root).code == 0
    (root / "requirements-docs.txt").write_text("beta==2.0\n")
    before = (root / "requirements-docs.lock").read_text()
    assert run("sync", cwd=root).code == 0
    assert (root / "requirements-docs.lock").read_text() == before
    said = run("status", cwd=root)
    assert (said.code, "venvman freeze" in said.stdout + said.stderr) == (1, True)
    assert run("freeze", cwd=root).code == 0
    assert "beta==2.0" in (root / "requirements-docs.lock").read_text()


def test_fresh_locks_of_other_groups_are_constraints_that_give_way(tmp_path: Path) -> None:
    root = project(tmp_path / "p", requirements__docs="alpha==1.0\n")
    assert run("freeze", "--only-group", "docs", cwd=root).code == 0
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0"}
    (root / "requirements.txt").write_text("alpha>=2\n")
    assert run("sync", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "2.0"}


def test_groups_that_cannot_live_together_are_frozen_apart_and_all_pairs_are_named(
    tmp_path: Path,
) -> None:
    root = project(
        tmp_path / "p",
        requirements="alpha==2.0\n",
        requirements__build="alpha==1.0\n",
        requirements__docs="alpha<2\nbeta\n",
        requirements__lint="beta\n",
    )
    done = run("freeze", "--all-groups", cwd=root)
    assert done.code == 0
    assert 'conflicts = [["default", "build"], ["default", "docs"]]' in done.stderr
    assert "alpha==1.0" in (root / "requirements-docs.lock").read_text()
    assert "alpha==2.0" in (root / "requirements.lock").read_text()
    assert run("sync", cwd=root).code == 0
    assert run("sync", "--only-group", "build", "--yes", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0"}


@pytest.mark.parametrize("declared", [False, True])
def test_such_groups_are_not_installed_at_once_and_the_fix_is_one_alone(
    tmp_path: Path, *, declared: bool
) -> None:
    root = project(tmp_path / "p", requirements="alpha==2.0\n", requirements__build="alpha==1.0\n")
    if declared:
        text = '[tool.venvman]\nconflicts = [["default", "build"]]\n'
        (root / "pyproject.toml").write_text(text)
    done = run("sync", "--group", "build", "--format", "json", cwd=root)
    assert done.code == 2
    fixes = [each["fix"] for each in done.json["problems"]]
    assert "venvman sync --only-group build" in fixes
    assert run("sync", "--only-group", "build", cwd=root).code == 0
    assert versions_in(root) == {"alpha": "1.0"}


def test_all_pairs_of_groups_that_cannot_live_together_are_told_at_once(tmp_path: Path) -> None:
    root = project(
        tmp_path / "p",
        requirements="alpha==2.0\n",
        requirements__build="alpha==1.0\n",
        requirements__lint="beta==1.0\n",
        requirements__style="beta==2.0\nalpha\n",
        requirements__test="alpha\n",
    )
    done = run("freeze", "--all-groups", cwd=root)
    assert done.code == 0, done.stderr
    assert 'conflicts = [["default", "build"], ["lint", "style"]]' in done.stderr
    assert done.stderr.count("cannot live together") == 1
    assert run("freeze", "--all-groups", "--check", cwd=root).code == 0
    for group in ("style", "test"):
        assert "alpha==2.0" in (root / f"requirements-{group}.lock").read_text()
    told = run("sync", "--group", "lint", "--group", "style", "--format", "json", cwd=root)
    assert told.code == 2


def test_groups_without_locks_that_conflict_are_not_frozen_by_a_sync_of_both(
    tmp_path: Path,
) -> None:
    root = project(tmp_path / "p", requirements__lint="beta==1.0\n", requirements__style="beta>1\n")
    told = run("sync", "--group", "lint", "--group", "style", "--format", "json", cwd=root)
    assert told.code == 2
    assert "venvman sync --only-group style" in [each["fix"] for each in told.json["problems"]]
    assert not (root / "requirements-lint.lock").exists()
    assert run("sync", "--only-group", "style", cwd=root).code == 0
