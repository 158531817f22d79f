"""One computation per key, whoever asks and however many at once."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = ["Once"]

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class Once(Generic[K, V]):
    """Remembers results by key. Those who ask while the first computes wait for its result.

    An exception is remembered too: sixteen threads that meet a dead index wait for it once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._futures: dict[K, Future[V]] = {}

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The result for ``key``, made by ``make`` if nobody has."""
        with self._lock:
            future = self._futures.get(key)
            mine = future is None
            if future is None:
                future = self._futures[key] = Future()
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:  # noqa: BLE001 - it goes on to all who wait
                if not isinstance(error, Exception):
                    self.forget(key)  # Ctrl-C says nothing about the key
                future.set_exception(error)
        return future.result()

    def known(self, key: K) -> bool:
        """Whether a result or an exception is there already."""
        future = self._futures.get(key)
        return future is not None and future.done()

    def forget(self, key: K) -> None:
        """The next to ask computes again."""
        with self._lock:
            self._futures.pop(key, None)
