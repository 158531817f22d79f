"""Several projects of one repository: one command, one verdict, and no failure hides another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import run, run_on_terminal, run_process
from tests.support.index import Index
from tests.support.projects import git, versions_in, write_project
from tests.support.wheels import make_wheel

NAMES = ("api", "jobs", "libs/base", "libs/web")
WORKING = ("sync", "freeze", "upgrade")
LOOKING = ("status", "doctor", "outdated", "sync --check", "sync --dry-run", "freeze --check")


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """A repository without requirements, four projects below."""
    for name in ("alpha", "beta"):
        make_wheel(index.folder, name)
    root = write_project(
        tmp_path / "repository", {f"{name}/requirements.in": "alpha\n" for name in NAMES}
    )
    (root / ".gitignore").write_text("venv/\n")
    git(root, "init", "-q")
    return root


@pytest.fixture
def synced(root: Path) -> Path:
    assert run("sync", cwd=root).code == 0
    return root


def conflict(root: Path) -> None:
    with (root / "jobs/requirements.txt").open("a") as lock:
        lock.write("<<<<<<< HEAD\n")


def setting(root: Path) -> None:
    (root / "jobs/pyproject.toml").write_text("[tool.venvman]\nnonsense = 3\n")


def unknown(root: Path) -> None:
    (root / "jobs/requirements.in").write_text("no-such-thing\n")


def unreadable(root: Path) -> None:
    (root / "jobs/requirements.in").unlink()
    (root / "jobs/requirements.in").mkdir()
    (root / "jobs/requirements.txt").unlink()
    (root / "jobs/requirements-dev.in").write_text("-r requirements.in\n")


FAULTS: dict[str, Callable[[Path], None]] = {
    "a conflict in a lock": conflict,
    "a setting that there is not": setting,
    "a package that there is not": unknown,
    "a folder where a file belongs": unreadable,
}


def test_without_requirements_a_root_means_the_projects_below(root: Path) -> None:
    done = run("sync", cwd=root)
    assert done.code == 0
    assert all(versions_in(root / name) == {"alpha": "1.0"} for name in NAMES)
    assert done.stdout.splitlines()[-1] == "4 projects: 4 fine."
    assert not (root / "venv").exists()
    again = run("sync", cwd=root).stdout.splitlines()
    assert [line.split("  ")[0] for line in again[:-1]] == list(NAMES)


@pytest.mark.parametrize("words", ["sync", "freeze", "upgrade", "status"])
def test_on_a_terminal_a_table_is_alive_while_it_lasts(root: Path, words: str) -> None:
    unknown(root)
    done = run_on_terminal(*words.split(), cwd=root, env={"NO_COLOR": "1"})
    alive, wiped, left = done.stdout.rpartition("\x1b[2K")
    assert wiped
    for name in NAMES:
        assert f"  {name} " in alive
        assert name in left
    assert " failed" in alive or words == "status"
    assert "4 projects: " in left
    assert "\x1b" not in run(*words.split(), cwd=root).stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_a_project_that_fails_stops_no_other(synced: Path, fault: str) -> None:
    (synced / "libs/web/requirements.in").write_text("alpha\nbeta\n")
    FAULTS[fault](synced)
    for words in ("sync", "sync --all", "sync --all -q"):
        done = run(*words.split(), cwd=synced)
        assert done.code == 2
        assert "1 failed (jobs)" in done.stdout
        assert "jobs/" in done.stderr
    assert set(versions_in(synced / "libs/web")) == {"alpha", "beta"}


@pytest.mark.parametrize("words", [*WORKING, *LOOKING])
def test_every_command_goes_on_after_a_project_that_fails(synced: Path, words: str) -> None:
    setting(synced)
    done = run(*words.split(), "--format", "json", cwd=synced)
    assert done.code == done.json["exit_code"] == 2
    assert [row["project"] for row in done.json["data"]["projects"]] == [
        str(synced / name) for name in NAMES if name != "jobs"
    ]
    (failed,) = done.json["data"]["failed"]
    assert (failed["project"], failed["code"]) == (str(synced / "jobs"), "setting-unknown")
    assert ("jobs/pyproject.toml", 2) in [
        (each["path"], each["line"]) for each in done.json["problems"]
    ]


def test_the_worst_exit_code_counts(synced: Path) -> None:
    assert run("status", cwd=synced).code == 0
    run_process("run", "--project", "api", "python", "-m", "pip", "uninstall", "-qy", "alpha",
                cwd=synced)  # fmt: skip
    done = run("status", cwd=synced)
    assert (done.code, done.stdout.splitlines()[-1]) == (
        1, "4 projects: 3 fine, 1 with something to do (api).",
    )  # fmt: skip
    assert "Next: venvman sync --project api" in done.stdout
    assert run("sync", "--project", "api", cwd=synced).code == 0
    assert run("status", cwd=synced).code == 0
    setting(synced)
    assert run("status", cwd=synced).code == 2


def test_status_says_of_each_in_a_line_that_it_is_fine(synced: Path) -> None:
    lines = run("status", cwd=synced).stdout.splitlines()
    assert lines[0] == "api  Drift: none, 1 package as locked"
    assert len(lines) == 5


def test_a_line_for_programs_is_a_line_of_each(synced: Path) -> None:
    said = run("status", "--porcelain", cwd=synced).stdout.splitlines()
    assert said == [f"ok fresh +0 -0 ~0 {name}" for name in NAMES]


def test_a_finding_of_the_repository_is_told_once(synced: Path) -> None:
    said = run("doctor", cwd=synced).stdout
    assert said.count("VM601") == 1
    assert said.count("VM603") == 4


def test_a_finding_in_a_shared_file_is_told_once(synced: Path) -> None:
    (synced / "shared.txt").write_text("-r gone.txt\n")
    for name in ("api", "jobs"):
        (synced / name / "requirements.in").write_text("alpha\n-r ../shared.txt\n")
    findings = [
        finding["message"]
        for row in run("doctor", "--format", "json", cwd=synced).json["data"]["projects"]
        for finding in row["findings"]
        if finding["path"] and finding["path"].endswith("shared.txt")
    ]
    assert findings
    assert len(findings) == len(set(findings))


def test_a_folder_or_the_option_narrows_and_the_answer_says_which(synced: Path) -> None:
    below = run("sync", cwd=synced / "libs").stdout.splitlines()
    named = run("sync", "--project", "libs", cwd=synced).stdout.splitlines()
    assert [line.split("  ")[0] for line in below[:-1]] == ["base", "web"]
    assert [line.split("  ")[0] for line in named[:-1]] == ["libs/base", "libs/web"]
    alone = run("sync", "--project", "api", "--format", "json", cwd=synced).json["data"]
    assert alone["project"] == str(synced / "api")


def test_folders_that_only_lie_together_are_no_workspace(tmp_path: Path, index: Index) -> None:
    for name in ("one", "two"):
        write_project(tmp_path / "shelf" / name, {"requirements.in": "alpha\n"})
        git(tmp_path / "shelf" / name, "init", "-q")
    done = run("sync", cwd=tmp_path / "shelf")
    assert (done.code, index.requests) == (2, [])
    assert "--all" in done.stderr


def test_programs_run_in_each_project_and_the_worst_code_counts(synced: Path) -> None:
    code = "import os, sys; print(os.getcwd(), flush=True); sys.exit(3 * os.path.exists('bad'))"
    (synced / "jobs/bad").touch()
    done = run_process("run", "python", "-c", code, cwd=synced)
    assert done.stdout.splitlines() == [str(synced / name) for name in NAMES]
    assert done.code == 3
    assert "1 with something to do (jobs)" in done.stderr


def test_hooks_are_installed_for_all(synced: Path) -> None:
    done = run("hooks", "install", "--format", "json", cwd=synced).json["data"]
    assert [each["path"] for each in done["projects"]] == list(NAMES)
    assert "VM601" not in run("doctor", cwd=synced).stdout


def test_ctrl_c_keeps_what_was_done(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from venvman.workflow import syncing

    real = syncing.sync

    def interrupted(context: object, request: object) -> object:
        if context.project.root.name == "jobs":  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        return real(context, request)  # type: ignore[arg-type]

    monkeypatch.setattr(syncing, "sync", interrupted)
    done = run("sync", "--format", "json", cwd=synced)
    assert done.code == 130
    assert [row["project"] for row in done.json["data"]["projects"]] == [str(synced / "api")]


def members(root: Path, text: str) -> list[str]:
    (root / "pyproject.toml").write_text(f"[tool.venvman.workspace]\n{text}\n")
    done = run("sync", "--check", "--format", "json", cwd=root).json
    return [row["project"].removeprefix(f"{root}/") for row in done["data"]["projects"]]


def test_a_table_names_the_members(synced: Path) -> None:
    project = '[project]\nname = "tool"\nversion = "1"\ndependencies = ["alpha"]\n'
    write_project(synced / "libs/tool", {"pyproject.toml": project})
    assert members(synced, "") == list(NAMES)
    assert members(synced, 'members = ["libs/*"]') == ["libs/base", "libs/tool", "libs/web"]
    assert members(synced, 'members = ["libs/*", "api"]\nexclude = ["libs/w*"]') == [
        "api", "libs/base", "libs/tool",
    ]  # fmt: skip
    assert members(synced, 'exclude = ["libs"]') == ["api", "jobs"]


def test_members_lie_below_the_root(synced: Path) -> None:
    write_project(synced.parent / "stranger", {"requirements.in": "alpha\n"})
    (synced / "libs/link").symlink_to(synced.parent / "stranger")
    assert members(synced, 'members = ["libs/*"]') == ["libs/base", "libs/web"]
    for bad in ("../*", "/", "", "libs/**x"):
        text = f'[tool.venvman.workspace]\nmembers = ["{bad}"]\n'
        (synced / "pyproject.toml").write_text(text)
        done = run("sync", "--project", ".", cwd=synced)
        assert (done.code, "[tool.venvman] workspace" in done.stderr) == (2, True), bad


def test_where_there_are_only_pyproject_files_those_are_the_projects(
    tmp_path: Path, index: Index
) -> None:
    make_wheel(index.folder, "alpha")
    project = '[project]\nname = "tool"\nversion = "1"\ndependencies = ["alpha"]\n'
    root = write_project(tmp_path, {f"{name}/pyproject.toml": project for name in ("a", "b")})
    git(root, "init", "-q")
    assert run("sync", cwd=root).code == 0
    assert versions_in(root / "b") == {"alpha": "1.0"}


def test_with_a_revision_only_what_changed_since(synced: Path) -> None:
    (synced / "shared.txt").write_text("alpha\n")
    (synced / "api/requirements.in").write_text("-r ../shared.txt\n")
    assert run("freeze", cwd=synced).code == 0
    git(synced, "add", "-A")
    git(synced, "commit", "-qm", "one")

    def since() -> list[str]:
        words = ("status", "--changed-since", "HEAD", "--format", "json")
        rows = json.loads(run(*words, cwd=synced).stdout)["data"]["projects"]
        return [row["project"].removeprefix(f"{synced}/") for row in rows]

    assert since() == []
    (synced / "jobs/main.py").touch()
    assert since() == ["jobs"]
    (synced / "shared.txt").write_text("alpha\nbeta\n")
    assert since() == ["api", "jobs"]
    git(synced, "add", "-A")
    git(synced, "commit", "-qm", "two")
    git(synced, "mv", "libs/web/requirements.in", "jobs/old.in")
    assert since() == ["jobs", "libs/web"]
    git(synced, "reset", "-q", "--hard")
    (synced / "limits.txt").write_text("beta<9\n")
    workspace = '[tool.venvman.workspace]\nconstraints = ["limits.txt"]\n'
    (synced / "pyproject.toml").write_text(workspace)
    everyone = since()
    git(synced, "add", "-A")
    git(synced, "commit", "-qm", "three")
    assert since() == []
    (synced / "limits.txt").write_text("beta<8\n")
    assert since() == everyone
    assert {"api", "jobs"} <= {*everyone}
    refused = run("status", "--changed-since", "nowhere", cwd=synced)
    assert (refused.code, "nowhere" in refused.stderr) == (2, True)


def test_an_upgrade_of_a_package_passes_over_projects_without_it(synced: Path) -> None:
    (synced / "api/requirements.in").write_text("alpha\nbeta\n")
    assert run("sync", cwd=synced).code == 0
    assert run("upgrade", "beta", cwd=synced).code == 0
    assert run("outdated", "beta", cwd=synced).code == 0


@pytest.mark.parametrize("change", ["project", "requirements", "member", "environment"])
def test_a_remembered_answer_notices(
    synced: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = ("status", "sync --check", "doctor", "status --all", "freeze --check")
    for words in questions:
        run(*words.split(), cwd=synced)
    match change:
        case "project":
            write_project(synced / "libs/more", {"requirements.in": "alpha\n"})
        case "requirements":
            (synced / "requirements.in").write_text("alpha\n")
        case "member":
            (synced / "pyproject.toml").write_text(
                '[tool.venvman.workspace]\nmembers = ["libs/*"]\n'
            )
        case _:
            (synced / "libs/web/venv/pyvenv.cfg").unlink()
    for words in questions:
        known = run(*words.split(), cwd=synced)
        with monkeypatch.context() as off:
            off.setenv("VENVMAN_NO_MEMO", "1")
            anew = run(*words.split(), cwd=synced)
        assert (known.code, known.stdout) == (anew.code, anew.stdout), words


def test_what_several_projects_rest_on_is_looked_at_once(
    synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched: list[tuple[str, str]] = []

    def keep(*_: object, **rest: Any) -> bool:
        watched.extend((kind, path) for kind, path, _ in rest["watched"])
        return True

    monkeypatch.setattr("venvman.cli.session.keep", keep)
    assert run("sync", cwd=synced).code == 0
    assert watched
    assert len(watched) == len(set(watched))


def test_shared_constraints_limit_every_member(synced: Path, index: Index) -> None:
    make_wheel(index.folder, "alpha", version="2.0")
    (synced / "limits.txt").write_text("alpha<1\n")
    table = '[tool.venvman.workspace]\nmembers = ["libs/*"]\nconstraints = ["limits.txt"]\n'
    assert run("status", "--project", "libs/base", cwd=synced).code == 0
    (synced / "pyproject.toml").write_text(table)
    for folder in (synced, synced / "libs/base"):
        assert run("status", cwd=folder).code == 1
    assert run("status", "--project", "api", cwd=synced).code == 0
    make_wheel(index.folder, "alpha", version="0.5")
    (synced / "limits.txt").write_text("alpha<1.0\n")
    done = run("sync", cwd=synced)
    assert done.code == 0, done.stderr
    assert [versions_in(synced / name)["alpha"] for name in ("libs/base", "libs/web", "api")] == [
        "0.5", "0.5", "1.0",
    ]  # fmt: skip
    assert run("sync", "--check", cwd=synced / "libs/web").code == 0


def test_why_locks_are_stale_is_told_once_for_each_project(tmp_path: Path, index: Index) -> None:
    for name in ("alpha", "beta"):
        make_wheel(index.folder, name)
    root = write_project(
        tmp_path / "top", {"a/requirements.in": "alpha\n", "b/requirements.in": "alpha\n"}
    )
    assert run("freeze", cwd=root).code == 0
    for name in ("a", "b"):
        (root / name / "requirements.in").write_text("alpha\nbeta\n")
    ran = run("freeze", "--check", cwd=root)
    assert ran.code == 1
    assert (ran.stdout + ran.stderr).count("asks for beta, which is not locked") == 2
