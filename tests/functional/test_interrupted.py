"""Being told to stop: one sentence, exit code 130, and no process that goes on by itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import run
from tests.support.projects import lock_of, site_of, write_project
from tests.support.wheels import make_wheel
from venvman import stamp
from venvman.__main__ import main
from venvman.directories import Directories
from venvman.environment.lifecycle import create
from venvman.install.unpackers import Unpackers
from venvman.python.interpreters import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.index import Index

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")

WORKING = """
import sys, time
from venvman.install.unpackers import Unpackers
if __name__ == "__main__":
    with Unpackers() as workers:
        workers.submit(abs, -1).result()
        print("working", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def silent_index() -> Iterator[socket.socket]:
    """A server that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield server


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_a_download_ends_it_with_one_sentence(
    tmp_path: Path, silent_index: socket.socket, number: signal.Signals
) -> None:
    (tmp_path / "requirements.in").write_text("demo\n")
    (tmp_path / "requirements.txt").write_text("demo==1.0\n")
    port = silent_index.getsockname()[1]
    running = subprocess.Popen(
        [sys.executable, "-m", "venvman", "sync", "--frozen"],
        cwd=tmp_path,
        env={**os.environ, "PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    connection, _ = silent_index.accept()
    with connection:
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "requirements.in",
        "requirements.txt",
    ]


def test_ctrl_c_while_modules_are_imported_is_told_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stamp, "answer", interrupted)
    assert main() == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = tmp_path / "working.py"
    script.write_text(WORKING)
    running = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "working\n"
    running.kill()
    # The workers share the pipe: reading ends when the last of them does.
    running.communicate(timeout=20)


def test_ctrl_c_does_not_wait_for_work_that_was_not_begun() -> None:
    workers = Unpackers()
    with pytest.raises(KeyboardInterrupt), workers:  # noqa: PT012 - what raises is what is inside
        pending = [workers.submit(time.sleep, 0.2) for _ in range(100)]
        raise KeyboardInterrupt
    assert pending[-1].cancelled()


@pytest.mark.parametrize("locked", [{"alpha"}, set()])
def test_an_environment_whose_making_was_killed_before_it_was_filled_gets_its_pip(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch, locked: set[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    lock = lock_of(*(make_wheel(index.folder, name) for name in locked))
    root = write_project(
        tmp_path / "shop", {"requirements.txt": "\n".join(locked), "requirements.lock": lock}
    )
    directories = Directories.of(os.environ)
    create(root / "venv", running(directories=directories), directories=directories)

    assert run("sync", "--frozen", cwd=root).code == 0

    folders = {path.name.partition("-")[0] for path in site_of(root).glob("*.dist-info")}
    assert folders == {*locked, "pip"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other platforms refuse otherwise")
def test_a_lock_file_that_cannot_be_opened_is_named_and_how_to_get_it_back(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a sync by another user; a folder in its place is refused to root, too."""
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    wheel = make_wheel(index.folder, "demo")
    files = {"requirements.txt": "demo\n", "requirements.lock": lock_of(wheel)}
    root = write_project(tmp_path / "shop", files)
    lock = Directories.of(os.environ).environment_lock(root / "venv")
    lock.mkdir(parents=True)

    ran = run("sync", "--frozen", "--format", "json", cwd=root)

    (problem,) = ran.json["problems"]
    assert (ran.code, problem["code"]) == (2, "state-unwritable")
    assert problem["path"] == str(lock)
    assert problem["fix"] == f"sudo chown {os.getuid()} {lock}"
    assert not (root / "venv").exists()
