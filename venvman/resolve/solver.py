"""RequirementSet in, one pin for each name out: resolvelib, asked with pip's answers.

Existing pins are kept as pip-compile keeps them: as constraints that give way, one by one, when
nothing else fits with them, and all at once where they lead nowhere. Named ones are moved as far as
the lines and who needs them allow, all others as little.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from dataclasses import field, replace
from itertools import combinations
from typing import TYPE_CHECKING

from packaging.version import Version
from resolvelib import BaseReporter
from resolvelib.resolvers import ResolutionImpossible, ResolutionTooDeep
from resolvelib.structs import RequirementInformation

from venvman.model.errors import Advice, FileLine, FreezeError, InstallError
from venvman.model.frozen import dataclass
from venvman.requirements.file import Requirement
from venvman.resolve.demand import IMPOSSIBLE, Demand, specifier_set
from venvman.resolve.limits import Limits
from venvman.resolve.prefetch import THREADS, Prefetcher
from venvman.resolve.provider import Provider
from venvman.resolve.resolution import QuickResolution
from venvman.resolve.supply import UNBUILDABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from venvman.model.names import NormalizedName
    from venvman.resolve.demand import Pin
    from venvman.resolve.supply import Shared, Supply


TOO_HARD = "resolution-too-hard"
ROUNDS = 200_000
"""pip's: a tenth of them may be spent on jumping back optimistically."""
KEEPING_ROUNDS = 10_000
"""Where versions are to be kept: a set that needs more is sooner found without them."""
ENOUGH = 40_000
"""Pins tried after which there is no hope. Work is counted, so that every machine ends alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``roots`` are what the lines ask for, ``constraints`` the lines that only limit.

    ``kept`` are versions that should stay, ``source`` gives the pin of a constraint with a URL.
    ``first`` are decided before all others, so that those have to fit them.
    """

    roots: tuple[Demand, ...]
    constraints: tuple[Requirement, ...] = ()
    kept: Mapping[NormalizedName, str] = field(default_factory=dict)
    source: Callable[[NormalizedName], Pin | None] = lambda _: None
    first: frozenset[NormalizedName] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """The pins by identifier, and the names of ``kept`` that had to move."""

    pins: Mapping[str, Pin]
    moved: frozenset[NormalizedName] = frozenset()


class Unsolvable(Exception):
    """No set of pins will do; ``causes`` are the demands that met, each with who made it."""

    def __init__(self, causes: Collection[RequirementInformation[Demand, Pin]]) -> None:
        super().__init__("no solution")
        self.causes = tuple(causes)


def solve(
    question: Question, shared: Shared, *, ahead: bool = True, rounds: int = ROUNDS
) -> Solution:
    """The solution that pip would find, in at most so many ``rounds``.

    ``ahead``: what will most likely be asked is fetched before it is, where it comes from afar.

    Raises:
        Unsolvable: there is none.
        FreezeError: none was found in a reasonable time.
        IndexFault, InstallError: a distribution could not be looked at; or there would be one if
            something could be built that cannot.
    """
    kept = dict(question.kept)
    moved: set[NormalizedName] = set()
    while True:
        limits = Limits(question.constraints, kept, question.source)
        try:
            allowed = min(rounds, KEEPING_ROUNDS + 2 * len(kept)) if kept else rounds
            threads = THREADS if ahead and not shared.supply.is_local else 0
            fetcher = Prefetcher(shared, limits=limits.specifiers, threads=threads)
            pins = _attempt(question, limits, shared, allowed, fetcher)
            if not _confirmed(pins, shared):
                continue
            return Solution(pins=pins, moved=frozenset(moved))
        except Unsolvable as failure:
            giving_way = _giving_way(failure, kept, shared)
            if giving_way:
                moved |= giving_way
                for name in giving_way:
                    del kept[name]
            elif not _refreshed(failure, shared.supply):
                raise (_unbuilt(failure, shared.supply) or failure) from None
        except (FreezeError, InstallError) as error:
            if not kept or error.code not in {TOO_HARD, *UNBUILDABLE}:
                raise
            moved |= kept.keys()
            kept.clear()


def closure(roots: Iterable[Demand], pins: Mapping[str, Pin]) -> dict[str, Pin]:
    """What of ``pins`` the ``roots`` bring in, by identifier."""
    found: dict[str, Pin] = {}
    pending = [root.identifier for root in roots]
    while pending:
        identifier = pending.pop()
        if identifier not in found:
            pin = found[identifier] = pins[identifier]
            pending += [demand.identifier for demand in pin.demands or ()]
    return found


