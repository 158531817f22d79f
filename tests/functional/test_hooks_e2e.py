"""The hooks in a real git repository: two branches whose locks differ, worktrees, commits."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import git, lock_of, snapshot, versions_in
from tests.support.wheels import make_wheel
from venvman.githooks.script import HookMode, HookName
from venvman.model.events import Reporter
from venvman.workflow import hooking


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """On ``main`` the lock pins alpha 1.0, on ``next`` alpha 2.0; the environment is main's."""
    wheels = [make_wheel(index.folder, "alpha", version) for version in ("1.0", "2.0")]
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q")
    (root / ".gitignore").write_text("venv\n")
    (root / "requirements.txt").write_text("alpha\n")
    for branch, wheel in zip(("main", "next"), wheels, strict=True):
        if branch != "main":
            git(root, "checkout", "-q", "-b", branch)
        (root / "requirements.lock").write_text(lock_of(wheel))
        git(root, "add", ".")
        git(root, "commit", "-qm", branch)
    git(root, "checkout", "-q", "main")
    assert run("sync", "-q", cwd=root).code == 0
    return root


def install(root: Path, *flags: str) -> None:
    ran = run("hooks", "install", *flags, cwd=root)
    assert ran.code == 0, ran.stderr


def told(said: str) -> list[str]:
    """What venvman said among git's own lines."""
    return [line for line in said.splitlines() if line.startswith("venvman: ")]


class TestReporting:
    def test_checkout_tells_drift_in_one_line_with_the_cure(self, root: Path) -> None:
        install(root)
        (line,) = told(git(root, "checkout", "next"))
        assert "1 package in venv" in line
        assert "'venvman sync'" in line
        assert versions_in(root) == {"alpha": "1.0"}

    def test_coming_back_there_is_nothing_to_tell(self, root: Path) -> None:
        install(root)
        git(root, "checkout", "-q", "next")
        assert told(git(root, "checkout", "main")) == []

    def test_a_branch_with_the_same_lock_does_not_even_start_python(self, root: Path) -> None:
        install(root)
        hook = root / ".git" / "hooks" / "post-checkout"
        hook.write_text(hook.read_text().replace("hooks run", "no-such-command"))
        assert told(git(root, "checkout", "-b", "other")) == []
        assert "no-such-command" in git(root, "checkout", "next")

    def test_a_single_file_checked_out_is_not_a_change_of_branch(self, root: Path) -> None:
        install(root)
        assert told(git(root, "checkout", "next", "--", "requirements.lock")) == []

    def test_merge_tells_drift(self, root: Path) -> None:
        install(root)
        assert len(told(git(root, "merge", "next"))) == 1

    def test_rebase_tells_drift_once(self, root: Path) -> None:
        git(root, "checkout", "-q", "-b", "mine")
        (root / "README").write_text("mine\n")
        git(root, "add", ".")
        git(root, "commit", "-qm", "mine")
        install(root)
        assert len(told(git(root, "rebase", "next"))) == 1

    def test_a_missing_environment_is_called_missing(self, root: Path) -> None:
        install(root)
        run("clean", cwd=root)
        (line,) = told(git(root, "checkout", "next"))
        assert "there is no venv" in line

    def test_a_moved_environment_is_told_with_what_fixes_it(self, root: Path) -> None:
        install(root)
        moved = root.rename(root.with_name("moved"))
        (line,) = told(git(moved, "checkout", "next"))
        assert "venv is broken: It was made at" in line
        assert "'venvman sync --recreate'" in line

    def test_a_lock_that_cannot_be_read_is_told_and_git_goes_on(self, root: Path) -> None:
        git(root, "checkout", "-q", "next")
        (root / "requirements.lock").write_text("alpha == \n")
        git(root, "commit", "-qam", "broken")
        git(root, "checkout", "-q", "main")
        install(root)
        (line,) = told(git(root, "checkout", "next"))
        assert "requirements.lock:1" in line

    def test_a_branch_without_the_project_is_nobodys_business(self, root: Path) -> None:
        git(root, "checkout", "-q", "--orphan", "pages")
        git(root, "rm", "-qf", "requirements.txt", "requirements.lock")
        git(root, "commit", "-qm", "pages")
        git(root, "checkout", "-q", "main")
        install(root)
        assert told(git(root, "checkout", "pages")) == []

    def test_it_can_be_silenced(self, root: Path) -> None:
        install(root)
        said = git(root, "checkout", "next", env={**os.environ, "VENVMAN_HOOKS": "0"})
        assert told(said) == []


