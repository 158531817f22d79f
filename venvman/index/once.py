"""One computation per key, whoever asks and however many at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class Once(Generic[K, V]):
    """Remembers results by key. Those who ask while the first computes wait for its result.

    An exception is remembered too: sixteen threads that meet a dead index wait for it once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[K, _Slot[V]] = {}

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The result for ``key``, made by ``make`` if nobody has."""
        slot = self._slots.get(key)
        if slot is None:
            with self._lock:
                slot = self._slots.get(key)
                mine = slot is None
                if slot is None:
                    slot = self._slots[key] = _Slot()
            if mine:
                try:
                    slot.finish(make(), None)
                except BaseException as error:  # noqa: BLE001 - it goes on to all who wait
                    if not isinstance(error, Exception):
                        self.forget(key)  # Ctrl-C says nothing about the key
                    slot.finish(None, error)
        return slot.result()

    def known(self, key: K) -> bool:
        """Whether a result or an exception is there already."""
        slot = self._slots.get(key)
        return slot is not None and slot.done

    def forget(self, key: K) -> None:
        """The next to ask computes again."""
        with self._lock:
            self._slots.pop(key, None)


class _Slot(Generic[V]):
    """One result to come: the futures of the standard library cost ten times as much.

    Whoever makes it holds the lock, so that waiting is taking it.
    """

    __slots__ = ("_error", "_lock", "_value", "done")

    def __init__(self) -> None:
        self.done = False
        self._lock = threading.Lock()
        self._lock.acquire()
        self._value: V | None = None
        self._error: BaseException | None = None

    def finish(self, value: V | None, error: BaseException | None) -> None:
        self._value, self._error, self.done = value, error, True
        self._lock.release()

    def result(self) -> V:
        if not self.done:
            with self._lock:
                pass
        if self._error is not None:
            raise self._error
        return cast("V", self._value)
