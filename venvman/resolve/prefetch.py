"""Fetching ahead of the solver, in threads: what it will most likely ask next.

For every name that comes up, the page, then the metadata of the best version that fits what was
asked first, then the same for what that depends on. Only what :class:`Supply` remembers is filled,
so a wrong guess costs a request and never changes a result. What is kept from earlier runs is read
in the thread that asks, to find out what else has to be fetched: there is nothing to wait for.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from venvman.model.errors import VenvmanError
from venvman.resolve.demand import DependencyInvalid, specifier_set
from venvman.system.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.specifiers import SpecifierSet

    from venvman.index.candidates import Candidate
    from venvman.model.names import NormalizedName
    from venvman.resolve.demand import Pin
    from venvman.resolve.supply import Described, Shared

    _Request = tuple[NormalizedName, str, str]

THREADS = 12
"""At most so many requests under way: more made the large workload no faster."""


class Prefetcher:
    """``limits`` are specifiers (constraints, existing pins) that a guess has to respect."""

    def __init__(
        self,
        shared: Shared,
        *,
        limits: Mapping[NormalizedName, SpecifierSet],
        threads: int = THREADS,
    ) -> None:
        self._supply = shared.supply
        self._dependencies = shared.dependencies
        self._limits = limits
        self._pool = WorkerPool(threads)
        self._idle = threads == 0
        self._seen: set[tuple[NormalizedName, str]] = set()
        self._guesses: dict[NormalizedName, Described] = {}
        self._hurried: set[Pin] = set()
        self._looked: set[tuple[NormalizedName, str]] = set()

    def close(self) -> None:
        """Drops what was not begun."""
        self._pool.close()

    def want(self, name: NormalizedName, extra: str, specifier: str) -> None:
        """Somebody asks for ``name`` in a version that fits ``specifier``."""
        if self._idle:
            return
        pending = [(name, extra, specifier)]
        for each in pending:  # grows as it is walked
            if each[:2] not in self._seen:
                self._seen.add(each[:2])
                pending += self._followed(*each)

    def alternatives(self, pins: Iterable[Pin]) -> None:
        """The solver goes back over versions of one name: these may be next, in this order."""
        for pin in () if self._idle else pins:
            if pin.base.files and pin.base not in self._hurried:
                self._hurried.add(pin.base)
                candidate = pin.base.files[0]
                self._pool.submit(self._quiet(partial(self._look, candidate)), urgency=1)

    def _look(self, candidate: Candidate) -> None:
        """Learns what ``candidate`` depends on, and what the best version of each of those does."""
        described = self._supply.foreseen(candidate)
        if described is None:
            return
        for each in self._dependencies.of(described.requires):
            key = (each.name, each.specifier)
            if each.url is None and key not in self._looked:
                self._looked.add(key)
                self._pool.submit(self._quiet(partial(self._described, each.name, each.specifier)))

    def _described(self, name: NormalizedName, specifier: str) -> Described | None:
        """What the best version that fits says of itself; None where there is none to be had."""
        candidate = self._best(name, specifier)
        return None if candidate is None else self._supply.foreseen(candidate)

    def _best(self, name: NormalizedName, specifier: str) -> Candidate | None:
        wanted = specifier_set(specifier)
        limit = self._limits.get(name)
        found = self._supply.candidates(name).matching(wanted if limit is None else wanted & limit)
        return next(found, None)

    def _followed(self, name: NormalizedName, extra: str, specifier: str) -> Iterable[_Request]:
        """What ``name`` brings in, as far as that is known; a thread fetches what is not."""
        if self._at_hand(name, specifier):
            with suppress(VenvmanError, DependencyInvalid):
                return self._guess(name, extra, specifier)
        else:
            self._pool.submit(self._quiet(partial(self._fetch, name, extra, specifier)))
        return ()

    def _at_hand(self, name: NormalizedName, specifier: str) -> bool:
        """Whether nobody has to be asked: handing that to a thread costs more than it takes."""
        if name in self._guesses:
            return True
        if not self._supply.at_hand(name):
            return False
        with suppress(VenvmanError, DependencyInvalid):
            candidate = self._best(name, specifier)
            return candidate is None or self._supply.foreseen_at_hand(candidate)
        return True

    def _fetch(self, name: NormalizedName, extra: str, specifier: str) -> None:
        for each in self._guess(name, extra, specifier):
            self.want(*each)

    def _guess(self, name: NormalizedName, extra: str, specifier: str) -> list[_Request]:
        """What the best version that fits what was asked first depends on."""
        described = self._guesses.get(name) or self._described(name, specifier)
        if described is None:
            return []
        self._guesses[name] = described
        return [
            (each.name, further, each.specifier)
            for each in self._dependencies.of(described.requires, extra=extra)
            if each.url is None
            for further in ("", *each.extras)
        ]

    @staticmethod
    def _quiet(task: Callable[[], object]) -> Callable[[], None]:
        """``task``, its errors ignored: the solver meets them too, if it ever comes there."""

        def run() -> None:
            with suppress(VenvmanError, DependencyInvalid):
                task()

        return run
