from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from queue import SimpleQueue
from typing import Any

import pytest

from tests.support.cli import PATIENCE
from venvman.system.workers import WorkerPool, together


def test_every_task_is_done() -> None:
    done: SimpleQueue[int] = SimpleQueue()
    with WorkerPool(3) as pool:
        for number in range(20):
            pool.submit(lambda number=number: done.put(number))  # type: ignore[misc]
        assert sorted(done.get(timeout=PATIENCE) for _ in range(20)) == list(range(20))


def test_the_most_urgent_task_is_done_first_and_equal_ones_in_order() -> None:
    done: SimpleQueue[str] = SimpleQueue()
    begun, go = threading.Event(), threading.Event()
    with WorkerPool(1) as pool:

        def first() -> None:
            begun.set()
            go.wait(PATIENCE)

        pool.submit(first)
        # Until the only thread is busy, it would take whatever comes first.
        assert begun.wait(PATIENCE)
        for name, urgency in (("small", 1), ("large", 9), ("same", 1)):
            pool.submit(lambda name=name: done.put(name), urgency=urgency)  # type: ignore[misc]
        go.set()
        assert [done.get(timeout=PATIENCE) for _ in range(3)] == ["large", "small", "same"]


def test_tasks_run_beside_each_other() -> None:
    meeting = threading.Barrier(3)
    with WorkerPool(2) as pool:
        for _ in range(2):
            pool.submit(lambda: (meeting.wait(PATIENCE), None)[1])
        meeting.wait(PATIENCE)


def test_a_task_that_was_only_just_taken_keeps_no_thread_from_the_next() -> None:
    taken, go = threading.Event(), threading.Event()
    done: SimpleQueue[str] = SimpleQueue()
    with WorkerPool(2) as pool:
        get = pool._tasks.get

        def get_slowly(*words: Any, **options: Any) -> Any:
            task = get(*words, **options)
            if not taken.is_set():
                taken.set()
                go.wait(PATIENCE)
            return task

        pool._tasks.get = get_slowly  # type: ignore[method-assign]
        pool.submit(lambda: None)
        assert taken.wait(PATIENCE)
        pool.submit(lambda: done.put("second"))
        second = done.get(timeout=10)
        go.set()
    assert second == "second"


def test_after_closing_nothing_new_begins() -> None:
    begun = threading.Event()
    go = threading.Event()
    late: list[str] = []
    pool = WorkerPool(1)

    def task() -> None:
        begun.set()
        go.wait(PATIENCE)

    pool.submit(task)
    pool.submit(lambda: late.append("late"))
    begun.wait(PATIENCE)
    pool.close()
    pool.submit(lambda: late.append("later"))
    go.set()
    for thread in pool._threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert late == []


def test_a_stalled_task_does_not_hold_up_the_end_of_the_program() -> None:
    program = (
        "import time\nfrom venvman.system.workers import WorkerPool\n"
        "with WorkerPool(1) as pool:\n"
        "    pool.submit(lambda: time.sleep(60))\n    time.sleep(0.05)\n"
    )
    subprocess.run([sys.executable, "-c", program], timeout=50, check=True)


def test_what_a_task_raises_is_printed_nowhere_and_the_next_one_is_done(
    capfd: pytest.CaptureFixture[str],
) -> None:
    done: SimpleQueue[str] = SimpleQueue()

    def wrong() -> None:
        raise ZeroDivisionError

    with WorkerPool(1) as pool:
        pool.submit(wrong)
        pool.submit(lambda: done.put("next"))
        assert done.get(timeout=PATIENCE) == "next"
    assert capfd.readouterr() == ("", "")


def test_what_is_done_together_comes_back_in_order_and_fails_when_all_have_ended() -> None:
    both = threading.Barrier(2, timeout=PATIENCE)
    ended: list[str] = []

    def waiting(word: str, *, fails: bool) -> str:
        both.wait()
        ended.append(word)
        if fails:
            raise ValueError(word)
        return word

    tasks = [partial(waiting, "one", fails=False), partial(waiting, "two", fails=False)]
    assert together(tasks) == ["one", "two"]
    ended.clear()
    tasks = [partial(waiting, "one", fails=True), partial(waiting, "two", fails=True)]
    with pytest.raises(ValueError, match="one"):
        together(tasks)
    assert sorted(ended) == ["one", "two"]
    assert together([]) == []
