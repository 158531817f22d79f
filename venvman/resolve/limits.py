"""What bounds versions without asking for any: constraints, existing pins, overrides, hashes."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
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


_AGE = re.compile(r"(\d+)\s*(minute|hour|day|week|month|year)s?(?:\s+ago)?", re.IGNORECASE)
_ISO_AGE = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", re.IGNORECASE)
_UNITS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


def cutoff(text: str, *, now: datetime) -> datetime:
    """The moment (aware) from which on uploads do not count; ``now`` is aware.

    ``2025-06-30`` counts that whole day (UTC) in, ``2025-06-30T12:00:00Z`` is exact, ``3 days``,
    ``36 hours`` and ``P3D`` count back from ``now``.

    Raises:
        ValueError: it is none of these, with a sentence that says so.
    """
    words = text.strip()
    if age := _AGE.fullmatch(words):
        return now - int(age[1]) * _UNITS[age[2].lower()]
    if len(words) > 2 and (age := _ISO_AGE.fullmatch(words)):
        weeks, days, hours, minutes = (int(part or 0) for part in age.groups())
        return now - timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", words):
            following = date.fromisoformat(words) + timedelta(days=1)
            return datetime.combine(following, time(), tzinfo=timezone.utc)
        # Python 3.10 does not read a final Z.
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", words))
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a date (2025-06-30), a time (2025-06-30T12:00:00Z) nor an age "
            "(3 days)"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
