"""What a worker process of :mod:`venvman.install.unpackers` does."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import TYPE_CHECKING

from venvman.store.store import unpack_entry

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["work"]


def work() -> None:
    """Unpacks the wheels that stdin names, one pickled task at a time, and says how each ended.

    It leaves Ctrl-C to the process that started it, and ends with that one: its pipe does.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
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


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(1)
