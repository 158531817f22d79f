"""How long each stage of a run took, while the reporter is told of it."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvman.events import Reporter, Stage

__all__ = ["Stopwatch"]


class Stopwatch:
    """Adds up seconds of wall time per stage."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._seconds: dict[Stage, float] = defaultdict(float)

    @property
    def seconds(self) -> Mapping[Stage, float]:
        """What was measured so far."""
        return dict(self._seconds)

    @contextmanager
    def stage(self, stage: Stage, *, total: int | None = None) -> Iterator[None]:
        """Everything inside counts for ``stage``, an exception's way out included."""
        started = time.perf_counter()
        try:
            with self._reporter.stage(stage, total=total):
                yield
        finally:
            self._seconds[stage] += time.perf_counter() - started
