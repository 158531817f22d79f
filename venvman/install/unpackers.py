"""Worker processes for unpacking: started with the first wheel, and only if there is one.

Inflating and hashing hold the interpreter lock for much of the time, so threads would take turns
with the downloads; processes use the second core.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor
from threading import Lock
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from types import TracebackType

__all__ = ["Unpackers"]

P = ParamSpec("P")
T = TypeVar("T")
_MOST = 4


class Unpackers(Executor):
    """A process pool that comes into being on first use; as many workers as cores, at most four."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._pool: Executor | None = None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs ``fn`` in a worker; it and its arguments must be importable and picklable."""
        with self._guard:
            if self._pool is None:
                self._pool = _start()
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the workers."""
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the workers; after an error or Ctrl-C nobody wants what they have not begun."""
        self.shutdown(cancel_futures=kind is not None)


def _start() -> Executor:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Not fork: the downloading threads may hold locks at that moment.
    context = multiprocessing.get_context("spawn")
    number = min(os.cpu_count() or 1, _MOST)
    return ProcessPoolExecutor(number, mp_context=context, initializer=_begin_work)


def _begin_work() -> None:
    """In a worker: it leaves Ctrl-C to the process that started it, and never outlives that one.

    A worker of :mod:`concurrent.futures` waits for work for ever when the main process was killed,
    and whoever reads their common output waits with it.
    """
    import signal
    from multiprocessing import parent_process
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=_end_with, args=(parent.join,), daemon=True).start()


def _end_with(wait: Callable[[], None]) -> None:
    wait()
    os._exit(1)
