"""Worker processes for unpacking: started with the first wheel that is worth one.

Inflating and hashing hold the interpreter lock for much of the time, so threads would take turns
with the downloads; processes use the second core.

:mod:`multiprocessing` is not for libraries: its workers run the caller's main program again, and
its forks copy locks that other threads hold. These run :func:`venvman.obtain.unpackers.work`
and nothing else.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import suppress
from threading import BoundedSemaphore, Lock
from typing import IO, TYPE_CHECKING, cast

from venvman.store.store import unpack_entry
from venvman.system.process import converse

if TYPE_CHECKING:
    from typing_extensions import Self

    from venvman.system.process import Conversation

_MOST = 4
# An archive of fewer bytes is unpacked in less time than a worker needs to start.
_SMALL = 100_000
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from venvman.obtain.unpackers import work; work()"
)


class Unpackers:
    """As many workers as cores, at most four; a context manager, for any number of threads."""

    def __init__(self) -> None:
        self._slots = BoundedSemaphore(min(os.cpu_count() or 1, _MOST))
        self._workers: list[Conversation] = []
        self._idle: list[Conversation] = []
        self._closed = False
        self._starting = Lock()

    def unpack(self, folder: str, wheel: str, sha256: str) -> None:
        """Does what :func:`venvman.store.store.unpack_entry` does, and raises what that raises."""
        with self._slots:
            if os.stat(wheel).st_size < _SMALL:  # noqa: PTH116 - of a string
                unpack_entry(folder, wheel, sha256)
                return
            try:
                worker = self._idle.pop() if self._idle else self._start()
                tasks, answers = cast("IO[bytes]", worker.stdin), cast("IO[bytes]", worker.stdout)
                pickle.dump((folder, wheel, sha256), tasks)
                tasks.flush()
                error: Exception | None = pickle.load(answers)  # noqa: S301 - our own process
            except (OSError, EOFError, ValueError):
                # It could not be started, or was killed, its pipes closed. After Ctrl-C by us.
                if self._closed:
                    raise
                unpack_entry(folder, wheel, sha256)
                return
            self._idle.append(worker)
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the workers; what they still do, nobody wants after an error or Ctrl-C."""
        with self._starting:
            self._closed = True
        for worker in self._workers:
            worker.terminate()  # idle; after an error it removes what it has begun
        for worker in self._workers:
            with suppress(OSError), worker:  # waits
                pass

    def _start(self) -> Conversation:
        if not sys.executable:
            raise FileNotFoundError  # Python is part of another program
        with self._starting:
            if self._closed:
                raise EOFError
            # -I: a file of the working folder must not pass for a module.
            worker = converse([sys.executable, "-I", "-c", _PROGRAM, *sys.path])
            self._workers.append(worker)
        return worker


def work() -> None:
    """Unpacks the wheels that stdin names, one pickled task at a time, and says how each ended.

    It leaves Ctrl-C to the process that started it, and ends with that one: its pipe does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    # Whatever prints must not end up among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            task = pickle.load(sys.stdin.buffer)  # noqa: S301 - our own process
        except EOFError:
            return
        try:
            unpack_entry(*task)
        except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
            answer: Exception | None = error
        else:
            answer = None
        pickle.dump(answer, answers)
        answers.flush()
