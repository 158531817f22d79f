"""What is said when an index cannot be asked, or a repository cannot be had as it is written."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import write_project
from tests.support.wheels import make_wheel
from venvman.system.git import git


def words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_a_variable_that_is_not_set_is_what_a_refusal_is_put_down_to(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index.folder, "alpha")
    index.password = "hunter2"
    host = index.url.removeprefix("http://")
    line = f"--index-url http://${{INDEX_USER}}:${{INDEX_TOKEN}}@{host}/simple"
    root = write_project(tmp_path / "shop", {"requirements.in": f"# ours\n{line}\nalpha\n"})
    monkeypatch.setenv("INDEX_USER", "me")
    ran = run("freeze", "--format", "json", cwd=root)
    [problem] = ran.json["problems"]
    assert problem["code"] == "variable-unset"
    assert problem["message"].startswith("INDEX_TOKEN is not set, and ")
    assert (problem["path"], problem["line"], problem["text"]) == ("requirements.in", 2, line)
    monkeypatch.setenv("INDEX_TOKEN", "hunter2")
    assert run("freeze", cwd=root).code == 0
    assert line in (root / "requirements.txt").read_text()


def test_where_every_index_is_ignored_none_is_said_not_to_have_the_name(tmp_path: Path) -> None:
    text = "--index-url http://index.invalid/simple\n-f http://links.invalid/\nflask\n"
    root = write_project(tmp_path / "shop", {"requirements.in": text})
    ran = run("freeze", cwd=root)
    assert ran.code == 2
    assert "No index was asked" in words(ran.stderr)
    assert "--trusted-host index.invalid" in words(ran.stderr)
    assert "flask" not in words(ran.stderr)


@pytest.fixture
def over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """git asks a program for ssh that serves repositories of this machine; returns its log."""
    log = tmp_path / "ssh.log"
    program = tmp_path / "ssh.py"
    program.write_text(
        "import os, subprocess, sys\n"
        f"open({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        "sys.exit(subprocess.call(sys.argv[-1], shell=True))\n"
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", shlex.join([sys.executable, str(program)]))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    return log


def a_repository(folder: Path) -> Path:
    folder.mkdir()
    git("init", "-q", cwd=folder, variables=os.environ)
    (folder / "pyproject.toml").write_text("[project]\nname = 'tinyp'\nversion = '1.0'\n")
    git("add", ".", cwd=folder, variables=os.environ)
    git("commit", "-q", "-m", "x", cwd=folder, variables=os.environ)
    return folder


def test_the_user_of_ssh_stays_in_the_lock_and_is_who_is_asked_for_it(
    tmp_path: Path, over_ssh: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"git+ssh://deploy@host{a_repository(tmp_path / 'tinyp')}"
    root = write_project(tmp_path / "shop", {"requirements.in": f"tinyp @ {url}\n"})
    ran = run("freeze", cwd=root)
    assert ran.code == 0, ran.stderr
    assert f"tinyp @ {url}@" in (root / "requirements.txt").read_text()
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(tmp_path / "another"))
    again = run("freeze", "--check", cwd=root)
    assert again.code == 0, again.stdout + again.stderr
    asked = over_ssh.read_text().splitlines()
    assert asked
    assert all("deploy@host" in each for each in asked)
    scan = run("scan", "--format", "json", cwd=root).stdout
    assert "deploy@host" in scan


def test_an_editable_repository_is_noted_to_be_none(tmp_path: Path, index: Index) -> None:
    url = f"git+{a_repository(tmp_path / 'tinyp').as_uri()}"
    root = write_project(tmp_path / "shop", {"requirements.in": f"-e {url}#egg=tinyp\n"})
    ran = run("freeze", cwd=root)
    assert ran.code == 0, ran.stderr
    assert "tinyp is installed from its commit, not to be edited." in words(ran.stderr)
    assert "not to be edited" not in run("freeze", cwd=root).stderr


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("numpy=1.21.2=py39h7ed6d70_0", "This is conda's format; pip's is numpy==1.21.2."),
        ("alpha# comment", "A comment needs a blank before its #."),
        ("alpha[x]# comment", "A comment needs a blank before its #."),
        (
            "repo @ git+ssh://git@github.invalid:org/repo.git",
            "Write / for the colon: git+ssh://git@github.invalid/org/repo.git",
        ),
        (
            "repo @ git@github.invalid:org/repo.git",
            "Write / for the colon: git+ssh://git@github.invalid/org/repo.git",
        ),
    ],
)
def test_what_is_meant_by_a_common_slip_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, hint: str
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    root = write_project(tmp_path / "shop", {"requirements.in": f"{line}\n"})
    ran = run("freeze", cwd=root)
    assert ran.code == 2
    assert hint in words(ran.stderr)
