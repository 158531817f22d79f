"""Hooks in real repositories: put in, taken out, chained, shared by worktrees, cheap."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from venvman.githooks import repository as githooks
from venvman.githooks.install import install_hooks, uninstall_hooks
from venvman.githooks.script import HookMode, HookName
from venvman.githooks.status import HookState, hooks_status
from venvman.model.errors import GitError

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


def test_uninstalling_leaves_nothing_behind(repository: Path) -> None:
    before = sorted(path.name for path in hook(repository, "x").parent.iterdir())
    install_hooks([repository], mode=REPORT, variables=os.environ)
    uninstall_hooks(repository, variables=os.environ)
    assert sorted(path.name for path in hook(repository, "x").parent.iterdir()) == before
    assert states(repository) == {HookState.ABSENT}


def test_an_existing_hook_is_called_first_with_its_arguments(repository: Path) -> None:
    log = witness(repository, "post-checkout")
    report = install_hooks([repository], mode=REPORT, variables=os.environ)
    git(repository, "checkout", "-qb", "other")
    head = git(repository, "rev-parse", "HEAD").strip()
    assert log.read_text().startswith(f"{head} {head} 1")
    assert [each.chained for each in report.hooks if each.name is HookName.POST_CHECKOUT] == [True]


def test_an_existing_hook_comes_back_when_ours_goes(repository: Path) -> None:
    witness(repository, "post-merge")
    text = hook(repository, "post-merge").read_text()
    install_hooks([repository], mode=REPORT, variables=os.environ)
    uninstall_hooks(repository, variables=os.environ)
    assert hook(repository, "post-merge").read_text() == text


def test_post_rewrite_hands_its_input_to_the_existing_hook(repository: Path) -> None:
    log = witness(repository, "post-rewrite")
    install_hooks([repository], mode=REPORT, variables=os.environ)
    old = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "commit", "-q", "--amend", "-m", "second")
    new = git(repository, "rev-parse", "HEAD").strip()
    assert f"{old} {new}" in log.read_text()


def test_an_existing_hooks_exit_code_still_counts(repository: Path) -> None:
    witness(repository, "pre-commit", code=3)
    install_hooks([repository], mode=REPORT, variables=os.environ)
    (repository / "notes.md").write_text("x")
    git(repository, "add", ".")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "commit", "-qm", "refused")


def test_installing_twice_changes_the_mode_and_chains_nothing_twice(repository: Path) -> None:
    log = witness(repository, "post-checkout")
    install_hooks([repository], mode=REPORT, variables=os.environ)
    report = install_hooks([repository], mode=HookMode.SYNC, variables=os.environ)
    assert {each.mode for each in report.projects} == {HookMode.SYNC}
    git(repository, "checkout", "-qb", "other")
    assert len(log.read_text().splitlines()) == 1


def test_a_second_project_of_the_repository_is_added(repository: Path) -> None:
    service = repository / "services" / "api"
    service.mkdir(parents=True)
    install_hooks([repository], mode=REPORT, variables=os.environ)
    report = install_hooks([service], mode=REPORT, variables=os.environ)
    assert [each.path for each in report.projects] == [".", "services/api"]


def test_core_hooks_path_inside_the_repository_is_respected(repository: Path) -> None:
    git(repository, "config", "core.hooksPath", ".husky")
    report = install_hooks([repository], mode=REPORT, variables=os.environ)
    assert report.folder == repository / ".husky"
    assert (repository / ".husky" / "post-checkout").exists()
    assert not hook(repository, "post-checkout").exists()


def test_a_tracked_hook_is_left_alone_and_named(repository: Path) -> None:
    git(repository, "config", "core.hooksPath", ".husky")
    (repository / ".husky").mkdir()
    (repository / ".husky" / "pre-commit").write_text("#!/bin/sh\n")
    git(repository, "add", ".")
    report = install_hooks([repository], mode=REPORT, variables=os.environ)
    assert (repository / ".husky" / "pre-commit").read_text() == "#!/bin/sh\n"
    assert [(each.code, each.path) for each in report.problems] == [
        ("git-hook-tracked", ".husky/pre-commit")
    ]


def test_a_hooks_folder_shared_by_all_repositories_is_refused(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "config", "--global", "core.hooksPath", str(tmp_path / "shared"))
    with pytest.raises(GitError) as caught:
        install_hooks([repository], mode=REPORT, variables=os.environ)
    assert caught.value.code == "git-hooks-shared"
    assert not (tmp_path / "shared").exists()


def test_a_worktree_shares_the_hooks(repository: Path, tmp_path: Path) -> None:
    install_hooks([repository], mode=REPORT, variables=os.environ)
    git(repository, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert states(tmp_path / "tree") == {HookState.OURS}


@pytest.fixture
def spy(repository: Path) -> Path:
    """The repository with our hooks, calling a program that logs how it was called."""
    log = repository.parent / "calls.log"
    install_hooks([repository], mode=REPORT, variables=os.environ)
    start_instead(repository, f'echo "$*" >> "{log}"; exit 101')
    return log


def start_instead(repository: Path, commands: str) -> Path:
    """Lets the hooks start these shell commands in place of venvman."""
    program = repository.parent / "venvman spy"
    program.write_text(f"#!/bin/sh\n{commands}\n")
    program.chmod(0o755)
    (repository / ".git" / "venvman" / "program").write_text(f"{program}\n")
    return program


def calls(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def change(repository: Path, name: str, text: str) -> None:
    (repository / name).write_text(text)
    git(repository, "add", ".")
    git(repository, "-c", "core.hooksPath=/nowhere", "commit", "-qm", f"change {name}")


def test_a_checkout_that_changes_other_files_starts_git_once_more(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_hooks([repository], mode=REPORT, variables=os.environ)
    git(repository, "checkout", "-q", "-b", "other")
    change(repository, "README", "hello\n")
    trace = repository.parent / "trace"
    monkeypatch.setenv("GIT_TRACE", str(trace))
    git(repository, "checkout", "-q", "-")
    started = [line for line in trace.read_text().splitlines() if "trace: built-in: git" in line]
    assert [line.split("built-in: git ")[1].split()[0] for line in started] == ["checkout", "diff"]


def test_a_rebase_that_only_fast_forwards_speaks_too(repository: Path, spy: Path) -> None:
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-qb", "other")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "main")
    change(repository, "requirements.in", "django\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "other")
    git(repository, "rebase", "-q", "main")
    assert calls(spy) == ["hooks run post-checkout"]


def test_a_commit_without_requirements_starts_nothing(repository: Path, spy: Path) -> None:
    (repository / "code.py").write_text("x = 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "code")
    assert calls(spy) == []


@pytest.mark.parametrize(
    "broken",
    ["rm {program}", "printf '#!/nowhere/python\\n' > {program}", "printf 'exit 1' > {program}"],
    ids=["gone", "dangling interpreter", "module gone"],
)
def test_a_venvman_that_does_not_start_is_told_and_stops_nothing(
    repository: Path, spy: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "requirements.in", "django\n")
    program = shlex.quote(str(spy.parent / "venvman spy"))
    subprocess.run(broken.format(program=program), shell=True, check=True)
    monkeypatch.setenv("PATH", os.pathsep.join(_path_without_venvman()))
    for words in (("checkout", "-q", "main"), ("commit", "-qam", "stale")):
        (repository / "requirements.in").write_text(f"django # {words}\n")
        if words[0] == "checkout":
            git(repository, "stash", "-q")
        done = subprocess.run(
            ("git", *words), cwd=repository, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "venvman: does not start" in done.stderr


def _path_without_venvman() -> list[str]:
    folders = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    return [str(folder) for folder in folders if not (folder / "venvman").exists()]


def test_what_is_started_is_this_venvman(repository: Path) -> None:
    install_hooks([repository], mode=REPORT, variables=os.environ)
    program = (repository / ".git" / "venvman" / "program").read_text().strip()
    assert program == str(Path(sys.executable).with_name("venvman"))


def test_a_squash_is_told_of_once(repository: Path, spy: Path) -> None:
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-qb", "other")
    change(repository, "requirements.in", "django\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "main")
    git(repository, "merge", "-q", "--squash", "other")
    assert calls(spy) == ["hooks run post-merge"]


def test_a_rebase_by_patches_speaks_once(repository: Path, spy: Path) -> None:
    git(repository, "checkout", "-qb", "other")
    change(repository, "code.py", "x = 1\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "main")
    change(repository, "requirements.in", "django\n")
    git(repository, "-c", "core.hooksPath=/nowhere", "checkout", "-q", "other")
    git(repository, "rebase", "-q", "--apply", "main")
    assert calls(spy) == ["hooks run post-rewrite"]


@pytest.mark.parametrize("name", HookName)
def test_lines_of_others_in_our_hook_run_and_stay(repository: Path, name: HookName) -> None:
    install_hooks([repository], mode=REPORT, variables=os.environ)
    path = hook(repository, name.value)
    path.write_text(path.read_text() + 'echo "mine" >> "$PWD/mine.log"\n')
    if name is HookName.PRE_COMMIT:
        git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    elif name is HookName.POST_CHECKOUT:
        git(repository, "checkout", "-qb", "other")
    elif name is HookName.POST_MERGE:
        git(repository, "checkout", "-qb", "other")
        change(repository, "code.py", "x = 1\n")
        git(repository, "checkout", "-q", "main")
        git(repository, "merge", "-q", "other")
    else:
        git(repository, "commit", "-q", "--amend", "--no-verify", "-m", "again")
    assert (repository / "mine.log").read_text() == "mine\n"

    install_hooks([repository], mode=HookMode.SYNC, variables=os.environ)
    uninstall_hooks(repository, variables=os.environ)

    assert path.read_text() == '#!/bin/sh\necho "mine" >> "$PWD/mine.log"\n'


def test_a_hook_that_looks_at_its_own_name_and_neighbours_finds_them(repository: Path) -> None:
    scripts = repository / "scripts"
    scripts.mkdir()
    dispatch = scripts / "dispatch"
    dispatch.write_text('#!/bin/sh\n. "$(dirname "$0")/_lib.sh"\nsay "$(basename "$0")"\n')
    dispatch.chmod(0o755)
    folder = hook(repository, "x").parent
    folder.mkdir(exist_ok=True)
    (folder / "_lib.sh").write_text('say() { echo "$1" >> "$PWD/said.log"; }\n')
    for name in HookName:
        (folder / name.value).symlink_to("../../scripts/dispatch")
    install_hooks([repository], mode=REPORT, variables=os.environ)

    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    git(repository, "checkout", "-qb", "other")
    uninstall_hooks(repository, variables=os.environ)

    assert (repository / "said.log").read_text() == "pre-commit\npost-checkout\n"
    assert (folder / "pre-commit").readlink() == Path("../../scripts/dispatch")
    assert sorted(path.name for path in folder.parent.iterdir() if "venvman" in path.name) == []


def test_one_project_is_taken_off_and_the_others_stay(repository: Path) -> None:
    for name in ("a", "b"):
        (repository / name).mkdir()
    install_hooks([repository / "a"], mode=HookMode.SYNC, variables=os.environ)
    install_hooks([repository / "b"], mode=REPORT, variables=os.environ)
    report = uninstall_hooks(repository / "a", variables=os.environ)
    assert [(each.path, each.mode) for each in report.projects] == [("b", REPORT)]
    assert states(repository) == {HookState.OURS}
    uninstall_hooks(repository / "b", variables=os.environ)
    assert states(repository) == {HookState.ABSENT}


def test_from_where_no_project_was_installed_all_are_taken_out(repository: Path) -> None:
    (repository / "gone").mkdir()
    install_hooks([repository / "gone"], mode=REPORT, variables=os.environ)
    uninstall_hooks(repository, variables=os.environ)
    assert states(repository) == {HookState.ABSENT}


@pytest.mark.parametrize("name", ["a\ntouch PWNED\n#", "$(touch PWNED)", "`touch PWNED`", "a'b\"c"])
def test_no_name_of_a_folder_is_ever_run(repository: Path, name: str) -> None:
    project = repository / name
    project.mkdir()
    (project / "requirements.in").write_text("six\n")
    report = install_hooks([project], mode=REPORT, variables=os.environ)
    git(repository, "add", ".")
    git(repository, "commit", "-qnm", "second")
    git(repository, "checkout", "-q", "HEAD~1")
    assert [each.path for each in report.projects] == [name]
    assert not (repository / "PWNED").exists()


def test_a_repository_whose_path_has_a_line_end_gets_its_hooks(tmp_path: Path) -> None:
    folder = tmp_path / "two\nlines\u2028three"
    folder.mkdir()
    git(folder, "init", "-q")
    report = install_hooks([folder], mode=REPORT, variables=os.environ)
    assert {each.state for each in report.hooks} == {HookState.OURS}


def test_what_stands_in_a_hook_s_place_or_cannot_be_written_is_told(repository: Path) -> None:
    folder = hook(repository, "x").parent
    folder.rename(folder.with_name("kept"))
    folder.write_text("a file\n")
    with pytest.raises(GitError) as caught:
        install_hooks([repository], mode=REPORT, variables=os.environ)
    assert caught.value.code == "git-hooks-unwritable"


def test_what_cannot_be_written_leaves_nothing_half_installed(repository: Path) -> None:
    (hook(repository, "post-rewrite") / "parts").mkdir(parents=True)
    with pytest.raises(GitError) as caught:
        install_hooks([repository], mode=REPORT, variables=os.environ)
    assert caught.value.code == "git-hooks-unwritable"
    assert not list((repository / ".git").rglob("*venvman*"))
    assert not hook(repository, "post-checkout").exists()


@pytest.mark.parametrize("inside", [True, False])
def test_a_hooks_folder_that_is_a_link_is_the_folder_that_it_leads_to(
    repository: Path, inside: bool
) -> None:
    folder = (repository if inside else repository.parent) / "tools"
    folder.mkdir()
    (folder / "post-checkout").write_text("#!/bin/sh\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "--allow-empty", "-m", "tools")
    shutil.rmtree(repository / ".git" / "hooks", ignore_errors=True)
    (repository / ".git" / "hooks").symlink_to(folder)

    if inside:
        report = install_hooks([repository], mode=REPORT, variables=os.environ)
        assert [each.path for each in report.problems] == ["tools/post-checkout"]
    else:
        with pytest.raises(GitError, match="does not own"):
            install_hooks([repository], mode=REPORT, variables=os.environ)
        (problem,) = hooks_status(repository, variables=os.environ).problems
        assert problem.code == "git-hooks-shared"
        assert [each.name for each in folder.iterdir()] == ["post-checkout"]
    assert (folder / "post-checkout").read_text() == "#!/bin/sh\n"
    assert git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["[my] *hooks?", "two\nlines"])
def test_no_name_of_a_hooks_folder_lets_git_list_our_hooks_as_untracked(
    repository: Path, name: str
) -> None:
    git(repository, "config", "core.hooksPath", name)
    install_hooks([repository], mode=REPORT, variables=os.environ)
    assert git(repository, "status", "--porcelain") == ""


def test_a_hook_of_others_that_calls_venvman_is_in_place(repository: Path) -> None:
    (repository / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: x\n  hooks:\n    - id: venvman-lock\n    -   id: 'venvman-sync'\n"
    )
    hooks = {
        "pre-commit": "# File generated by pre-commit: https://pre-commit.com\n",
        "post-merge": "# File generated by prek\n",
        "post-checkout": "venvman hooks run post-checkout || :\n",
    }
    for name, text in hooks.items():
        witness(repository, name)
        hook(repository, name).write_text(f"#!/bin/sh\n{text}")

    found = {each.name: each.state for each in hooks_status(repository, variables=os.environ).hooks}
    assert found.pop(HookName.POST_REWRITE) is HookState.ABSENT
    assert set(found.values()) == {HookState.OURS}
    install_hooks([repository], mode=REPORT, variables=os.environ)
    for name, text in hooks.items():
        assert hook(repository, name).read_text() == f"#!/bin/sh\n{text}"


def test_hooks_of_a_newer_venvman_are_replaced_and_not_chained(repository: Path) -> None:
    install_hooks([repository], mode=REPORT, variables=os.environ)
    path = hook(repository, "post-merge")
    text = path.read_text()
    path.write_text(text.replace("format 2", "format 3"))
    assert states(repository) == {HookState.OURS, HookState.EDITED}
    install_hooks([repository], mode=REPORT, variables=os.environ)
    assert path.read_text() == text
    assert not (repository / ".git" / "hooks.before-venvman").exists()


def test_hooks_that_came_by_a_template_start_the_venvman_of_path_and_complain_of_nothing(
    repository: Path, spy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository / ".git" / "venvman"
    on_path = repository.parent / "on-path" / "venvman"
    on_path.parent.mkdir()
    shutil.copy((folder / "program").read_text().strip(), on_path)
    shutil.rmtree(folder)
    monkeypatch.setenv("PATH", f"{on_path.parent}{os.pathsep}{os.environ['PATH']}")
    (repository / "requirements.in").write_text("django\n")
    done = subprocess.run(
        ("git", "commit", "-qam", "more"),
        cwd=repository,
        check=False,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert done.stderr == ""
    assert "pre-commit" in spy.read_text()


def test_a_hook_that_is_not_executable_is_idle(repository: Path) -> None:
    install_hooks([repository], mode=REPORT, variables=os.environ)
    hook(repository, "post-merge").chmod(0o644)
    found = {each.name: each.state for each in hooks_status(repository, variables=os.environ).hooks}
    assert found[HookName.POST_MERGE] is HookState.IDLE


def test_hooks_of_the_first_format_are_brought_up_to_date(repository: Path) -> None:
    log = witness(repository, "pre-commit")
    path = hook(repository, "pre-commit")
    path.rename(path.with_name("pre-commit.before-venvman"))
    path.write_text("#!/bin/sh\n# venvman git hook, format 1: old\nexit 1\n")
    path.chmod(0o755)
    install_hooks([repository], mode=REPORT, variables=os.environ)
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    assert log.exists()
    uninstall_hooks(repository, variables=os.environ)
    assert "venvman" not in path.read_text()
    assert not path.with_name("pre-commit.before-venvman").exists()


def test_a_zipapp_is_started_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zipapp = tmp_path / "venvman.pyz"
    zipapp.write_text("#!/usr/bin/env python3\n")
    zipapp.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(zipapp), "hooks", "install"])
    assert githooks.own_program() == (str(zipapp),)
