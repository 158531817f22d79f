"""The lock of an environment taken at once, or not at all; imports next to nothing.

It is the lock that :func:`venvman.files.inter_process_lock` takes, which can also wait.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["locked_at_once"]


@contextmanager
def locked_at_once(path: str, *, who: str) -> Iterator[bool]:
    """Holds the lock file ``path`` (created, never removed), if it is free; whether it is held.

    ``who`` is told to those who wait. Never held where the platform has no such locks.

    Raises:
        OSError: the file cannot be opened.
    """
    try:
        import fcntl
    except ImportError:
        yield False
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        with suppress(OSError), open(f"{path.removesuffix('.lock')}.owner", "w") as owner:
            owner.write(f"process {os.getpid()} ({who})")
        yield True
    finally:
        os.close(descriptor)
