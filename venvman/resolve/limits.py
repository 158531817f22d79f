"""What bounds versions without asking for any: constraints, existing pins, overrides, hashes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from venvman.resolve.demand import Dependency, specifier_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from venvman.model.names import NormalizedName
    from venvman.requirements.file import Requirement
    from venvman.resolve.demand import Demand, Pin

NONE_FITS = ("none",)
"""The hashes of lines that disagree so much that no file can have them."""


class Limits:
    """``constraints`` are lines that apply, ``kept`` the versions that pins should stay at.

    ``direct`` gives the pin of a constraint that says where a name comes from.
    """

    def __init__(
        self,
        constraints: Iterable[Requirement],
        kept: Mapping[NormalizedName, str],
        direct: Callable[[NormalizedName], Pin | None],
    ) -> None:
        self.specifiers: dict[NormalizedName, SpecifierSet] = {}
        self._hashes: dict[NormalizedName, list[tuple[str, ...]]] = {}
        self.direct = direct
        for line in constraints:
            if line.name is None:
                continue
            self._narrow(line.name, line.specifier)
            if line.hashes:
                self._hashes.setdefault(line.name, []).append(line.hashes)
        for name, version in kept.items():
            self._narrow(name, specifier_set(f"=={version}"))

    def hashes(self, name: NormalizedName, demands: Sequence[Demand]) -> tuple[str, ...]:
        """The hashes that every line which has some allows; empty where none has any.

        :data:`NONE_FITS` where no file can have them.
        """
        given = [demand.hashes for demand in demands if demand.hashes]
        given += self._hashes.get(name, ())
        if not given:
            return ()
        common = set(given[0]).intersection(*given[1:])
        return tuple(sorted(common)) or NONE_FITS

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
                each.name,
                tuple(sorted({*line.extras, *each.extras})),
                # Of another package that takes its place, the same versions.
                each.specifier or (line.specifier if each.name != line.name else ""),
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
