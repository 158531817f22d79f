"""Being told to stop: one sentence, exit code 130, and no process that goes on by itself."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.support.cli import PATIENCE, ended, run, started
from tests.support.index import Index
from tests.support.projects import HEADER, lock_of, site_of, snapshot, write_project
from tests.support.wheels import make_wheel
from venvman.__main__ import main
from venvman.environment.lifecycle import create
from venvman.obtain.unpackers import Unpackers
from venvman.python.interpreters import running
from venvman.system import memo
from venvman.system.directories import Directories

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")

WORKING = """
import sys, time
from venvman.model.errors import InstallError
from venvman.obtain.unpackers import Unpackers
with Unpackers() as workers:
    try:
        workers.unpack(*sys.argv[1:])
    except InstallError:
        pass
    print(*(each.pid for each in workers._workers), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def silent_index() -> Iterator[socket.socket]:
    """A server that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_a_download_ends_it_with_one_sentence(
    tmp_path: Path, silent_index: socket.socket, number: signal.Signals
) -> None:
    (tmp_path / "requirements.in").write_text("demo\n")
    (tmp_path / "requirements.txt").write_text("demo==1.0\n")
    port = silent_index.getsockname()[1]
    index = {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple"}
    if signal.getsignal(number) is signal.SIG_IGN:  # under nohup, and so would every child
        signal.signal(number, signal.SIG_DFL)
    with started("-m", "venvman", "sync", "--frozen", cwd=tmp_path, env=index) as running:
        connection, _ = silent_index.accept()
        with connection:
            running.send_signal(number)
            out, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "Interrupted."
    assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "requirements.in",
        "requirements.txt",
    ]


LOCKING = """
import threading, time
from functools import partial
from signal import SIGINT, raise_signal
from venvman.__main__ import _end_in_order

class Lock:
    acquire = release = None
    held = True
    # In C: what sees the signal is the function of `threading` that takes the lock.
    __enter__ = staticmethod(partial(raise_signal, SIGINT))
    def __exit__(self, *_):
        self.held = False

lock = Lock()
_end_in_order()
try:
    with threading.Condition(lock):
        pass
    time.sleep(60)
except KeyboardInterrupt:
    print("held" if lock.held else "free")
"""


def test_ctrl_c_leaves_no_lock_that_cleaning_up_would_wait_for() -> None:
    done = ended([sys.executable, "-c", LOCKING])
    assert (done.stdout, done.stderr) == ("free\n", "")


WAITING = """
import threading, time
from signal import SIGINT, pthread_kill
from venvman.__main__ import _end_in_order

def tell() -> None:
    time.sleep(0.2)
    pthread_kill(threading.get_ident(), SIGINT)  # the main thread does not notice

lock = threading.Lock()
lock.acquire()
_end_in_order()
threading.Thread(target=tell, daemon=True).start()
try:
    lock.acquire()
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_is_seen_also_by_who_waits_for_a_lock_already() -> None:
    done = ended([sys.executable, "-c", WAITING], timeout=PATIENCE)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


def test_ctrl_c_while_modules_are_imported_is_told_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(memo, "recall", interrupted)
    monkeypatch.setattr(sys, "argv", ["venvman", "status"])
    assert main() == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = tmp_path / "working.py"
    script.write_text(WORKING)
    (tmp_path / "no.whl").write_bytes(bytes(100_000))
    with started(str(script), str(tmp_path), str(tmp_path / "no.whl"), "a" * 64) as running:
        assert running.stdout is not None
        (worker,) = map(int, running.stdout.readline().split())
    deadline = time.monotonic() + PATIENCE
    while is_alive(worker):
        assert time.monotonic() < deadline, "the worker goes on"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that ended and that nobody has waited for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self").exists()  # a platform without /proc: it took the signal


def test_ctrl_c_ends_a_worker_in_the_middle_of_a_wheel_and_leaves_nothing(tmp_path: Path) -> None:
    body = os.urandom(100_000)
    files = {f"demo/{number}.bin": body for number in range(2000)}
    wheel = make_wheel(tmp_path / "wheels", "demo", files=files)
    workers = Unpackers()
    staging = tmp_path / "cache" / "wheels-v1" / "staging"

    def unpack() -> None:
        with suppress(OSError, EOFError, ValueError):
            workers.unpack(str(tmp_path / "cache"), str(wheel), "a" * 64)

    thread = Thread(target=unpack)
    with pytest.raises(KeyboardInterrupt), workers:  # noqa: PT012 - what raises is what is inside
        thread.start()
        while not any(staging.glob("*/files/demo/*")):
            time.sleep(0.001)
        raise KeyboardInterrupt
    thread.join(PATIENCE)
    assert all(each.returncode is not None for each in workers._workers)
    assert list(staging.iterdir()) == []


def test_a_wheel_whose_worker_was_killed_is_unpacked_all_the_same(tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path / "wheels", name) for name in ("one", "two")]
    with Unpackers() as workers:
        for number, wheel in enumerate(wheels):
            workers.unpack(str(tmp_path / "cache"), str(wheel), f"{number}" * 64)
            for each in workers._workers:
                each.kill()
    made = sorted(path.parent.name for path in tmp_path.glob("cache/wheels-v1/*/*/manifest.json"))
    assert made == ["0" * 64, "1" * 64]


