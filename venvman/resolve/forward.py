"""Moving named pins: each as far as the lines and who needs it allow, all others as little."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.model.errors import FileLine
from venvman.requirements.file import Requirement
from venvman.resolve.demand import specifier_set
from venvman.resolve.solver import Unsolvable, solve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from venvman.model.names import NormalizedName
    from venvman.resolve.demand import Pin
    from venvman.resolve.solver import Question, Solution
    from venvman.resolve.supply import Shared

NEWEST = "the newest version that fits"
"""The file of the constraints that stand for where a named pin goes."""


def solve_forward(
    question: Question, named: Mapping[NormalizedName, str], shared: Shared
) -> Solution:
    """The solution in which ``named`` (with their versions now) are as new as they can be.

    ``question.kept`` holds the other pins. Those of packages that need a named one stay, and so
    limit it; those of what it needs give way to it; what nothing forces stays.

    Raises:
        VenvmanError, Unsolvable: as :func:`venvman.resolve.solver.solve`.
    """
    try:
        before = solve(replace(question, kept={**question.kept, **named}), shared).pins
    except Unsolvable:
        before = {}  # it is the named ones that cannot stay
    above = _above(before, named)
    kept = {name: version for name, version in question.kept.items() if name in above}
    free = solve(replace(question, kept=kept, first=frozenset(named)), shared)
    found = {pin.name: pin.base for pin in free.pins.values() if pin.source is None}
    limits = tuple(_limits(found, before, named, question))
    return solve(replace(question, constraints=(*question.constraints, *limits)), shared)


def _above(pins: Mapping[str, Pin], named: Collection[NormalizedName]) -> set[NormalizedName]:
    """The packages that lead to one of ``named``, themselves not among them."""
    parents: defaultdict[NormalizedName, set[NormalizedName]] = defaultdict(set)
    for pin in pins.values():
        for demand in pin.demands or ():
            parents[demand.name].add(pin.name)
    found: set[NormalizedName] = set()
    pending = list(named)
    while pending:
        more = parents[pending.pop()] - found
        found |= more
        pending += more
    return found - set(named)


def _limits(
    found: Mapping[NormalizedName, Pin],
    before: Mapping[str, Pin],
    named: Collection[NormalizedName],
    question: Question,
) -> Iterator[Requirement]:
    """Where each named pin goes, as a constraint; back only where a line sends it."""
    for name in sorted(named):
        pin, now = found.get(name), before.get(name)
        if pin is None:
            continue
        allowed = [line.specifier for line in question.constraints if line.name == name]
        if (
            now is not None
            and now.source is None
            and now.version > pin.version
            and all(each.contains(now.version, prereleases=True) for each in allowed)
        ):
            pin = now
        specifier = specifier_set(f"=={pin.version}")
        origin = FileLine(path=NEWEST, line=0, text=f"{name}=={pin.version}")
        yield Requirement(name=name, specifier=specifier, constraint=True, origin=origin)
