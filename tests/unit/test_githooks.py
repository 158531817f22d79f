"""Hooks in real repositories: put in, taken out, chained, shared by worktrees, cheap."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from venvman import hookscript
from venvman.errors import GitError
from venvman.githooks import HookState, hooks_status, install_hooks, uninstall_hooks
from venvman.hookscript import HookMode, HookName, HookScript

REPORT = HookMode.REPORT


def git(folder: Path, *words: str) -> str:
    return subprocess.run(
        ("git", *words), cwd=folder, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository with space"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "requirements.in").write_text("flask\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def hook(repository: Path, name: str) -> Path:
    return repository / ".git" / "hooks" / name


def states(repository: Path) -> set[HookState]:
    return {each.state for each in hooks_status(repository, variables=os.environ).hooks}


def witness(repository: Path, name: str, *, code: int = 0) -> Path:
    """A foreign hook that writes its arguments and input to a file."""
    log = repository.parent / f"{name}.log"
    path = hook(repository, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\ncat >> "{log}"\nexit {code}\n')
    path.chmod(0o755)
    return log


def test_installing_puts_four_executable_hooks_in(repository: Path) -> None:
    report = install_hooks(repository, mode=REPORT, variables=os.environ)
    assert {each.name for each in report.hooks} == set(HookName)
    assert {each.state for each in report.hooks} == {HookState.OURS}
    assert all(os.access(each.path, os.X_OK) for each in report.hooks)
    assert all(each.projects == (".",) for each in report.hooks)


def test_uninstalling_leaves_nothing_behind(repository: Path) -> None:
    before = sorted(path.name for path in hook(repository, "x").parent.iterdir())
    install_hooks(repository, mode=REPORT, variables=os.environ)
    uninstall_hooks(repository, variables=os.environ)
    assert sorted(path.name for path in hook(repository, "x").parent.iterdir()) == before
    assert states(repository) == {HookState.ABSENT}


def test_an_existing_hook_is_called_first_with_its_arguments(repository: Path) -> None:
    log = witness(repository, "post-checkout")
    report = install_hooks(repository, mode=REPORT, variables=os.environ)
    git(repository, "checkout", "-qb", "other")
    head = git(repository, "rev-parse", "HEAD").strip()
    assert log.read_text().startswith(f"{head} {head} 1")
    assert [each.chained for each in report.hooks if each.name is HookName.POST_CHECKOUT] == [True]


def test_an_existing_hook_comes_back_when_ours_goes(repository: Path) -> None:
    witness(repository, "post-merge")
    text = hook(repository, "post-merge").read_text()
    install_hooks(repository, mode=REPORT, variables=os.environ)
    uninstall_hooks(repository, variables=os.environ)
    assert hook(repository, "post-merge").read_text() == text


def test_post_rewrite_hands_its_input_to_the_existing_hook(repository: Path) -> None:
    log = witness(repository, "post-rewrite")
    install_hooks(repository, mode=REPORT, variables=os.environ)
    old = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "commit", "-q", "--amend", "-m", "second")
    new = git(repository, "rev-parse", "HEAD").strip()
    assert f"{old} {new}" in log.read_text()


def test_an_existing_hooks_exit_code_still_counts(repository: Path) -> None:
    witness(repository, "pre-commit", code=3)
    install_hooks(repository, mode=REPORT, variables=os.environ)
    (repository / "notes.md").write_text("x")
    git(repository, "add", ".")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "commit", "-qm", "refused")


def test_installing_twice_changes_the_mode_and_chains_nothing_twice(repository: Path) -> None:
    log = witness(repository, "post-checkout")
    install_hooks(repository, mode=REPORT, variables=os.environ)
    report = install_hooks(repository, mode=HookMode.SYNC, variables=os.environ)
    assert {each.mode for each in report.hooks} == {HookMode.SYNC}
    git(repository, "checkout", "-qb", "other")
    assert len(log.read_text().splitlines()) == 1


def test_a_second_project_of_the_repository_is_added(repository: Path) -> None:
    service = repository / "services" / "api"
    service.mkdir(parents=True)
    install_hooks(repository, mode=REPORT, variables=os.environ)
    report = install_hooks(service, mode=REPORT, variables=os.environ)
    assert all(each.projects == (".", "services/api") for each in report.hooks)


def test_core_hooks_path_inside_the_repository_is_respected(repository: Path) -> None:
    git(repository, "config", "core.hooksPath", ".husky")
    report = install_hooks(repository, mode=REPORT, variables=os.environ)
    assert report.folder == repository / ".husky"
    assert (repository / ".husky" / "post-checkout").exists()
    assert not hook(repository, "post-checkout").exists()


def test_a_tracked_hook_is_left_alone_and_named(repository: Path) -> None:
    git(repository, "config", "core.hooksPath", ".husky")
    (repository / ".husky").mkdir()
    (repository / ".husky" / "pre-commit").write_text("#!/bin/sh\n")
    git(repository, "add", ".")
    report = install_hooks(repository, mode=REPORT, variables=os.environ)
    assert (repository / ".husky" / "pre-commit").read_text() == "#!/bin/sh\n"
    assert [(each.code, each.path) for each in report.problems] == [
        ("git-hook-tracked", ".husky/pre-commit")
    ]


def test_a_hooks_folder_shared_by_all_repositories_is_refused(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "config", "--global", "core.hooksPath", str(tmp_path / "shared"))
    with pytest.raises(GitError) as caught:
        install_hooks(repository, mode=REPORT, variables=os.environ)
    assert caught.value.code == "git-hooks-shared"
    assert not (tmp_path / "shared").exists()


def test_a_worktree_shares_the_hooks(repository: Path, tmp_path: Path) -> None:
    install_hooks(repository, mode=REPORT, variables=os.environ)
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert states(tmp_path / "tree") == {HookState.OURS}


def test_outside_a_repository_there_are_no_hooks(tmp_path: Path) -> None:
    with pytest.raises(GitError) as caught:
        hooks_status(tmp_path, variables=os.environ)
    assert caught.value.code == "git-no-repository"


@pytest.fixture
def spy(repository: Path) -> Path:
    """The repository with our hooks, calling a program that logs how it was called."""
    log = repository.parent / "calls.log"
    program = repository.parent / "spy program"
    program.write_text(f'#!/bin/sh\necho "$*" >> "{log}"\nexit 7\n')
    program.chmod(0o755)
    for name in HookName:
        script = HookScript(name=name, mode=REPORT, command=(str(program),), projects=(".",))
        path = hook(repository, name.value)
        path.parent.mkdir(exist_ok=True)
        path.write_text(hookscript.render(script))
        path.chmod(0o755)
    return log


def calls(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def change(repository: Path, name: str, text: str) -> None:
    (repository / name).write_text(text)
    git(repository, "add", ".")
    git(repository, "-c", "core.hooksPath=/nowhere", "commit", "-qm", f"change {name}")


def test_a_checkout_that_changes_requirements_starts_venvman_and_still_succeeds(
    repository: Path, spy: Path
) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "requirements.in", "django\n")
    assert calls(spy) == []
    git(repository, "checkout", "-q", "main")
    assert calls(spy) == ["hooks run post-checkout --mode report --in ."]


def test_a_checkout_that_changes_other_files_starts_nothing(repository: Path, spy: Path) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "code.py", "x = 1\n")
    git(repository, "checkout", "-q", "main")
    assert calls(spy) == []


def test_checking_out_a_single_file_starts_nothing(repository: Path, spy: Path) -> None:
    (repository / "requirements.in").write_text("django\n")
    git(repository, "checkout", "-q", "--", "requirements.in")
    assert calls(spy) == []


def test_a_merge_that_changes_requirements_starts_venvman(repository: Path, spy: Path) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "requirements.in", "django\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "main")
    git(repository, "merge", "-q", "other")
    assert calls(spy) == ["hooks run post-merge --mode report --in ."]


def test_a_rebase_speaks_once_at_its_end(repository: Path, spy: Path) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "code.py", "x = 1\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "main")
    change(repository, "requirements.in", "django\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "other")
    git(repository, "rebase", "-q", "main")
    assert calls(spy) == ["hooks run post-rewrite --mode report --in ."]


def test_a_rebase_that_only_fast_forwards_speaks_too(repository: Path, spy: Path) -> None:
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-qb", "other")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "main")
    change(repository, "requirements.in", "django\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "other")
    git(repository, "rebase", "-q", "main")
    assert calls(spy) == ["hooks run post-checkout --mode report --in ."]


def test_silence_can_be_asked_for(
    repository: Path, spy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "requirements.in", "django\n")
    monkeypatch.setenv("VENVMAN_HOOKS", "0")
    git(repository, "checkout", "-q", "main")
    assert calls(spy) == []


def test_a_commit_without_requirements_starts_nothing(repository: Path, spy: Path) -> None:
    (repository / "code.py").write_text("x = 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "code")
    assert calls(spy) == []


def test_a_commit_that_venvman_refuses_is_refused(repository: Path, spy: Path) -> None:
    (repository / "requirements.in").write_text("django\n")
    git(repository, "add", ".")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "commit", "-qm", "stale")
    assert calls(spy) == ["hooks run pre-commit --mode report --in ."]


def test_a_hook_whose_venvman_is_gone_says_so_and_does_not_stop_a_checkout(
    repository: Path, spy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "requirements.in", "django\n")
    (spy.parent / "spy program").unlink()
    monkeypatch.setenv("PATH", os.pathsep.join(_path_without_venvman()))
    done = subprocess.run(
        ("git", "checkout", "-q", "main"),
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "venvman: not found" in done.stderr


def _path_without_venvman() -> list[str]:
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    return [str(folder) for folder in folders if not (folder / "venvman").exists()]


def test_the_embedded_command_is_this_venvman(repository: Path) -> None:
    install_hooks(repository, mode=REPORT, variables=os.environ)
    assert str(Path(sys.executable).parent) in hook(repository, "post-merge").read_text()


def test_what_render_writes_parse_reads() -> None:
    script = HookScript(
        name=HookName.POST_MERGE, mode=HookMode.SYNC, command=("venvman",), projects=(".", "a b")
    )
    read = hookscript.parse(hookscript.render(script), name=HookName.POST_MERGE)
    assert read is not None
    assert (read.mode, read.projects) == (script.mode, script.projects)
