"""The questions that resolvelib asks, answered as pip 26 answers them."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from resolvelib import AbstractProvider

from venvman.resolve.demand import IMPOSSIBLE, Demand, DependencyInvalid, Pin
from venvman.resolve.limits import NONE_FITS, combined

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.version import Version
    from resolvelib.structs import Matches, RequirementInformation

    from venvman.model.names import NormalizedName
    from venvman.resolve.limits import Limits
    from venvman.resolve.prefetch import Prefetcher
    from venvman.resolve.supply import Shared

PROMOTED_AFTER = 5
"""pip's: so many conflicts about a name that has no pin yet, and it is decided early."""
FARTHEST = 24
"""At most so many versions of one name are looked at ahead."""


class Provider(AbstractProvider[Demand, Pin, str]):
    """One attempt; ``shared`` outlives it.

    ``order`` is the place of what the user asks for, ``first`` what is decided before all else.
    """

    def __init__(
        self,
        shared: Shared,
        *,
        limits: Limits,
        order: Mapping[str, int],
        first: Collection[str] = (),
        prefetcher: Prefetcher,
    ) -> None:
        self._supply = shared.supply
        self._limits = limits
        self._order = order
        self._first = first
        self._prefetcher = prefetcher
        self._shared = shared
        self._matches: dict[tuple[str, frozenset[str], tuple[str, ...]], _Sequence] = {}
        self._conflicts: defaultdict[str, int] = defaultdict(int)
        self._promoted: set[str] = set()

    def identify(self, requirement_or_candidate: Demand | Pin) -> str:
        """See resolvelib."""
        return requirement_or_candidate.identifier

    def narrow_requirement_selection(
        self,
        identifiers: Collection[str],  # type: ignore[override]  # both callers have one
        resolutions: Mapping[str, Pin],
        candidates: Mapping[str, Iterator[Pin]],  # noqa: ARG002 - resolvelib's signature
        information: Mapping[str, Iterator[RequirementInformation[Demand, Pin]]],  # noqa: ARG002
        backtrack_causes: Sequence[RequirementInformation[Demand, Pin]],
    ) -> Iterable[str]:
        """First what the last conflict was about, then what conflicts are often about."""
        causes: set[str] = set()
        for cause in backtrack_causes:
            causes.add(cause.requirement.identifier)
            if cause.parent is not None:
                causes.add(cause.parent.identifier)
        for name in causes:
            if name not in resolutions:
                self._conflicts[name] += 1
                if self._conflicts[name] >= PROMOTED_AFTER:
                    self._promoted.add(name)
        # The few are looked for among the many, and what is given comes back if all are left.
        for few in (causes, self._promoted):
            found = [name for name in few if name in identifiers]
            if found:
                return found
        return identifiers

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, Pin],  # noqa: ARG002 - resolvelib's signature
        candidates: Mapping[str, Iterator[Pin]],  # noqa: ARG002
        information: Mapping[str, Iterator[RequirementInformation[Demand, Pin]]],
        backtrack_causes: Sequence[RequirementInformation[Demand, Pin]],  # noqa: ARG002
    ) -> tuple[Any, ...]:
        """What comes first; then as pip: direct, pinned, bounded above, asked for, not free."""
        direct = pinned = bounded = False
        free = True
        for each in information[identifier]:
            demand = each[0]
            if demand.pin is not None:
                direct = True
            if not demand.free:
                free = False
                pinned = pinned or demand.pinned
                bounded = bounded or demand.bounded
        return (
            identifier not in self._first,
            identifier not in self._promoted,
            not direct,
            not pinned,
            not bounded,
            self._order.get(identifier, math.inf),
            free,
            identifier,
        )

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Demand]],
        incompatibilities: Mapping[str, Iterator[Pin]],
    ) -> Matches[Pin]:
        """The pins that meet every demand, best first, found as they are looked at."""
        demands = list(requirements[identifier])
        if not demands:
            return ()  # nobody asks any more: what did was given up (as in pip)
        first = demands[0]
        if first.name == IMPOSSIBLE:
            return ()
        if first.extra and first.name in requirements:
            demands += requirements[first.name]
        refused = {id(pin) for pin in incompatibilities[identifier]}
        direct = self._direct(demands, first)
        if direct is not None:
            fits = id(direct) not in refused and self._meets(direct, demands, identifier)
            return (direct,) if fits else ()
        return partial(self._found(first, demands).without, refused)

    @staticmethod
    def is_satisfied_by(requirement: Demand, candidate: Pin) -> bool:
        """See resolvelib."""
        return requirement.fits(candidate)

    def get_dependencies(self, candidate: Pin) -> tuple[Demand, ...]:
        """What ``candidate`` demands; an impossible demand if it cannot be used after all."""
        known = candidate.demands
        if known is None:
            known = candidate.demands = self._learn(candidate)
        return known

    # ---- matches -------------------------------------------------------------------------

    def _direct(self, demands: Sequence[Demand], first: Demand) -> Pin | None:
        """The pin of the first demand that names its source, or of a constraint that does."""
        for demand in demands:
            if demand.pin is not None:
                return self._with_extra(demand.pin.base, first.extra)
        pin = self._limits.direct(first.name)
        return None if pin is None else self._with_extra(pin, first.extra)

    def _meets(self, pin: Pin, demands: Sequence[Demand], identifier: str) -> bool:
        limit = self._limits.specifiers.get(pin.name)
        if limit is not None and not limit.contains(pin.version, prereleases=True):
            return False
        return all(demand.fits(pin) for demand in demands if demand.identifier == identifier)

    def _found(self, first: Demand, demands: Sequence[Demand]) -> _Sequence:
        keys = frozenset(demand.specifier for demand in demands)
        hashes = self._limits.hashes(first.name, demands)
        key = (first.identifier, keys, hashes)
        known = self._matches.get(key)
        if known is None:
            pins = self._search(first.name, first.extra, keys, hashes)
            known = self._matches[key] = _Sequence(pins, self._prefetcher)
        return known

    def _search(
        self, name: NormalizedName, extra: str, keys: frozenset[str], hashes: tuple[str, ...]
    ) -> Iterator[Pin]:
        """Every version once, as a pin."""
        if hashes == NONE_FITS:
            return
        wanted = combined(keys, self._limits.specifiers.get(name))
        begun: set[Version] = set()
        for candidate in self._supply.candidates(name).matching(wanted, hashes=hashes):
            version = candidate.version
            if version in begun:
                continue
            begun.add(version)
            key = (name, version, hashes)
            pin = self._shared.pins.get(key)
            if pin is None:
                pin = self._shared.pins[key] = Pin(name, version, files=(candidate,))
            yield self._with_extra(pin, extra)

    def _with_extra(self, base: Pin, extra: str) -> Pin:
        if not extra:
            return base
        key = (base, extra)
        known = self._shared.extras.get(key)
        if known is None:
            known = self._shared.extras[key] = base.with_extra(extra)
        return known

    # ---- dependencies --------------------------------------------------------------------

    def _learn(self, pin: Pin) -> tuple[Demand, ...]:
        base = pin.base
        rejection = self._describe(base) if base.requires is None else None
        if rejection is not None:
            return (Demand(IMPOSSIBLE, "", "", note=rejection),)
        try:
            lines = self._shared.dependencies.of(base.requires or (), extra=pin.extra)
            demands = [demand for line in lines for demand in self._shared.demands(line)]
        except DependencyInvalid as error:
            note = f"{pin.base} has faulty metadata: {error}"
            return (Demand(IMPOSSIBLE, "", "", note=note),)
        if pin.extra:
            demands.insert(0, self._shared.same_version(base))
        # A distribution that asks for one of its own extras does not ask for itself.
        demands = [
            each for each in demands if each.identifier != pin.identifier or not each.fits(pin)
        ]
        for demand in demands:
            if demand.pin is None:
                self._prefetcher.want(demand.name, demand.extra, demand.specifier)
            self._shared.introduced.setdefault(demand.identifier, (pin, demand))
        return tuple(demands)

    def _describe(self, base: Pin) -> str | None:
        """Fills in what ``base`` requires by its best usable file; else says why there is none."""
        first = base.files[0]
        rejection = ""
        others = self._supply.candidates(base.name).at(base.version)
        usable = [
            each for each in others if (each.file.yanked is None) == (first.file.yanked is None)
        ]
        for candidate in (first, *(each for each in usable if each is not first)):
            described = self._supply.described(candidate)
            if described.rejection is None:
                base.requires, base.extras = described.requires, described.extras
                base.guessed = None if described.final else candidate
                return None
            rejection = rejection or f"{candidate.file.filename} {described.rejection}"
        self._shared.refused[base] = rejection
        return rejection


class _Sequence:
    """Pins that are found when somebody looks so far, and kept for who looks next."""

    __slots__ = ("_announced", "_found", "_prefetcher", "_rest")

    def __init__(self, pins: Iterator[Pin], prefetcher: Prefetcher) -> None:
        self._found: list[Pin] = []
        self._rest = pins
        self._prefetcher = prefetcher
        self._announced = 1

    def without(self, refused: set[int]) -> Iterator[Pin]:
        """All but those whose identity is in ``refused``."""
        position = 0
        while self._reaches(position):
            if position >= self._announced:
                # The first would not do: the further back, the more are fetched at once.
                self._announced = min(2 * position + 2, position + FARTHEST)
                self._reaches(self._announced)
                self._prefetcher.alternatives(self._found[position : self._announced])
            pin = self._found[position]
            position += 1
            if id(pin) not in refused:
                yield pin

    def _reaches(self, position: int) -> bool:
        if position >= len(self._found):
            self._found += islice(self._rest, position + 1 - len(self._found))
        return position < len(self._found)
