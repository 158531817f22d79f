"""Progress as an observer: the core tells, somebody may listen.

:class:`Reporter` does nothing at all; ``cli/console.py`` has the one subclass that draws. Methods
may be called from several threads.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvman.model.errors import Problem


class Stage(str, Enum):
    """The parts of a run that a summary can give a time to, in the order they happen."""

    SCAN = "scan"
    FREEZE = "freeze"
    CREATE = "create"
    PLAN = "plan"
    FETCH = "fetch"
    BUILD = "build"
    INSTALL = "install"
    VERIFY = "verify"


class Reporter:
    """One no-op method for each moment that can be observed. Sizes are bytes, times seconds."""

    @contextmanager
    def stage(self, stage: Stage, *, total: int | None = None) -> Iterator[None]:
        """Everything inside belongs to ``stage``; ``total`` counts what :meth:`advanced` will."""
        self.stage_started(stage, total=total)
        try:
            yield
        finally:
            self.stage_finished(stage)

    def stage_started(self, stage: Stage, *, total: int | None) -> None:
        """A stage began."""

    def stage_finished(self, stage: Stage) -> None:
        """A stage ended, well or not."""

    def advanced(self, stage: Stage, *, item: str) -> None:
        """One more of the stage's total is done: ``item`` says which."""

    def download_started(self, label: str, *, size: int | None) -> None:
        """``label`` names the file; unique among downloads under way."""

    def download_advanced(self, label: str, *, received: int) -> None:
        """``received`` further bytes arrived."""

    def download_finished(self, label: str) -> None:
        """The download ended, well or not."""

    def unpack_started(self, label: str) -> None:
        """The wheel ``label``, which has arrived, is being unpacked and checked."""

    def unpack_finished(self, label: str) -> None:
        """The unpacking ended, well or not."""

    def build_started(self, label: str) -> None:
        """An sdist, repository or folder is being built into a wheel."""

    def build_finished(self, label: str) -> None:
        """The build ended, well or not."""

    def detail(self, text: str) -> None:
        """A line that only ``--verbose`` shows, such as an engine's own chatter."""

    def problem(self, problem: Problem) -> None:
        """A warning or note worth showing while work goes on."""


class Relay(Reporter):
    """Passes the named moments on to another reporter, and no others."""

    def __init__(self, reporter: Reporter, *moments: str) -> None:
        self._reporter = reporter
        for moment in moments:
            setattr(self, moment, getattr(reporter, moment))


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