def _attempt(
    question: Question, limits: Limits, shared: Shared, rounds: int, fetcher: Prefetcher
) -> dict[str, Pin]:
    roots = question.roots
    order: dict[str, int] = {}
    for number, root in enumerate(roots):
        order.setdefault(root.identifier, number)
    with closing(fetcher) as ahead:
        for root in roots:
            if root.pin is None:
                ahead.want(root.name, root.extra, root.specifier)
        provider = Provider(
            shared, limits=limits, order=order, first=question.first, prefetcher=ahead
        )
        # Extras last: by then their distribution's own demands are known, as with pip.
        sequence = sorted(roots, key=lambda root: bool(root.extra))
        return closure(roots, _resolve(provider, sequence, rounds))


def _confirmed(pins: Mapping[str, Pin], shared: Shared) -> bool:
    """Whether the chosen sdists, now built, depend on what they said they would.

    Where one does not, its pins know better afterwards, and the search has to be repeated.
    """
    right = True
    for base in dict.fromkeys(pin.base for pin in pins.values()):
        if base.guessed is None:
            continue
        described = shared.supply.final(base.guessed)
        base.guessed = None
        if described.rejection is None and set(described.requires) == set(base.requires or ()):
            continue
        right = False
        base.requires, base.extras = described.requires, described.extras
        if described.rejection is not None:
            base.requires = None  # asked again, it is refused
        for pin in shared.all_of(base):
            pin.demands = None
    return right


def _resolve(provider: Provider, roots: Sequence[Demand], rounds: int) -> Mapping[str, Pin]:
    try:
        # Not its Resolver: that one also looks for what is left over from versions that were given
        # up, and does not end where such leftovers depend on each other. `closure` leaves them out.
        return QuickResolution(provider, _Patience()).resolve(roots, max_rounds=rounds).mapping
    except ResolutionImpossible as impossible:
        raise Unsolvable(impossible.causes) from None
    except ResolutionTooDeep:
        raise _hopeless("There are too many combinations.", {}) from None


class _Patience(BaseReporter[Demand, "Pin", str]):
    """Ends a search that leads nowhere, and knows what it went in circles about."""

    def __init__(self) -> None:
        self._conflicts: dict[str, int] = {}

    def starting_round(self, index: int) -> None:
        """See resolvelib."""
        if index >= ENOUGH:
            raise _hopeless(f"{index} combinations were tried.", self._conflicts)

    def resolving_conflicts(self, causes: Collection[RequirementInformation[Demand, Pin]]) -> None:
        """See resolvelib."""
        for cause in causes:
            name = cause.requirement.identifier
            self._conflicts[name] = self._conflicts.get(name, 0) + 1


def _hopeless(why: str, conflicts: Mapping[str, int]) -> FreezeError:
    worst = sorted(conflicts, key=lambda name: (-conflicts[name], name))[:5]
    return FreezeError(
        "No set of versions was found in a reasonable time.",
        code=TOO_HARD,
        why=f"{why} Most conflicts were about {', '.join(worst)}." if worst else why,
        fix=Advice(
            "Give lower bounds (name>=version) for what is named, in the requirements file."
        ),
    )


def _giving_way(
    failure: Unsolvable, kept: Mapping[NormalizedName, str], shared: Shared
) -> set[NormalizedName]:
    """Which of ``kept`` must not stay: what the conflict is about, else who brings that in."""
    if not kept:
        return set()
    about = {cause.requirement.name for cause in failure.causes}
    found = about & kept.keys()
    if not found:
        found = {cause.parent.name for cause in failure.causes if cause.parent} & kept.keys()
    if not found:
        found = _on_the_way(failure, shared) & kept.keys()
    return found or set(kept)


def _unbuilt(failure: Unsolvable, supply: Supply) -> InstallError | None:
    """Why the first file of those in the conflict that do not build did not."""
    about = {cause.requirement.name for cause in failure.causes}
    about |= {cause.parent.name for cause in failure.causes if cause.parent}
    return next(
        (error for name in sorted(about) for error in supply.unbuilt.get(name, {}).values()), None
    )


def _on_the_way(failure: Unsolvable, shared: Shared) -> set[NormalizedName]:
    """All that leads from the lines of the user to the conflict."""
    names: set[NormalizedName] = set()
    pending = [cause.parent.identifier for cause in failure.causes if cause.parent]
    while pending:
        parent = shared.introduced.get(pending.pop(), (None, None))[0]
        if parent is not None and parent.name not in names:
            names.add(parent.name)
            pending.append(parent.identifier)
    return names


def _refreshed(failure: Unsolvable, supply: Supply) -> bool:
    """Asks again for what no version was found of, since an index was believed."""
    names = {cause.requirement.name for cause in failure.causes} - {IMPOSSIBLE}
    asked = [supply.refresh(name) for name in sorted(names)]  # all of them, not the first only
    return any(asked)


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
