"""How slowly a server may send: waits are bounded one by one, and here all together.

A time-out counts from byte to byte, so a byte now and then would be waited for without end.
"""

from __future__ import annotations

import time
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from typing_extensions import Buffer

SLOWEST = 100
"""Bytes a second; less than the slowest modem."""


class TooSlow(TimeoutError):
    """A server sends, but so slowly that the end is not to be waited for."""


class Pace:
    """Adds up, over ``window`` seconds of waiting, what came."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._waited = 0.0
        self._received = 0

    def note(self, *, waited: float, received: int) -> None:
        """Takes note of one wait.

        Raises:
            TooSlow: a window is over, and less than :data:`SLOWEST` bytes a second came in it.
        """
        self._waited += waited
        self._received += received
        if self._waited < self._window:
            return
        if self._received < SLOWEST * self._waited:
            raise TooSlow
        self._waited, self._received = 0.0, 0


def window_of(timeout: float) -> float:
    """The seconds that count together where one wait may take ``timeout``."""
    return 2 * timeout


def is_too_slow(error: BaseException) -> bool:
    """Whether ``error`` was raised because of a :class:`TooSlow`."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, TooSlow):
        seen = seen.__cause__ or seen.__context__
    return seen is not None


class Paced:
    """Stands for a socket whose only use is to be made a file, read at a :class:`Pace`."""

    def __init__(self, sock: socket) -> None:
        self._socket = sock

    def makefile(self, mode: str) -> Any:  # noqa: ANN401 - what sockets return
        """The socket as a file."""
        timeout = self._socket.gettimeout()
        if timeout is None:
            return self._socket.makefile(mode)  # type: ignore[call-overload]
        return BufferedReader(_Reader(self._socket, Pace(window_of(timeout)), time.monotonic))


class _Reader(RawIOBase):
    """The socket's own reader, which still owns it, with a clock beside it."""

    def __init__(self, sock: socket, pace: Pace, clock: Callable[[], float]) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._pace = pace
        self._clock = clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int | None:
        begun = self._clock()
        received = self._raw.readinto(memoryview(buffer))
        if received:
            self._pace.note(waited=self._clock() - begun, received=received)
        return received

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()
