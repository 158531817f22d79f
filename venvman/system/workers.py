"""A few threads that work through tasks, the most urgent first, and never hold up an exit.

:class:`concurrent.futures.ThreadPoolExecutor` knows no order and makes the interpreter wait for its
threads: after Ctrl-C a stalled download would keep the terminal for as long as its timeout.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from itertools import count
from queue import Empty, PriorityQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar, final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


@final
class WorkerPool:
    """Up to ``size`` threads, started as tasks come; tasks tell of their errors themselves."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._order = count()
        self._tasks: PriorityQueue[tuple[int, int, Callable[[], None]]] = PriorityQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._unfinished = 0
        self._closed = False

    def submit(self, task: Callable[[], None], *, urgency: int = 0) -> None:
        """Queues ``task``; the greatest ``urgency`` is done first, equal ones in their order."""
        self._tasks.put((-urgency, next(self._order), task))
        with self._lock:
            self._unfinished += 1
            free = self._size > len(self._threads) < self._unfinished
            if free and not self._closed:
                thread = threading.Thread(target=self._work, daemon=True)
                self._threads.append(thread)
                thread.start()

    def close(self) -> None:
        """Drops what was not begun; what was begun goes on unobserved. Returns at once."""
        with self._lock:
            self._closed = True
        with suppress(Empty):
            while True:
                self._tasks.get_nowait()
        for _ in self._threads:
            # Wakes a thread so that it sees that the pool is closed.
            self._tasks.put((1, next(self._order), lambda: None))

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self) -> None:
        while not self._closed:
            _, _, task = self._tasks.get()
            # A thread has nobody to raise to: it would print a traceback into what is said.
            with suppress(BaseException):
                task()
            with self._lock:
                self._unfinished -= 1


def together(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """What ``tasks`` give, each done by a thread, the first by this one.

    Raises:
        What the first that fails raises, when all have ended; Ctrl-C waits for them, too.
    """
    ends: dict[int, T] = {}
    errors: dict[int, BaseException] = {}

    def do(number: int) -> None:
        try:
            ends[number] = tasks[number]()
        except BaseException as error:  # noqa: BLE001 - a thread must not lose any
            errors[number] = error

    threads = [Thread(target=do, args=(number,)) for number in range(1, len(tasks))]
    for thread in threads:
        thread.start()
    try:
        if tasks:
            do(0)
    finally:
        for thread in threads:
            thread.join()
    if errors:
        raise errors[min(errors)]
    return [ends[number] for number in range(len(tasks))]
