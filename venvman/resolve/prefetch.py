"""Fetching ahead of the solver, in threads: what it will most likely ask next.

For every name that comes up, the page, then the metadata of the best version that fits what was
asked first, then the same for what that depends on. Only what :class:`Supply` remembers is filled,
so a wrong guess costs a request and never changes a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import VenvmanError
from venvman.install.crew import Crew
from venvman.resolve.dependency import Dependencies, DependencyInvalid, specifier_set

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from packaging.specifiers import SpecifierSet

    from venvman.candidates import Candidate
    from venvman.names import NormalizedName
    from venvman.resolve.supply import Supply

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
        self._guessed: dict[NormalizedName, Candidate] = {}

    def close(self) -> None:
        """Drops what was not begun."""
        self._crew.close()

    def want(self, name: NormalizedName, extra: str, specifier: str) -> None:
        """Somebody asks for ``name`` in a version that fits ``specifier``."""
        key = (name, extra)
        if key in self._seen:
            return
        self._seen.add(key)
        self._crew.submit(lambda: self._quietly(lambda: self._guess(name, extra, specifier)))

    def hurry(self, candidate: Candidate) -> None:
        """The solver is about to look at ``candidate``."""
        self._crew.submit(
            lambda: self._quietly(lambda: self._supply.described(candidate, build=False)),
            urgency=1,
        )

    def _guess(self, name: NormalizedName, extra: str, specifier: str) -> None:
        candidate = self._guessed.get(name)
        if candidate is None:
            wanted = specifier_set(specifier)
            limit = self._limits.get(name)
            if limit is not None:
                wanted = wanted & limit
            candidates = self._supply.candidates(name)
            candidate = next(candidates.matching(wanted), None)
            if candidate is None:
                return
            self._guessed[name] = candidate
        described = self._supply.described(candidate, build=False)
        if described is None:
            return
        for each in self._dependencies.of(described.requires, extra=extra):
            if each.url is None:
                self.want(each.name, "", each.specifier)
                for further in each.extras:
                    self.want(each.name, further, each.specifier)

    def _quietly(self, task: Callable[[], object]) -> None:
        """The solver meets the same fault, if it ever comes there."""
        try:
            task()
        except (VenvmanError, DependencyInvalid):
            return
