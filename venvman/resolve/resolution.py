"""resolvelib's search, with its results, at the cost of what changes rather than of all pins.

resolvelib copies every pin and criterion before each new pin, and asks before each of all criteria
whether they are satisfied and which is preferred. Here one state is changed in place, and a trail
of what each value was before takes changes back. Only names whose criterion or pin changed are
looked at again, and the open ones wait in a heap. What is asked of the provider, and what is
chosen, stays resolvelib's (1.2), its optimistic backjumping included.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from resolvelib.resolvers import (
    InconsistentCandidate,
    RequirementsConflicted,
    Resolution,
    ResolutionImpossible,
    ResolutionTooDeep,
)
from resolvelib.structs import State

from venvman.model.frozen import dataclass
from venvman.resolve.demand import Demand, Pin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from resolvelib import BaseReporter
    from resolvelib.resolvers.criterion import Criterion
    from resolvelib.structs import RequirementInformation

    from venvman.resolve.provider import Provider

    _Trail = list[tuple["_Trailed[Any]", str, Any]]

V = TypeVar("V")

_SPARE = 1000
"""So many heap entries may be out of date, besides one for each open name."""


class _Trailed(dict[str, V]):
    """A dict whose ``trail`` holds what each key was before it was set: None if absent."""

    def __init__(self, trail: _Trail) -> None:
        super().__init__()
        self._trail = trail

    def __setitem__(self, key: str, value: V) -> None:
        self._trail.append((self, key, self.get(key)))
        super().__setitem__(key, value)

    def restore(self, key: str, before: V | None) -> None:
        """Takes back the newest change of ``key``."""
        if before is None:
            del self[key]
        else:
            super().__setitem__(key, before)


class _Level(NamedTuple):
    """One of resolvelib's states: ``mark`` is the length of the trail when it began.

    ``pin`` is its newest, ``causes`` what the last conflict before it was about.
    """

    mark: int
    causes: list[RequirementInformation[Demand, Pin]]
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Saved:
    """What to return to if jumping optimistically leads nowhere."""

    mapping: dict[str, Pin]
    criteria: dict[str, Criterion[Demand, Pin]]
    trail: _Trail
    levels: list[_Level]


class QuickResolution(Resolution[Demand, Pin, str]):
    """A :class:`resolvelib.resolvers.Resolution` with the same results, sooner and in less room."""

    def __init__(self, provider: Provider, reporter: BaseReporter[Demand, Pin, str]) -> None:
        super().__init__(provider, reporter)
        self._provider = provider
        self._trail: _Trail = []
        self._mapping: _Trailed[Pin] = _Trailed(self._trail)
        self._criteria: _Trailed[Criterion[Demand, Pin]] = _Trailed(self._trail)
        self._states = [State(self._mapping, self._criteria, [])]
        self._levels = [_Level(0, [])]
        self._saved: _Saved | None = None
        self._jumping_since: int | None = None
        self._open: set[str] = set()
        self._seen = 0  # the trail up to here is reflected in _open
        self._undone: set[str] = set()
        self._children: defaultdict[str, set[str]] = defaultdict(set)
        self._rejecting: dict[str, None] = {}
        self._heap: list[tuple[tuple[Any, ...], int, Criterion[Demand, Pin]]] = []
        self._queued: dict[str, Criterion[Demand, Pin]] = {}
        self._serial = count()

    def resolve(self, requirements: Iterable[Demand], max_rounds: int) -> State[Demand, Pin, str]:
        """See resolvelib."""
        for requirement in requirements:
            try:
                self._add_to_criteria(self._criteria, requirement, parent=None)
            except RequirementsConflicted as conflict:
                raise ResolutionImpossible(conflict.criterion.information) from conflict
        self._push_new_state()
        for index in range(max_rounds):
            self._r.starting_round(index)
            if self._jumped_enough(index, max_rounds):
                self._rollback_states()
                continue
            self._look_again()
            if not self._open:
                return self.state
            failed = self._attempt_to_pin_criterion(self._chosen())
            if failed:
                self._go_back(self._extract_causes(failed))
            else:
                self._forget(self._look_again())
                self._push_new_state()
        raise ResolutionTooDeep(max_rounds)

    # ---- which name is next --------------------------------------------------------------

    def _look_again(self) -> set[str]:
        """Brings ``_open`` up to date; the names that have a pin which now fails them."""
        lost: set[str] = set()
        changed = self._undone.union([key for _, key, _ in self._trail[self._seen :]])
        self._seen = len(self._trail)
        self._undone = set()
        for name in changed:
            criterion = self._criteria.get(name)
            if criterion is None or self._is_current_pin_satisfying(name, criterion):
                self._open.discard(name)
                continue
            if name not in self._open and name in self._mapping:
                lost.add(name)
            self._open.add(name)
            self._queue(name, criterion)
        return lost

    def _is_current_pin_satisfying(self, name: str, criterion: Criterion[Demand, Pin]) -> bool:
        pin = self._mapping.get(name)
        return pin is not None and all(each[0].fits(pin) for each in criterion.information)

    def _chosen(self) -> str:
        """The open name to pin next."""
        if len(self._open) == 1:
            return next(iter(self._open))
        few = self._p.narrow_requirement_selection(
            identifiers=self._open,
            resolutions=self._mapping,
            candidates={},
            information={},
            backtrack_causes=self._levels[-1].causes,
        )
        if few is self._open:
            return self._first_in_heap()
        return min(few, key=self._preference)

    def _queue(self, name: str, criterion: Criterion[Demand, Pin]) -> None:
        if self._queued.get(name) is criterion:
            return
        self._queued[name] = criterion
        heappush(self._heap, (self._preference(name), next(self._serial), criterion))
        if len(self._heap) > 2 * len(self._open) + _SPARE:
            self._heap = [each for each in self._heap if self._is_current(each[0][-1], each[2])]
            heapify(self._heap)
            self._queued = {preference[-1]: known for preference, _, known in self._heap}

    def _preference(self, name: str) -> tuple[Any, ...]:
        """The provider's: the name itself comes last in it, so that no two are equal."""
        return self._provider.get_preference(
            name, self._mapping, {}, {name: iter(self._criteria[name].information)}, ()
        )

    def _is_current(self, name: str, criterion: Criterion[Demand, Pin]) -> bool:
        # While _open is brought up to date it may hold a name that nothing asks for any more.
        return name in self._open and self._criteria.get(name) is criterion

    def _first_in_heap(self) -> str:
        # Promotions are part of a preference, and change. But what is promoted and open has been
        # chosen already by who narrows: here all that counts has none.
        while True:
            preference, _, criterion = self._heap[0]
            name: str = preference[-1]
            if self._is_current(name, criterion):
                return name
            heappop(self._heap)
            if self._queued.get(name) is criterion:
                del self._queued[name]

    # ---- forward -------------------------------------------------------------------------

    def _push_new_state(self) -> None:
        self._levels.append(_Level(len(self._trail), self._levels[-1].causes))

    def _attempt_to_pin_criterion(self, name: str) -> list[Criterion[Demand, Pin]]:
        criterion = self._criteria[name]
        causes: list[Criterion[Demand, Pin]] = []
        mark = len(self._trail)
        for candidate in criterion.candidates:
            try:
                for requirement in self._p.get_dependencies(candidate):
                    self._children[name].add(requirement.identifier)
                    self._add_to_criteria(self._criteria, requirement, parent=candidate)
            except RequirementsConflicted as conflict:
                self._undo(mark)
                causes.append(conflict.criterion)
                continue
            if not all(each[0].fits(candidate) for each in criterion.information):
                raise InconsistentCandidate(candidate, criterion)
            self._r.pinning(candidate)
            self._mapping[name] = candidate
            self._levels[-1] = self._levels[-1]._replace(pin=candidate)
            return []
        return causes

    def _forget(self, lost: set[str]) -> None:
        """What any pins of ``lost``, which will be others, demanded of others."""
        names = set().union(*(self._children[name] for name in lost))
        children = {name: self._criteria[name] for name in names if name in self._criteria}
        self._remove_information_from_criteria(children, lost)
        for name, criterion in children.items():
            self._criteria[name] = criterion

    # ---- back ----------------------------------------------------------------------------

    def _undo(self, mark: int) -> None:
        """Takes the trail back to the length ``mark``."""
        while len(self._trail) > mark:
            table, key, before = self._trail.pop()
            table.restore(key, before)
            if len(self._trail) < self._seen:
                self._undone.add(key)
        self._seen = min(self._seen, mark)

    def _go_back(self, causes: list[RequirementInformation[Demand, Pin]]) -> None:
        """To a state in which another pin can be tried.

        Raises:
            ResolutionImpossible: there is none.
        """
        self._r.resolving_conflicts(causes)
        try:
            if not self._backjump(causes):
                raise ResolutionImpossible(causes)
        except ResolutionImpossible:
            if self._saved is None:
                raise
            self._rollback_states()
        else:
            self._levels[-1] = self._levels[-1]._replace(causes=causes)

    def _backjump(self, causes: list[RequirementInformation[Demand, Pin]]) -> bool:
        about = {cause.parent.identifier for cause in causes if cause.parent is not None}
        about |= {cause.requirement.identifier for cause in causes}
        while len(self._levels) >= 3:
            self._undo(self._levels.pop().mark)
            mark, pin = self._broken(about, causes)
            refused = [
                (known, list(self._criteria[known].incompatibilities))
                for known in self._rejecting
                if known in self._criteria
            ]
            self._undo(mark)
            self._push_new_state()
            if self._patch_criteria([*refused, (pin.identifier, [pin])]):
                return True
        return False

    def _broken(
        self, about: set[str], causes: list[RequirementInformation[Demand, Pin]]
    ) -> tuple[int, Pin]:
        """Ends states up to one whose pin may be at fault: where that one began, and its pin."""
        while True:
            mark, _, pin = self._levels.pop()
            if pin is None:
                raise ResolutionImpossible(causes)
            if pin.identifier not in about:
                if not self._optimistic_backjumping_ratio:
                    return mark, pin
                if self._saved is None:
                    self._save(mark)
            demands = self._p.get_dependencies(pin)
            if any(demand.identifier in about for demand in demands) or len(self._mapping) == 1:
                return mark, pin
            if len(self._levels) <= 1:
                raise ResolutionImpossible(causes)
            self._undo(mark)

    def _patch_criteria(self, incompatibilities_from_broken: list[tuple[str, list[Pin]]]) -> bool:
        # resolvelib appends what is known to what is known already: lists that double every time.
        if not super()._patch_criteria(incompatibilities_from_broken):
            return False
        for name, _ in incompatibilities_from_broken:
            criterion = self._criteria.get(name)
            if criterion is not None and criterion.incompatibilities:
                self._rejecting[name] = None
                once = {id(pin): pin for pin in criterion.incompatibilities}
                criterion.incompatibilities = list(once.values())
        return True

    # ---- optimistic jumps ----------------------------------------------------------------

    def _jumped_enough(self, index: int, max_rounds: int) -> bool:
        """Whether the rounds that optimistic jumping may take are over."""
        if not self._optimistic_backjumping_ratio or self._saved is None:
            return False
        if self._jumping_since is None:
            self._jumping_since = index
        allowed = int((max_rounds - self._jumping_since) * self._optimistic_backjumping_ratio)
        return index - self._jumping_since >= allowed

    def _save(self, mark: int) -> None:
        """The state as it was when the trail had the length ``mark``."""
        mapping, criteria = dict(self._mapping), dict(self._criteria)
        for table, key, before in reversed(self._trail[mark:]):
            copied: dict[str, Any] = mapping if table is self._mapping else criteria
            if before is None:
                del copied[key]
            else:
                copied[key] = before
        self._saved = _Saved(
            mapping=mapping,
            criteria=criteria,
            trail=self._trail[:mark],
            levels=list(self._levels),
        )

    def _rollback_states(self) -> None:
        self._optimistic_backjumping_ratio = 0.0
        saved, self._saved = self._saved, None
        if saved is None:
            return
        self._undone |= self._criteria.keys() | saved.criteria.keys()
        for table, before in ((self._mapping, saved.mapping), (self._criteria, saved.criteria)):
            table.clear()
            table.update(before)  # type: ignore[arg-type]
        self._trail[:], self._levels = saved.trail, saved.levels
        self._seen = len(self._trail)
