"""What bounds versions without asking for any: constraints, existing pins, overrides, hashes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from venvman.resolve.dependency import Dependency, specifier_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from venvman.names import NormalizedName
    from venvman.requirements.requirement import Requirement
    from venvman.resolve.demand import Demand, Pin

__all__ = ["Limits", "Overrides", "combined"]

_NONE_FITS = ("none",)


class Limits:
    """``constraints`` are lines that apply, ``kept`` the versions that pins should stay at.

    ``sources`` are the pins of constraints that name a place.
    """

    def __init__(
        self,
        constraints: Iterable[Requirement],
        kept: Mapping[NormalizedName, str],
        sources: Mapping[NormalizedName, Pin],
    ) -> None:
        self.specifiers: dict[NormalizedName, SpecifierSet] = {}
        self._hashes: dict[NormalizedName, list[tuple[str, ...]]] = {}
        self._sources = sources
        for line in constraints:
            if line.name is None:
                continue
            self._narrow(line.name, line.specifier)
            if line.hashes:
                self._hashes.setdefault(line.name, []).append(line.hashes)
        for name, version in kept.items():
            self._narrow(name, specifier_set(f"=={version}"))

    def direct(self, name: NormalizedName) -> Pin | None:
        """The pin of a constraint that says where ``name`` comes from."""
        return self._sources.get(name)

    def hashes(self, name: NormalizedName, demands: Sequence[Demand]) -> tuple[str, ...]:
        """The hashes that every line which has some allows; empty where none has any."""
        given = [demand.hashes for demand in demands if demand.hashes]
        given += self._hashes.get(name, ())
        if not given:
            return ()
        common = set(given[0]).intersection(*given[1:])
        return tuple(sorted(common)) or _NONE_FITS

    @staticmethod
    def impossible_hashes(hashes: tuple[str, ...]) -> bool:
        """Whether lines disagree so much about hashes that no file can have them."""
        return hashes == _NONE_FITS

    def _narrow(self, name: NormalizedName, specifier: SpecifierSet) -> None:
        known = self.specifiers.get(name)
        self.specifiers[name] = specifier if known is None else known & specifier


class Overrides:
    """Requirements that stand for every other one of their name, wherever those come from."""

    def __init__(self, dependencies: Mapping[NormalizedName, Sequence[Dependency]]) -> None:
        self._dependencies = dependencies

    def applied(self, line: Dependency) -> Iterable[Dependency]:
        """``line``, or what stands for it: nothing, where no override applies on the target."""
        stand_ins = self._dependencies.get(line.name)
        if stand_ins is None:
            return (line,)
        return [
            Dependency(
                line.name,
                tuple(sorted({*line.extras, *each.extras})),
                each.specifier,
                each.url,
            )
            for each in stand_ins
        ]

    def __contains__(self, name: NormalizedName) -> bool:
        return name in self._dependencies


@lru_cache(maxsize=16384)
def _joined(keys: frozenset[str]) -> SpecifierSet:
    return specifier_set(",".join(sorted(key for key in keys if key)))


def combined(keys: frozenset[str], limit: SpecifierSet | None) -> SpecifierSet:
    """All of ``keys`` at once, within ``limit``."""
    joined = _joined(keys)
    return joined if limit is None else joined & limit