class TestRepairing:
    def test_off_a_terminal_there_is_one_line(self, root: Path) -> None:
        install(root, "--sync")
        said = git(root, "checkout", "-q", "next")
        assert said.splitlines() == told(said)

    def test_the_environment_follows_there_and_back(self, root: Path) -> None:
        install(root, "--sync")
        (line,) = told(git(root, "checkout", "next"))
        there = versions_in(root)
        git(root, "checkout", "main")
        assert "follows" in line
        assert there == {"alpha": "2.0"}
        assert versions_in(root) == {"alpha": "1.0"}

    @pytest.mark.slow
    def test_ten_times_there_and_back_each_branch_has_its_files(self, root: Path) -> None:
        install(root, "--sync")
        found: dict[str, list[object]] = {"next": [], "main": []}
        for branch in (*found, *found) * 10:
            git(root, "checkout", "-q", branch)
            site = next((root / "venv").glob("lib/*/site-packages"))
            found[branch].append(snapshot(site))
        for states in found.values():
            assert [state for state in states if state != states[0]] == []

    def test_no_tracked_file_is_ever_changed(self, root: Path) -> None:
        git(root, "checkout", "-q", "next")
        (root / "requirements.txt").write_text("alpha>=3\n")
        git(root, "commit", "-qam", "stale")
        git(root, "checkout", "-q", "main")
        install(root, "--sync")
        git(root, "checkout", "next")
        assert git(root, "status", "--porcelain") == ""
        assert versions_in(root) == {"alpha": "2.0"}

    def test_what_fails_is_one_line_and_git_succeeds(self, root: Path, index: Index) -> None:
        install(root, "--sync")
        (index.folder / "alpha-2.0-py3-none-any.whl").unlink()
        before = snapshot(root / "venv")
        (line,) = told(git(root, "checkout", "next"))
        assert "alpha-2.0-py3-none-any.whl" in line
        assert snapshot(root / "venv") == before

    def test_an_index_that_is_not_there_is_left_to_a_sync_that_waits_longer(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        install(root, "--sync")
        monkeypatch.setenv("VENVMAN_CACHE_DIR", str(tmp_path / "empty"))
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        (line,) = told(git(root, "checkout", "-q", "next"))
        assert line.endswith("`venvman sync` waits longer.")

    def test_a_worktree_has_an_environment_of_its_own(self, root: Path) -> None:
        install(root, "--sync")
        tree = root.parent / "tree"
        git(root, "worktree", "add", str(tree), "next")
        assert versions_in(tree) == {"alpha": "2.0"}
        assert versions_in(root) == {"alpha": "1.0"}

    def test_an_index_is_not_waited_for_as_long_as_installing_would(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given: dict[str, str] = {}

        def follow(_project: str, _mode: object, _top: Path, opened: partial[object]) -> None:
            given.update(opened.keywords["variables"])

        monkeypatch.setattr(hooking, "_follow", follow)
        hooking.run_hook(
            HookName.POST_CHECKOUT,
            mode=HookMode.SYNC,
            projects=["."],
            variables={"PIP_DEFAULT_TIMEOUT": "180", "PIP_RETRIES": "5"},
            top=root,
            reporter=Reporter(),
        )

        assert given == {"PIP_DEFAULT_TIMEOUT": "3", "PIP_RETRIES": "0"}


class TestCommitting:
    @pytest.fixture(autouse=True)
    def installed(self, root: Path) -> None:
        install(root)

    def test_a_stale_staged_lock_is_refused_with_the_line_that_makes_it_so(
        self, root: Path
    ) -> None:
        (root / "requirements.txt").write_text("alpha>=2\n")
        said = refused(root, "commit", "-qam", "newer")
        (line,) = told(said)
        assert "requirements.txt:1" in line
        assert "venvman freeze" in line

    def test_a_fresh_one_is_accepted(self, root: Path, index: Index) -> None:
        (root / "requirements.txt").write_text("alpha>=2\n")
        (root / "requirements.lock").write_text(
            lock_of(index.folder / "alpha-2.0-py3-none-any.whl")
        )
        assert told(git(root, "commit", "-am", "newer")) == []

    def test_what_is_staged_counts_and_not_the_work_tree(self, root: Path, index: Index) -> None:
        (root / "requirements.txt").write_text("alpha>=2\n")
        git(root, "add", "requirements.txt")
        (root / "requirements.lock").write_text(
            lock_of(index.folder / "alpha-2.0-py3-none-any.whl")
        )
        refused(root, "commit", "-qm", "forgot the lock")
        git(root, "commit", "-qm", "both", "requirements.txt", "requirements.lock")

    def test_a_stale_work_tree_does_not_stop_other_commits(self, root: Path) -> None:
        (root / "requirements.txt").write_text("alpha>=2\n")
        (root / "README").write_text("hello\n")
        git(root, "add", "README")
        git(root, "commit", "-qm", "readme")

    def test_an_included_file_of_any_name_is_judged_too(self, root: Path, index: Index) -> None:
        (root / "requirements.txt").write_text("-r base.pip\n")
        (root / "base.pip").write_text("alpha\n")
        (root / "requirements.lock").write_text(
            lock_of(index.folder / "alpha-1.0-py3-none-any.whl", via="-r base.pip")
        )
        git(root, "add", ".")
        assert told(git(root, "commit", "-m", "included")) == []

    def test_a_lock_that_is_deleted_is_judged_too(self, root: Path) -> None:
        git(root, "rm", "-q", "requirements.lock")
        assert "no lock yet" in refused(root, "commit", "-qm", "gone")

    def test_an_interpreter_that_is_not_here_is_a_warning(self, root: Path) -> None:
        (root / ".python-version").write_text("3.99\n")
        git(root, "add", ".")
        (line,) = told(git(root, "commit", "-qm", "newer Python"))
        assert "cannot check what is staged" in line

    def test_files_outside_the_repository_are_as_they_lie_there(self, root: Path) -> None:
        (root.parent / "shared.txt").write_text("alpha\n")
        (root / "base.pip").write_text("alpha\n")
        (root / "requirements.txt").write_text("-r ../shared.txt\n-r base.pip\n")
        assert run("freeze", "-q", cwd=root).code == 0
        git(root, "add", ".")
        assert told(git(root, "commit", "-m", "shared")) == []

    def test_an_included_file_that_is_not_staged_is_named_as_it_lies_here(self, root: Path) -> None:
        (root / "base.pip").write_text("alpha\n")
        (root / "requirements.txt").write_text("-r base.pip\n")
        said = refused(root, "commit", "-qam", "forgot one")
        assert "what is staged: " in said
        assert f"({root / 'base.pip'}: No such file or directory)" in said

    def test_nothing_is_remembered_of_what_was_only_staged(
        self, root: Path, isolated: Path
    ) -> None:
        (root / "requirements.txt").write_text("alpha>=0\n")
        before = snapshot(isolated / "state")
        git(root, "commit", "-qam", "same meaning")
        assert snapshot(isolated / "state") == before


def test_a_project_that_is_gone_is_taken_off_the_list_and_a_misspelt_one_takes_none(
    root: Path,
) -> None:
    below = root / "svc"
    below.mkdir()
    (below / "requirements.txt").write_text("alpha\n")
    install(root)
    install(below)
    shutil.rmtree(below)
    assert run("hooks", "uninstall", "--project", "svx", cwd=root).code == 2
    ran = run("hooks", "uninstall", "--project", "svc", "--format", "json", cwd=root)
    assert [each["path"] for each in ran.json["data"]["projects"]] == ["."]


def refused(root: Path, *words: str) -> str:
    """What git said when it refused."""
    with pytest.raises(AssertionError) as failure:
        git(root, *words)
    return str(failure.value)
