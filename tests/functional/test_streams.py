"""Standard streams that are closed, or whose disk is full: one sentence and 2, never a traceback.

What nobody asks from stdin, or has to say on stderr, makes no difference to the answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import Ran, ended, run
from tests.support.index import Index
from tests.support.projects import git, write_project
from tests.support.wheels import make_wheel
from venvman.cli.table import COMMANDS

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")

WORDS = {
    "audit": ["audit", "--offline"],
    "shell-hook": ["shell-hook", "bash"],
    "add": ["add", "demo", "--dry-run"],
    "remove": ["remove", "demo", "--dry-run"],
    "upgrade": ["upgrade", "--dry-run"],
    "why": ["why", "demo"],
    "rollback": ["rollback", "0", "--dry-run"],
    "run": ["run", "true"],
    "shell": ["shell"],
    "hooks run": ["hooks", "run", "pre-commit"],
    "cache prune": ["cache", "prune", "--older-than", "30d"],
}
OTHERS = {
    "--version": ["--version"],
    "--help": ["--help"],
    "a command's help": ["sync", "--help"],
    "no command": [],
    "sync --check": ["sync", "--check"],
    "freeze --check": ["freeze", "--check"],
    "sync --quiet": ["sync", "--quiet"],
    "an unknown command": ["sink"],
    "an error": ["sync", "--group", "nobody"],
}
LINES = {name: WORDS.get(name, name.split()) for name in COMMANDS} | OTHERS
ANSWERS = [name for name in LINES if name not in ("run", "shell")]
"""What runs another program leaves the streams to that one."""


@pytest.fixture
def root(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in git, all of it as it should be."""
    monkeypatch.setenv("SHELL", "/bin/sh")
    make_wheel(index.folder, "demo")
    root = write_project(tmp_path / "shop", {"requirements.in": "demo\n", ".gitignore": "venv\n"})
    git(root, "init", "-q")
    assert run("sync", cwd=root).code == 0
    git(root, "add", ".")
    git(root, "commit", "-qm", "all")
    return root


def with_streams(root: Path, words: list[str], streams: str = "") -> Ran:
    """``words`` as a process whose streams a shell has set up."""
    done = ended(
        ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "venvman", *words],
        cwd=root,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def told(ran: Ran) -> tuple[int, str]:
    """The code and what is on stdout, but how long it took."""
    lines = [line for line in ran.stdout.splitlines() if '"seconds"' not in line]
    return ran.code, "\n".join(line.partition(" in ")[0] for line in lines)


@pytest.mark.sample(6, "slow")
@pytest.mark.parametrize("name", ANSWERS)
def test_what_cannot_be_written_is_told_and_what_nobody_reads_makes_no_difference(
    root: Path, name: str
) -> None:
    words = LINES[name]
    with_streams(root, words)  # what it changes, if anything
    usual = with_streams(root, words)

    for streams in ("<&- 2>&-", "2>/dev/full"):
        ran = with_streams(root, words, streams)
        assert (streams, *told(ran)) == (streams, *told(usual))
    if not usual.stdout:
        assert with_streams(root, words, "<&- >&- 2>&-").code == usual.code
        return
    has_json = words and not {"--help", "--version"} & {*words}
    as_json = ["--format", "json"] if has_json else []
    told_of(with_streams(root, words, ">/dev/full"), "No space left")
    told_of(with_streams(root, [*words, *as_json], "<&- >&-"), "Bad file descriptor")
    assert with_streams(root, words, "<&- >&- 2>&-").code == 2


def told_of(ran: Ran, reason: str) -> None:
    """Asserts that ``ran`` ended with one sentence about its output."""
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.count("The output could not be written") == 1, ran.stderr
    assert reason in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "defect" not in ran.stderr


@pytest.mark.parametrize("words", [["run", "true"], ["run", "--sync", "--", "true"], ["shell"]])
def test_another_program_starts_whatever_the_streams_are(root: Path, words: list[str]) -> None:
    for streams in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full"):
        assert (streams, with_streams(root, words, streams)) == (streams, Ran(0, "", ""))


def test_a_program_that_writes_to_a_closed_stream_is_told_so(root: Path) -> None:
    """It must not write into a file that happens to have got the descriptor."""
    ran = with_streams(root, ["run", "sh", "-c", "echo x; echo $? >&2"], ">&-")
    assert ran.stderr.splitlines()[-1] != "0"


@pytest.mark.sample(4, "slow")
@pytest.mark.parametrize("name", LINES)
def test_a_working_directory_that_was_deleted_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "gone").mkdir()
    script = 'cd gone && rmdir ../gone && exec "$@"'
    done = ended(
        ["sh", "-c", script, "sh", sys.executable, "-m", "venvman", *LINES[name]],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        timeout=60,
    )

    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr
    if done.returncode != 0 and name not in ("no command", "an unknown command"):
        assert done.returncode == 2
        assert "The working directory is not there any more." in done.stderr
    assert done.returncode in (0, 2)
