"""Locks between processes: ``flock`` on files that are made where needed and are not removed.

A lock ends with the process that holds it, however that ends. Imports next to nothing: a switch
between snapshots takes one too. (filelock takes longer to import than such a switch takes, and
knows neither shared locks nor ones that a child inherits.)

Where the filesystem has no such locks, or their folder cannot be written,
:func:`held` raises an ``OSError``. The cache's own locks (:func:`using`, :class:`FetchLock`) then
keep nobody out: what comes second is thrown away, what is gone is fetched again.
"""

from __future__ import annotations

import os
import time
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CACHE_LOCK = ".lock"
_PAUSE = 0.02
_FETCH_LOCKS = 256
"""So many lock files stand for all wheels; who holds one never waits for another."""


class LockTaken(TimeoutError):
    """Somebody else held the lock for longer than one would wait."""


@contextmanager
def held(
    path: str | os.PathLike[str], *, wait: float = -1, who: str | None = None
) -> Iterator[int]:
    """Holds the lock file ``path`` for the block: its descriptor, for a child to inherit.

    Its folder is made, for this user alone. ``wait`` is seconds, -1 for ever. :func:`holder` tells
    those who wait of ``who``.

    Raises:
        LockTaken: somebody else held it for longer than ``wait``.
        OSError: the file cannot be opened or locked.
    """
    try:
        descriptor = _taken(path, wait=wait)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = _taken(path, wait=wait)
    try:
        if who is not None:
            with suppress(OSError), open(_owner(path), "w") as owner:
                owner.write(f"process {os.getpid()} ({who})")
        yield descriptor
    finally:
        os.close(descriptor)


def holder(path: str | os.PathLike[str]) -> str:
    """Who holds the lock ``path``, in words."""
    try:
        with open(_owner(path), errors="replace") as stream:
            return stream.read(1000)
    except OSError:
        return "another process"


def _owner(path: str | os.PathLike[str]) -> str:
    return f"{os.fspath(path).removesuffix('.lock')}.owner"


@contextmanager
def using(
    cache: str | os.PathLike[str], *, alone: bool = False, waiting: Callable[[], None] | None = None
) -> Iterator[None]:
    """Keeps things in ``cache`` for the block; waits while somebody takes some out (briefly).

    Who takes some out uses it ``alone``: ``waiting`` is called before a long wait for the others.
    """
    path = os.path.join(cache, CACHE_LOCK)
    descriptor = None
    with suppress(OSError):
        try:
            descriptor = _taken(path, wait=0, shared=not alone)
        except LockTaken:
            if waiting is not None:
                waiting()
            descriptor = _taken(path, shared=not alone)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@final
class FetchLock:
    """Of several processes that want the file ``name``, the first fetches it, the others wait.

    Making it waits, :meth:`release` lets the next one in, in whatever thread.
    """

    def __init__(self, cache: str | os.PathLike[str], name: str) -> None:
        self._descriptor: int | None = None
        number = zlib.crc32(name.encode()) % _FETCH_LOCKS
        folder = os.path.join(cache, "turns")
        with suppress(OSError):
            if not os.path.isdir(folder):
                os.mkdir(folder)
            self._descriptor = _taken(os.path.join(folder, f"{number:02x}"))

    def release(self) -> None:
        """Lets the next one in; may be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        """For a task that was dropped before it began."""
        self.release()


def _taken(path: str | os.PathLike[str], *, wait: float = -1, shared: bool = False) -> int:
    """The descriptor that holds the lock until it is closed; raises as :func:`held` does."""
    import fcntl

    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    end = time.monotonic() + wait
    while True:
        # Others that write to the folder must not lead us elsewhere.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(descriptor, kind if wait < 0 else kind | fcntl.LOCK_NB)
            # Who held it before may have removed the file: then it locks nobody out.
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BlockingIOError:
            if time.monotonic() >= end:
                os.close(descriptor)
                raise LockTaken(f"{os.fspath(path)} is held by another process") from None
            time.sleep(_PAUSE)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
