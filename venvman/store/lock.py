"""The cache's lock: any number of commands that use it, or one that takes things out of it.

Whatever is in the cache may vanish, but not under the hands of a command that is about to link it.
Where the platform or the filesystem has no such locks, or the cache cannot be written, nobody is
kept out: wheels that are gone are then fetched again.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["LOCK", "emptying", "using"]

LOCK = ".lock"


@contextlib.contextmanager
def using(cache: Path) -> Iterator[None]:
    """Keeps things in ``cache`` for the block; waits while somebody takes some out (briefly)."""
    with _locked(cache, alone=False, waiting=_quietly):
        yield


@contextlib.contextmanager
def emptying(cache: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Keeps users out of ``cache`` for the block; ``waiting`` is called before a long wait."""
    with _locked(cache, alone=True, waiting=waiting):
        yield


@contextlib.contextmanager
def _locked(cache: Path, *, alone: bool, waiting: Callable[[], None]) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows, which keeps files that are in use by itself
        yield
        return
    kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            descriptor = os.open(cache / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(descriptor, kind)
        yield


def _quietly() -> None:
    pass
