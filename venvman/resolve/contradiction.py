"""Lines on one name that no version can satisfy, whatever an index has. Pure."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

from packaging.version import Version
from resolvelib.structs import RequirementInformation

from venvman.resolve.dependency import specifier_set
from venvman.resolve.solver import Unsolvable

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from venvman.names import NormalizedName
    from venvman.resolve.demand import Demand
    from venvman.resolve.solver import Question

__all__ = ["contradiction", "exclude_each_other"]


def contradiction(question: Question) -> Unsolvable | None:
    """The first two lines of ``question`` that exclude each other; None if none do."""
    by_name: defaultdict[NormalizedName, list[Demand]] = defaultdict(list)
    for root in question.roots:
        if root.pin is None and root.specifier:
            by_name[root.name].append(root)
    for line in question.constraints:
        for demand in by_name.get(line.name, ()) if line.name else ():
            if exclude_each_other(specifier_set(demand.specifier), line.specifier):
                return Unsolvable([RequirementInformation(demand, None)])
    for demands in by_name.values():
        for one, other in combinations(demands, 2):
            if exclude_each_other(specifier_set(one.specifier), specifier_set(other.specifier)):
                return Unsolvable([RequirementInformation(each, None) for each in (one, other)])
    return None


def exclude_each_other(one: SpecifierSet, other: SpecifierSet) -> bool:
    """Whether certainly no version is in both; False where only versions can tell."""
    both = one & other
    if any(each.operator == "===" for each in both):
        return False
    pins = [
        Version(each.version)
        for each in both
        if each.operator == "==" and not each.version.endswith(".*")
    ]
    if pins:  # 1.0 also stands for 1.0+cpu: so every pin is tried
        return not any(both.contains(pin, prereleases=True) for pin in pins)
    lows = [
        Version(each.version.removesuffix(".*"))
        for each in both
        if each.operator in {">", ">=", "~="}
    ]
    highs = [Version(each.version) for each in both if each.operator in {"<", "<="}]
    return bool(lows and highs) and max(lows) > min(highs)
