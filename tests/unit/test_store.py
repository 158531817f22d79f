"""The store: unpacked once, whole or absent, never believed when it has changed."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.wheels import large, make_wheel, sha256_of
from venvman.model.errors import InstallError, Problem
from venvman.model.events import Reporter
from venvman.obtain.unpackers import Unpackers
from venvman.store.store import Store, changed_files, unpack_entry

REPOSITORY = Path(__file__).parents[2]


class Listener(Reporter):
    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)


def digest(wheel: Path) -> str:
    return sha256_of(wheel).removeprefix("sha256:")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return make_wheel(tmp_path / "wheels", "demo", files={"demo/__init__.py": "x = 1\n"})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "cache") as opened:
        yield opened


def left_over(cache: Path) -> list[Path]:
    return list((cache / "wheels-v1/staging").iterdir())


def test_a_wheel_added_is_got_back_by_its_digest(store: Store, wheel: Path, tmp_path: Path) -> None:
    sha256 = digest(wheel)
    assert store.get(sha256) is None
    added = store.add(wheel, sha256=sha256)
    assert store.get(sha256) == added
    assert added.filename == wheel.name
    assert added.folder == tmp_path / "cache/wheels-v1" / sha256[:2] / sha256 / "files"
    assert (added.folder / "demo/__init__.py").read_text() == "x = 1\n"
    assert left_over(tmp_path / "cache") == []


def test_the_cache_is_private_and_marked_as_a_cache(
    store: Store, wheel: Path, tmp_path: Path
) -> None:
    store.add(wheel, sha256=digest(wheel))
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert (tmp_path / "cache/CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d1")


def test_files_bear_the_time_of_unpacking(store: Store, wheel: Path) -> None:
    before = int(time.time())
    added = store.add(wheel, sha256=digest(wheel))
    found = (added.folder / "demo/__init__.py").stat().st_mtime
    assert before <= found <= time.time()


def test_no_two_entries_of_a_project_bear_the_same_second(store: Store, tmp_path: Path) -> None:
    seconds = set()
    for number in range(5):
        wheel = make_wheel(tmp_path / "wheels", "demo", f"{number}.0")
        added = store.add(wheel, sha256=digest(wheel))
        seconds.add(added.manifest.mtime_ns // 10**9)
    assert len(seconds) == 5


def test_adding_twice_unpacks_once(store: Store, wheel: Path) -> None:
    first = store.add(wheel, sha256=digest(wheel))
    wheel.write_bytes(b"not looked at again")
    assert store.add(wheel, sha256=first.sha256) == first
    unpack_entry(str(store._folder), str(wheel), first.sha256)


def test_a_refused_wheel_leaves_nothing(store: Store, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "wheels", "demo", raw={"../evil.py": b""})
    with pytest.raises(InstallError, match="leads out"):
        store.add(wheel, sha256="a" * 64)
    assert store.get("a" * 64) is None
    assert left_over(tmp_path / "cache") == []


def test_many_threads_and_processes_adding_one_wheel_agree(store: Store, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "large", "demo", files=large("demo"))
    sha256 = digest(wheel)
    with Unpackers() as workers, ThreadPoolExecutor(8) as threads:
        jobs = [
            threads.submit(store.add, wheel, sha256=sha256, unpack=workers.unpack) for _ in range(8)
        ]
        results = [job.result() for job in jobs]
    assert all(result == results[0] for result in results)
    assert changed_files(results[0]) == ()
    assert left_over(tmp_path / "cache") == []


def test_only_a_large_wheel_is_worth_a_worker(store: Store, tmp_path: Path) -> None:
    small = make_wheel(tmp_path / "wheels", "small")
    wheel = make_wheel(tmp_path / "wheels", "demo", files=large("demo"))
    with Unpackers() as workers:
        started = []
        for each in (small, wheel):
            store.add(each, sha256=digest(each), unpack=workers.unpack)
            started.append(len(workers._workers))
    assert started == [0, 1]


def test_a_process_killed_while_unpacking_leaves_no_entry(tmp_path: Path, wheel: Path) -> None:
    cache = tmp_path / "cache"
    # It dies when the first file is written and gets its time.
    code = (
        "import os, signal, sys; from venvman.store.store import unpack_entry\n"
        "os.utime = lambda *_, **more: os.kill(os.getpid(), signal.SIGKILL)\n"
        "unpack_entry(*sys.argv[1:])"
    )
    argv = [sys.executable, "-c", code, str(cache), str(wheel), digest(wheel)]
    assert subprocess.run(argv, cwd=REPOSITORY, check=False).returncode == -signal.SIGKILL
    assert list(cache.glob("wheels-v1/staging/*/files/demo/__init__.py"))
    store = Store(cache)
    assert store.get(digest(wheel)) is None
    (abandoned,) = left_over(cache)
    os.utime(abandoned, (0, 0))
    added = store.add(wheel, sha256=digest(wheel))
    assert changed_files(added) == ()
    assert left_over(cache) == []


def test_an_entry_whose_manifest_was_cut_by_a_crash_is_absent(store: Store, wheel: Path) -> None:
    added = store.add(wheel, sha256=digest(wheel))
    (added.folder.parent / "manifest.json").write_bytes(b"")
    assert store.get(added.sha256) is None
    assert store.add(wheel, sha256=added.sha256).manifest.paths == added.manifest.paths


def test_an_edit_that_hides_its_time_is_noticed_by_hash(store: Store, wheel: Path) -> None:
    added = store.add(wheel, sha256=digest(wheel))
    file = added.folder / "demo/__init__.py"
    file.write_text("x = 2\n")
    os.utime(file, ns=(added.manifest.mtime_ns, added.manifest.mtime_ns))
    assert changed_files(added) == ("demo/__init__.py",)
    file.unlink()
    assert changed_files(added) == ("demo/__init__.py",)


def test_a_discarded_entry_is_made_anew_with_another_time(store: Store, wheel: Path) -> None:
    added = store.add(wheel, sha256=digest(wheel))
    store.discard(added.sha256)
    store.discard(added.sha256)
    assert store.get(added.sha256) is None
    again = store.add(wheel, sha256=added.sha256)
    assert again.manifest.mtime_ns != added.manifest.mtime_ns
    assert changed_files(again) == ()


def test_a_key_is_remembered_and_a_spoilt_one_forgotten(store: Store, wheel: Path) -> None:
    assert store.recall("demo 1.0 cp311") is None
    store.add(wheel, sha256=digest(wheel))
    store.remember("demo 1.0 cp311", "c" * 64)
    store.remember("demo 1.0 cp311", "d" * 64)
    assert store.recall("demo 1.0 cp311") == "d" * 64
    (file,) = (path for path in (store._folder / "wheels-v1/keys").rglob("*") if path.is_file())
    file.write_bytes(b"\0\0")
    assert store.recall("demo 1.0 cp311") is None


def test_a_key_can_be_the_first_thing_in_a_cache(store: Store) -> None:
    store.remember("key", "c" * 64)
    assert store.recall("key") == "c" * 64


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.EROFS, "--cache-dir or in VENVMAN_CACHE_DIR"),
        (errno.ENOSPC, "`venvman cache prune`"),
        (errno.EACCES, "chmod"),
    ],
)
def test_a_cache_that_cannot_be_written_is_worked_around(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, number: int, fix: str
) -> None:
    """Root may write everything here, and a full disk is not at hand: the call itself fails."""
    cache = tmp_path / "cache"
    make = os.mkdir

    def failing(path: str, *rest: int, **more: int) -> None:
        if str(path).startswith(str(cache)):
            raise OSError(number, os.strerror(number), str(path))
        make(path, *rest, **more)

    monkeypatch.setattr(os, "mkdir", failing)
    listener = Listener()
    with Store(cache, reporter=listener) as store:
        assert changed_files(store.add(wheel, sha256=digest(wheel))) == ()
        assert os.strerror(number) in listener.problems[0].message
        assert fix in str(listener.problems[0].fix)


def test_no_room_anywhere_is_an_error_that_says_so(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: str, *rest: int, **more: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    store = Store(tmp_path / "cache")
    (tmp_path / "cache/wheels-v1/times").mkdir(parents=True)
    monkeypatch.setattr("venvman.store.unpack.os.mkdir", failing)
    with pytest.raises(InstallError, match="No space left") as caught:
        store.add(wheel, sha256=digest(wheel))
    assert caught.value.code == "store-unwritable"
    assert "`venvman cache prune`" in str(caught.value.fix)
    store.close()


def test_a_wheel_that_is_not_there_is_an_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="No such file"):
        store.add(tmp_path / "demo-1.0-py3-none-any.whl", sha256="e" * 64)


def test_a_damaged_entry_that_cannot_be_removed_is_passed_by(
    tmp_path: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path / "cache") as store:
        added = store.add(wheel, sha256=digest(wheel))
        (added.folder / "demo/__init__.py").write_text("poison")

        def failing(self: Path, target: Path) -> Path:
            raise OSError(errno.EROFS, "Read-only file system", str(self))

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", failing)
            store.discard(added.sha256)
        assert store.get(added.sha256) is None
        again = store.add(wheel, sha256=added.sha256)
        assert again.folder != added.folder
        assert changed_files(again) == ()


def test_an_entry_that_came_while_it_was_looked_for_is_not_discarded(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path, "demo")
    stored = store.add(wheel, sha256=digest(wheel))
    with monkeypatch.context() as looked_too_early:
        looked_too_early.setattr(Path, "read_bytes", Path(tmp_path, "absent").read_bytes)
        store.get(stored.sha256)
    assert store.get(stored.sha256) == stored
