"""Constraints on a server that does not answer: what is locked does without, what is not waits."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import versions_in, write_project
from tests.support.wheels import make_wheel


class Silent:
    """A server that takes connections and says nothing; ``asked`` counts them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/limits.txt"

    @property
    def asked(self) -> int:
        count = 0
        try:
            while True:
                self._socket.accept()[0].close()
                count += 1
        except BlockingIOError:
            return count

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    monkeypatch.setattr("venvman.workflow.context._PATIENCE", 0.05)
    server = Silent()
    yield server
    server.close()


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    make_wheel(index.folder, "alpha", "1.0")
    found = write_project(tmp_path / "p", {"requirements.in": "alpha\n"})
    assert run("freeze", cwd=found).code == 0
    return found


def test_what_is_locked_is_synced_and_told_after_one_attempt(root: Path, silent: Silent) -> None:
    (root / "requirements.in").write_text(f"-c {silent.url}\nalpha\n")
    for words in ("sync", "sync --check", "sync --locked", "status"):
        done = run(*words.split(), cwd=root)
        assert done.code == 0, done.stdout + done.stderr
        assert "limits.txt" in done.stdout + done.stderr
        assert silent.asked == 1
    assert versions_in(root) == {"alpha": "1.0"}


@pytest.mark.parametrize("text", ["alpha\n", "alpha==1.0\nbeta\n"])
def test_freeze_is_refused_and_says_what_to_do(root: Path, silent: Silent, text: str) -> None:
    (root / "requirements.in").write_text(f"-c {silent.url}\n{text}")
    before = (root / "requirements.txt").read_text()
    told = run("freeze", "--format", "json", cwd=root)
    assert told.code == 2
    (problem,) = told.json["problems"]
    assert problem["code"] == "constraints-unreachable"
    assert problem["line"] == 1
    assert "keep a copy" in problem["advice"]
    assert silent.asked == 1
    assert (root / "requirements.txt").read_text() == before


def test_a_stale_lock_is_not_frozen_without_them(root: Path, silent: Silent) -> None:
    (root / "requirements.in").write_text(f"-c {silent.url}\nalpha\nbeta\n")
    told = run("sync", cwd=root)
    assert told.code == 2
    assert "limits.txt" in told.stderr
    assert not (root / "venv").exists()


def test_neither_do_those_that_pip_is_configured_with_stop_a_sync(
    root: Path, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONSTRAINT", silent.url)
    assert run("sync", cwd=root).code == 0
    told = run("freeze", cwd=root)
    assert told.code == 2
    assert "PIP_CONSTRAINT" in told.stderr
