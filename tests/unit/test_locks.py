"""Locks between processes, on real files."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from venvman.system.locks import FetchLock, LockTaken, held, holder


def test_a_held_lock_is_not_given_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with held(path), pytest.raises(LockTaken), held(path, wait=0):
        pytest.fail("two hold it")


def test_a_lock_that_was_let_go_is_given_again(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with held(path):
        pass
    with held(path, wait=0), pytest.raises(LockTaken), held(path, wait=0.01):
        pytest.fail("two hold it")


def test_who_holds_it_is_told_to_those_who_wait(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert holder(path) == "another process"
    with held(path, who="venvman sync"):
        assert holder(path) == f"process {os.getpid()} (venvman sync)"


def test_who_waited_for_a_file_that_was_then_removed_holds_the_one_that_others_find(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.lock"
    waiting, done = threading.Event(), threading.Event()
    taken: list[bool] = []

    def wait() -> None:
        waiting.set()
        with held(path, wait=60):
            try:
                with held(path, wait=0):
                    taken.append(True)
            except LockTaken:
                taken.append(False)
        done.set()

    other = threading.Thread(target=wait)
    with held(path):
        other.start()
        waiting.wait()
        path.unlink()
    other.join(60)
    assert done.is_set()
    assert taken == [False]


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"), held(tmp_path / "a.lock"):
        pytest.fail("held")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_another_fetches_is_waited_for_and_the_lock_ends_once(tmp_path: Path) -> None:
    first = FetchLock(tmp_path, "one-1.0.whl")
    other = threading.Thread(target=lambda: FetchLock(tmp_path, "one-1.0.whl").release())
    other.start()
    other.join(0.1)
    assert other.is_alive()
    first.release()
    first.release()
    other.join(10)
    assert not other.is_alive()


def test_where_no_lock_can_be_had_nobody_waits(tmp_path: Path) -> None:
    FetchLock(tmp_path / "gone", "one-1.0.whl").release()
    FetchLock(tmp_path / "gone", "one-1.0.whl").release()