@pytest.mark.parametrize("locked", [{"alpha"}, set()])
def test_an_environment_whose_making_was_killed_before_it_was_filled_gets_its_pip(
    tmp_path: Path, index: Index, locked: set[str]
) -> None:
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
    tmp_path: Path, index: Index
) -> None:
    """As after a sync by another user; a folder in its place is refused to root, too."""
    wheel = make_wheel(index.folder, "demo")
    files = {"requirements.txt": "demo\n", "requirements.lock": lock_of(wheel)}
    root = write_project(tmp_path / "shop", files)
    lock = Directories.of(os.environ).environment_lock(root / "venv")
    lock.mkdir(parents=True)
    ran = run("sync", "--frozen", "--format", "json", cwd=root)
    (problem,) = ran.json["problems"]
    assert (ran.code, problem["code"]) == (2, "state-unwritable")
    assert problem["path"] == str(lock)
    assert "VENVMAN_STATE_DIR" in problem["advice"]
    assert not (root / "venv").exists()


EDITS = {
    "add": ["add", "other"],
    "add to a new group": ["add", "--group", "docs", "other"],
    "remove": ["remove", "demo"],
    "upgrade": ["upgrade"],
    "freeze anew": ["freeze", "--upgrade"],
    "sync": ["sync"],
}
SENT = {
    "Ctrl-C": [signal.SIGINT],
    "Ctrl-C twice": [signal.SIGINT, signal.SIGINT],
    "termination": [signal.SIGTERM],
    "termination twice": [signal.SIGTERM, signal.SIGTERM],
    "a kill": [signal.SIGKILL],
}


@pytest.mark.parametrize("sent", SENT)
@pytest.mark.parametrize("edit", EDITS)
def test_whatever_ends_an_edit_leaves_the_files_as_they_were(
    tmp_path: Path, silent_index: socket.socket, edit: str, sent: str
) -> None:
    """The index takes connections and never answers: requests are under way in several threads."""
    files = {"requirements.in": "demo\nmore\nyet\n", "requirements.txt": HEADER}
    root = write_project(tmp_path / "shop", files)
    before = snapshot(root)
    port = silent_index.getsockname()[1]
    index = {"PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple"}
    with started("-m", "venvman", *EDITS[edit], cwd=root, env=index) as running:
        connection, _ = silent_index.accept()
        with connection:
            for number in SENT[sent]:
                running.send_signal(number)
            out, err = running.communicate(timeout=PATIENCE)
    assert snapshot(root) == before
    assert (out, "Traceback" in err) == ("", False)
    if sent != "a kill":
        assert running.returncode == 130
        assert err.splitlines()[-1] == "Interrupted."
