"""Fetching ahead of the solver, in threads: what it will most likely ask next.

For every name that comes up, the page, then the metadata of the best version that fits what was
asked first, then the same for what that depends on. Only what :class:`Supply` remembers is filled,
so a wrong guess costs a request and never changes a result.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from venvman.errors import VenvmanError
from venvman.install.crew import Crew
from venvman.resolve.dependency import Dependencies, DependencyInvalid, specifier_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from packaging.specifiers import SpecifierSet

    from venvman.candidates import Candidate
    from venvman.names import NormalizedName
    from venvman.resolve.demand import Pin
    from venvman.resolve.supply import Described, Supply

__all__ = ["THREADS", "Prefetcher"]

THREADS = 12
"""At most so many requests under way: more made the large workload no faster."""


class Prefetcher:
    """``limits`` are specifiers (constraints, existing pins) that a guess has to respect."""

    def __init__(
        self,
        supply: Supply,
        dependencies: Dependencies,
        *,
        limits: Mapping[NormalizedName, SpecifierSet],
        threads: int = THREADS,
    ) -> None:
        self._supply = supply
        self._dependencies = dependencies
        self._limits = limits
        self._crew = Crew(threads)
        self._seen: set[tuple[NormalizedName, str]] = set()
        self._guesses: dict[NormalizedName, Described] = {}
        self._hurried: set[Pin] = set()
        self._looked: set[tuple[NormalizedName, str]] = set()

    def close(self) -> None:
        """Drops what was not begun."""
        self._crew.close()

    def want(self, name: NormalizedName, extra: str, specifier: str) -> None:
        """Somebody asks for ``name`` in a version that fits ``specifier``."""
        key = (name, extra)
        if key in self._seen:
            return
        self._seen.add(key)
        self._crew.submit(self._quiet(partial(self._guess, name, extra, specifier)))

    def alternatives(self, pins: Iterable[Pin]) -> None:
        """The solver goes back over versions of one name: these may be next, in this order."""
        for pin in pins:
            if pin.base.files and pin.base not in self._hurried:
                self._hurried.add(pin.base)
                candidate = pin.base.files[0]
                self._crew.submit(self._quiet(partial(self._look, candidate)), urgency=1)

    def _look(self, candidate: Candidate) -> None:
        """Learns what ``candidate`` depends on, and what the best version of each of those does."""
        described = self._supply.foreseen(candidate)
        if described is None:
            return
        for each in self._dependencies.of(described.requires):
            key = (each.name, each.specifier)
            if each.url is None and key not in self._looked:
                self._looked.add(key)
                self._crew.submit(self._quiet(partial(self._best, each.name, each.specifier)))

    def _best(self, name: NormalizedName, specifier: str) -> Described | None:
        """What the best version that fits says of itself; None where there is none to be had."""
        wanted = specifier_set(specifier)
        limit = self._limits.get(name)
        found = self._supply.candidates(name).matching(wanted if limit is None else wanted & limit)
        candidate = next(found, None)
        return None if candidate is None else self._supply.foreseen(candidate)

    def _guess(self, name: NormalizedName, extra: str, specifier: str) -> None:
        described = self._guesses.get(name) or self._best(name, specifier)
        if described is None:
            return
        self._guesses[name] = described
        for each in self._dependencies.of(described.requires, extra=extra):
            if each.url is None:
                self.want(each.name, "", each.specifier)
                for further in each.extras:
                    self.want(each.name, further, each.specifier)

    @staticmethod
    def _quiet(task: Callable[[], object]) -> Callable[[], None]:
        """``task``, its faults ignored: the solver meets them too, if it ever comes there."""

        def run() -> None:
            with suppress(VenvmanError, DependencyInvalid):
                task()

        return run
