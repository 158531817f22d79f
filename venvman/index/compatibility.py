"""Whether a file's tags and Requires-Python suit a target. Remembers: pages repeat themselves."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from venvman.pep508 import Malformed, parse_specifier

if TYPE_CHECKING:
    from venvman.target import Target

__all__ = ["Compatibility"]


class Compatibility:
    """Answers for one target. Get it with :meth:`of`, so that projects share what it remembers."""

    def __init__(self, tags: tuple[str, ...], python: str, system: str) -> None:
        self._places: dict[str, int] = {}
        for place, tag in enumerate(tags):
            self._places.setdefault(tag.lower(), place)
        self._platforms = frozenset(tag.rpartition("-")[2] for tag in self._places)
        self._python = python
        self._system = system
        self._best: dict[str, int | None] = {}
        self._reasons: dict[str, str] = {}
        self._allowed: dict[str, bool] = {}

    @classmethod
    def of(cls, target: Target) -> Compatibility:
        """The one for ``target``."""
        markers = dict(target.markers)
        system = markers.get("sys_platform", "another system")
        return _compatibility(
            target.tags, target.python, f"{system} {markers.get('platform_machine', '')}".strip()
        )

    @property
    def count(self) -> int:
        """How many tags the target supports."""
        return len(self._places)

    def place(self, tags: str) -> int | None:
        """The best place of a compressed tag set among the target's tags (0 is best), or None."""
        try:
            return self._best[tags]
        except KeyError:
            places = (self._places.get(tag) for tag in _expanded(tags))
            found = min((place for place in places if place is not None), default=None)
            self._best[tags] = found
            return found

    def suits_system(self, tags: str) -> bool:
        """Whether a wheel with ``tags`` is for the target's system, if for another Python."""
        return not self._platforms.isdisjoint(tags.rpartition("-")[2].split("."))

    def reason(self, tags: str) -> str:
        """What a wheel with ``tags`` is for, and what the target is: the rest of a sentence."""
        known = self._reasons.get(tags)
        if known is None:
            pythons, _, platforms = tags.split("-")
            if not self.suits_system(tags):
                meant, have = platforms, self._system
            else:
                meant, have = pythons, f"Python {self._python}"
            known = f"is for {meant.replace('.', ' or ')}, and the target is {have}"
            self._reasons[tags] = known
        return known

    def allows(self, requires_python: str) -> bool:
        """Whether the target's full version satisfies a file's Requires-Python."""
        known = self._allowed.get(requires_python)
        if known is None:
            try:
                known = parse_specifier(requires_python).contains(self._python, prereleases=True)
            except Malformed:
                known = True  # pip takes a wish that makes no sense for none
            self._allowed[requires_python] = known
        return known


def _expanded(tags: str) -> list[str]:
    pythons, abis, platforms = (each.split(".") for each in tags.split("-"))
    return [
        f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms
    ]


_compatibility = lru_cache(maxsize=32)(Compatibility)
