"""What several attempts at one resolution share: each demand and each pin exists once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.resolve.demand import Demand, Pin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from packaging.version import Version

    from venvman.names import NormalizedName
    from venvman.resolve.dependency import Dependency
    from venvman.resolve.limits import Overrides

__all__ = ["Shared"]


class Shared:
    """``direct`` makes the pin of a dependency that has a URL.

    ``introduced`` is who first brought each identifier in, ``refused`` why a pin cannot be used.
    """

    def __init__(self, direct: Callable[[Dependency], Pin], overrides: Overrides) -> None:
        self.pins: dict[tuple[NormalizedName, Version, tuple[str, ...]], Pin] = {}
        self.extras: dict[tuple[Pin, str], Pin] = {}
        self.introduced: dict[str, tuple[Pin | None, Demand]] = {}
        self.refused: dict[Pin, str] = {}
        self._direct = direct
        self._overrides = overrides
        self._demands: dict[Dependency, tuple[Demand, ...]] = {}
        self._same: dict[Pin, Demand] = {}

    def demands(self, line: Dependency) -> tuple[Demand, ...]:
        """One line as demands: of the distribution, where it matters, and of each extra."""
        known = self._demands.get(line)
        if known is None:
            made: list[Demand] = []
            for each in self._overrides.applied(line):
                made += self._made(each)
            known = self._demands[line] = tuple(made)
        return known

    def all_of(self, base: Pin) -> list[Pin]:
        """The pin ``base`` and those of its extras."""
        return [base, *(pin for (known, _), pin in self.extras.items() if known is base)]

    def same_version(self, base: Pin) -> Demand:
        """What an extra demands of its distribution."""
        known = self._same.get(base)
        if known is None:
            exact = Demand(base.name, "", f"=={base.version}", pin=base)
            known = self._same[base] = exact
        return known

    def _made(self, line: Dependency) -> Iterator[Demand]:
        pin = self._direct(line) if line.url is not None else None
        if pin is not None or line.specifier or not line.extras:
            echoed = line.respelled and bool(line.extras) and pin is None
            yield Demand(line.name, "", line.specifier, pin=pin, echoed=echoed)
        for extra in line.extras:
            yield Demand(line.name, extra, line.specifier, pin=pin)
