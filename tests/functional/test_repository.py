"""This repository itself: what it is developed with is frozen, and its sdist is what git tracks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
import yaml

from tests.support.cli import ended, run
from venvman.model.errors import GitError
from venvman.system.git import git, try_git, without_repository
from venvman.version import __version__

ROOT = Path(__file__).parents[2]
CHECKS = ("The tag is the version", "The changes are joined")
MADE = shutil.ignore_patterns(
    ".git", ".venv", "venv", "build", "dist", "site", ".*_cache", "__pycache__"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of this repository, or of an unpacked sdist, as a repository of their own."""
    root = tmp_path / "clone"
    shutil.copytree(ROOT, root, ignore=MADE, symlinks=True)
    (root / "PKG-INFO").unlink(missing_ok=True)
    for words in ("init -q", "add -A", "commit -q -m all"):
        subprocess.run(["git", *words.split()], cwd=root, check=True)
    return root


def tracked(root: Path) -> set[str]:
    listed = ended(["git", "ls-files", "-z"], cwd=root, check=True)
    return set(listed.stdout.split("\0")[:-1])


def test_the_lock_of_what_developing_needs_is_fresh(clone: Path) -> None:
    check = ("freeze", "--check", "--all-groups", "--offline")
    assert run(*check, cwd=clone).code == 0
    pyproject = clone / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"build>=', '"one-more",\n  "build>='))
    assert run(*check, cwd=clone).code == 1


def test_the_sdist_holds_what_git_tracks_whatever_else_lies_there(clone: Path) -> None:
    files = tracked(clone)
    environment = clone / "examples" / "web" / "venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    (clone / "tests" / "notes.txt").write_text("mine")
    (clone / "ready").touch()  # newer than all that the environment of the Makefile is made of

    subprocess.run(
        ["make", "build", "READY=ready", f"BIN={Path(sys.executable).parent}"],
        cwd=clone,
        check=True,
        capture_output=True,
    )

    (sdist,) = (clone / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    assert held == {*files, "PKG-INFO"}
    assert len(list((clone / "dist").glob("*.whl"))) == 1


def steps(name: str) -> dict[str, str]:
    """What the workflow ``name`` runs: by the names of its steps, or by the commands themselves."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    jobs = workflow["jobs"].values()
    return {
        step.get("name", step["run"]): step["run"]
        for job in jobs
        for step in job["steps"]
        if "run" in step
    }


def test_what_workflows_run_are_targets_that_the_makefile_has() -> None:
    targets = set(re.findall(r"^([a-z-]+)(?= |:)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    matrix = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    of_matrix = {each["target"] for each in matrix["dependencies"]["strategy"]["matrix"]["include"]}
    lines = [line for name in ("ci.yml", "release.yml") for line in steps(name).values()]
    made = {line.removeprefix("make ") for line in lines if line.startswith("make ")}

    assert made == {"check", "${{ matrix.target }}", "docs", "build", "zipapp"}
    assert (made | of_matrix) - {"${{ matrix.target }}"} <= targets


def test_a_release_is_refused_until_its_changes_are_joined_under_its_version(clone: Path) -> None:
    version = clone / "venvman" / "version.py"
    version.write_text(version.read_text().replace(__version__, "9.9.9"))
    (clone / "changes" / "one.md").write_text("- One more.\n")

    def codes(tag: str) -> list[int]:
        checks = [steps("release.yml")[name] for name in CHECKS]
        env = {**os.environ, "GITHUB_REF_NAME": tag}
        return [
            subprocess.run(["sh", "-c", each], cwd=clone, env=env, check=False).returncode
            for each in checks
        ]

    before = codes("v9.9.9")
    subprocess.run([sys.executable, "-m", "tools.changelog", "9.9.9"], cwd=clone, check=True)

    assert before == [0, 1]
    assert codes("v9.9.8") == [1, 1]
    assert codes("v9.9.9") == [0, 0]


def test_no_modules_need_each_other_in_a_circle_not_even_for_their_types() -> None:
    graph = grimp.build_graph("venvman", exclude_type_checking_imports=False)
    needs = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle


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
