"""Turns: of several processes that want one wheel, the first fetches it and the others wait.

Where the platform or the filesystem has no such locks, or the cache cannot be written, nobody
waits, and what comes second is thrown away by the store.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import final

__all__ = ["Turn"]

_LOCKS = 256
"""So many lock files stand for all wheels; who holds one never waits for another."""


@final
class Turn:
    """The turn of fetching ``name`` into ``cache``; making it waits, :meth:`end` ends it."""

    def __init__(self, cache: Path, name: str) -> None:
        self._descriptor: int | None = None
        try:
            import fcntl
        except ImportError:
            return
        number = zlib.crc32(name.encode()) % _LOCKS
        with suppress(OSError):
            folder = Path(cache, "turns")
            folder.mkdir(exist_ok=True)
            descriptor = os.open(folder / f"{number:02x}", os.O_RDWR | os.O_CREAT, 0o666)
            self._descriptor = descriptor
            fcntl.flock(descriptor, fcntl.LOCK_EX)

    def end(self) -> None:
        """Lets the next one in; may be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        """For a task that was dropped before it began."""
        self.end()
