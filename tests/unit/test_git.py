from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from venvman.errors import GitError
from venvman.git import git, try_git, without_repository

if TYPE_CHECKING:
    from pathlib import Path


def fake_git(folder: Path, script: str) -> dict[str, str]:
    """The environment in which ``git`` is a shell script."""
    path = folder / "git"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def test_what_git_prints_is_returned(tmp_path: Path) -> None:
    git("init", "-q", cwd=tmp_path, variables=os.environ)
    answer = git("rev-parse", "--show-toplevel", cwd=tmp_path, variables=os.environ)
    assert tmp_path.samefile(answer.strip())


def test_a_failing_command_says_what_git_said(tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        git("-C", str(tmp_path), "rev-parse", "HEAD", variables=os.environ)
    assert caught.value.code == "git-failed"
    assert caught.value.message == "`git rev-parse HEAD` failed with exit code 128."
    assert "not a git repository" in (caught.value.why or "")


def test_a_failure_can_be_an_answer(tmp_path: Path) -> None:
    assert not try_git("rev-parse", "HEAD", cwd=tmp_path, variables=os.environ).ok


def test_a_password_is_not_repeated_in_an_error(tmp_path: Path) -> None:
    variables = fake_git(tmp_path, 'echo "cannot reach https://me:s3cret@host/a" >&2; exit 1')
    with pytest.raises(GitError) as caught:
        git("fetch", "https://me:s3cret@host/a", variables=variables)
    assert "s3cret" not in caught.value.message + str(caught.value.why)


def test_git_never_asks_on_the_terminal(tmp_path: Path) -> None:
    variables = fake_git(tmp_path, 'echo "$GIT_TERMINAL_PROMPT"')
    assert git("anything", variables=variables) == "0\n"


def test_a_missing_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError) as caught:
        git("status", variables={"PATH": str(tmp_path)})
    assert caught.value.code == "git-missing"
    assert str(caught.value.fix) == "Install git."


def test_a_missing_working_directory_is_not_a_missing_git(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is not a folder"):
        git("status", cwd=tmp_path / "gone", variables=os.environ)


def test_variables_of_a_running_hook_do_not_reach_another_repository() -> None:
    hook = {"GIT_DIR": ".git", "GIT_INDEX_FILE": "i"}
    kept = {"PATH": "/bin", "GIT_SSH_COMMAND": "ssh", "GIT_CONFIG_COUNT": "1"}
    assert without_repository({**hook, **kept}) == kept
