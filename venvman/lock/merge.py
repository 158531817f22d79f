"""The shortest markers that tell targets apart: ``sys_platform == "win32"``. Pure.

A target is seen as a cell: its system, its machine (where the system has several) and the place of
its Python among all of them. A marker is a choice (``or``) of terms (``and``), each of at most one
system, one machine and one span of Pythons.
"""

from __future__ import annotations

from dataclasses import field, replace
from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING

from venvman.lock.file import Lock, sort_key
from venvman.model.errors import Advice, FreezeError
from venvman.model.frozen import dataclass
from venvman.python.targets import label_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.requirements.header import LockHeader

_OTHER = ""
"""Stands for every system, or machine, that no target has."""
_STEPS = 5_000


class Alike(ValueError):
    """Two targets (their numbers among all) have to be told apart, and no marker can."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"targets {first} and {second} look the same to every marker")
        self.first = first
        self.second = second


@dataclass(frozen=True, slots=True)
class _Cell:
    """``python`` is a number among the targets' minors, ``machine`` "" where it tells nothing."""

    system: str
    machine: str
    python: int


@dataclass(frozen=True, slots=True)
class _Term:
    """Holds for cells of ``system`` (or of all others), ``machine`` and Pythons ``first..last``.

    None leaves a part open.
    """

    system: str | None = None
    negated: bool = False
    machine: str | None = None
    first: int | None = None
    last: int | None = None

    def holds(self, cell: _Cell) -> bool:
        if self.system is not None and (cell.system == self.system) is self.negated:
            return False
        if self.machine is not None and cell.machine != self.machine:
            return False
        return (self.first is None or cell.python >= self.first) and (
            self.last is None or cell.python <= self.last
        )


@dataclass(frozen=True, slots=True)
class _Choice:
    """A term with the targets it holds for, as bits, and what it costs a reader."""

    term: _Term
    mask: int
    cost: tuple[int, int] = field(compare=False)


class TargetMarkers:
    """Answers for one list of targets."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._minors = sorted({target.minor for target in targets})
        self._cells = _cells_of(targets, self._minors)
        self._everything = (1 << len(self._cells)) - 1
        self._systems = tuple(dict.fromkeys(cell.system for cell in self._cells))
        # Every environment there could be, those that are no target included.
        machines = dict.fromkeys((_OTHER, *(cell.machine for cell in self._cells)))
        pythons = range(len(self._minors))
        every = product((*self._systems, _OTHER), machines, pythons)
        self._universe = tuple(_Cell(*parts) for parts in every)
        self._best = lru_cache(maxsize=None)(self._shortest)
        self._choices = self._all_choices()

    def of(self, sets: Sequence[frozenset[int]]) -> tuple[str | None, ...]:
        """For each of ``sets`` (numbers in the list, no two overlap) the marker that holds there.

        None where it is all of them. No two markers hold on one environment, whichever it is.

        Raises:
            Alike: two targets of different sets, or one inside and one outside, are the same cell.
        """
        masks = [sum(1 << number for number in each) for each in sets]
        for mask in masks:
            inside = {cell: number for number, cell in enumerate(self._cells) if mask >> number & 1}
            for number, cell in enumerate(self._cells):
                if not mask >> number & 1 and cell in inside:
                    raise Alike(inside[cell], number)
        found = [self._best(mask) for mask in masks]
        if len(found) > 1:
            cells = [*enumerate(self._universe)]
            held = [
                {place for place, cell in cells if any(term.holds(cell) for term in terms)}
                for terms in found
            ]
            if any(one & two for one, two in combinations(held, 2)):
                found = [self._exact(mask) for mask in masks]
        texts = ([self._written(term) for term in terms] for terms in found)
        return tuple(None if "" in written else " or ".join(written) for written in texts)

    # ---- what there is ---------------------------------------------------------------------

    def _all_choices(self) -> tuple[_Choice, ...]:
        """For every set of targets that one term can mean, the cheapest such term."""
        best: dict[int, _Choice] = {}
        for term in self._terms():
            mask = sum(1 << place for place, cell in enumerate(self._cells) if term.holds(cell))
            single = self._is_single(term)
            bounds = 1 if single else (term.first is not None) + (term.last is not None)
            # How many comparisons, then how many of them are denials.
            comparisons = (term.system is not None) + (term.machine is not None) + bounds
            choice = _Choice(term, mask, (comparisons, int(term.negated)))
            if mask and (mask not in best or choice.cost < best[mask].cost):
                best[mask] = choice
        return tuple(best.values())

    def _terms(self) -> Iterator[_Term]:
        last = len(self._minors) - 1
        spans = [
            (first or None, None if end == last else end)
            for first in range(last + 1)
            for end in range(first, last + 1)
        ]
        for first, end in spans:
            yield _Term(first=first, last=end)
            for system in self._systems:
                yield _Term(system, first=first, last=end)
                yield _Term(system, negated=True, first=first, last=end)
                machines = dict.fromkeys(
                    cell.machine for cell in self._cells if cell.system == system
                )
                for machine in filter(None, machines):
                    # A machine only with its system: Macs have the x86_64 that Linux has.
                    yield _Term(system, machine=machine, first=first, last=end)

    # ---- choosing --------------------------------------------------------------------------

    def _shortest(self, mask: int) -> tuple[_Term, ...]:
        """The cheapest terms that together hold for exactly ``mask``."""
        if mask == self._everything:
            return (_Term(),)
        usable = [each for each in self._choices if each.mask & ~mask == 0]
        usable = [
            each
            for each in usable
            if not any(
                other.mask != each.mask and each.mask & ~other.mask == 0 and other.cost <= each.cost
                for other in usable
            )
        ]
        best = _cover(mask, sorted(usable, key=lambda each: each.cost))
        return tuple(each.term for each in best)

    def _exact(self, mask: int) -> tuple[_Term, ...]:
        """Terms that say everything about the targets they hold for, and so for no other."""
        if mask == self._everything:
            return (_Term(),)
        inside: dict[tuple[str, str], set[int]] = {}
        for number, cell in enumerate(self._cells):
            if mask >> number & 1:
                inside.setdefault((cell.system, cell.machine), set()).add(cell.python)
        newest = len(self._minors) - 1
        return tuple(
            _Term(
                system, machine=machine or None, first=first or None,
                last=None if last == newest else last,
            )
            for (system, machine), pythons in inside.items()
            for first, last in _runs(sorted(pythons))
        )  # fmt: skip

    # ---- writing ---------------------------------------------------------------------------

    def _written(self, term: _Term) -> str:
        parts = []
        if term.system is not None:
            parts.append(f'sys_platform {"!=" if term.negated else "=="} "{term.system}"')
        if term.machine is not None:
            parts.append(f'platform_machine == "{term.machine}"')
        if self._is_single(term) and term.first is not None:
            parts.append(f'python_version == "{_shown(self._minors[term.first])}"')
            return " and ".join(parts)
        if term.first is not None:
            parts.append(f'python_version >= "{_shown(self._minors[term.first])}"')
        if term.last is not None:
            parts.append(f'python_version < "{_shown(self._minors[term.last + 1])}"')
        return " and ".join(parts)

    def _is_single(self, term: _Term) -> bool:
        """Whether the term's Pythons are one minor version, those between targets included."""
        if term.first is None or term.last is None or term.first != term.last:
            return False
        (major, minor), following = self._minors[term.first], self._minors[term.last + 1]
        return following == (major, minor + 1)


def _cells_of(targets: Sequence[Target], minors: Sequence[tuple[int, int]]) -> tuple[_Cell, ...]:
    seen = [dict(target.markers) for target in targets]
    machines: dict[str, set[str]] = {}
    for markers in seen:
        machines.setdefault(markers["sys_platform"], set()).add(markers["platform_machine"])
    return tuple(
        _Cell(
            system := markers["sys_platform"],
            markers["platform_machine"] if len(machines[system]) > 1 else _OTHER,
            minors.index(target.minor),
        )
        for target, markers in zip(targets, seen, strict=True)
    )


def _cover(mask: int, choices: Sequence[_Choice]) -> tuple[_Choice, ...]:
    """The cheapest of ``choices`` (cheapest first) that together cover ``mask``.

    Branches over one target at a time, and gives up what is dear already. Sets without any order in
    them would take for ever: after so many steps the best so far has to do.
    """
    greedy: list[_Choice] = []
    left = mask
    while left:
        most = max(choices, key=lambda each: (each.mask & left).bit_count())
        greedy.append(most)
        left &= ~most.mask
    best = tuple(greedy)
    steps = 0

    def search(covered: int, taken: tuple[_Choice, ...]) -> None:
        nonlocal best, steps
        steps += 1
        if steps > _STEPS or _total(taken) >= _total(best):
            return
        rest = mask & ~covered
        if not rest:
            best = taken
            return
        lowest = rest & -rest
        for each in choices:
            if each.mask & lowest:
                search(covered | each.mask, (*taken, each))

    search(0, ())
    return best


def _total(taken: Sequence[_Choice]) -> tuple[int, int, int]:
    comparisons = sum(each.cost[0] for each in taken)
    return comparisons, len(taken), sum(each.cost[1] for each in taken)


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """``(first, last)`` of everything without gaps."""
    begin = 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            yield numbers[begin], number
            begin = index + 1


def _shown(minor: tuple[int, int]) -> str:
    return f"{minor[0]}.{minor[1]}"


def merge(locks: Sequence[tuple[Target, Lock]], *, header: LockHeader) -> Lock:
    """The lock of which every target selects what its own lock holds.

    Each of ``locks`` holds a name once, on a target that its markers, if any, apply to. A pin that
    all targets have bears no marker, any other one the shortest that holds on its targets and on
    no other. Hashes and ``via`` are those of all targets together.

    Raises:
        FreezeError: ``targets-alike``: two targets that look the same to every marker (glibc and
            musl) have different pins.
    """
    markers = TargetMarkers([target for target, _ in locks])
    names: dict[NormalizedName, dict[Hashable, list[tuple[int, LockEntry]]]] = {}
    for number, (_, lock) in enumerate(locks):
        for entry in lock.entries:
            # All that must be the same for entries of two targets to be one line.
            pin = entry.version, entry.exact, entry.extras, entry.source
            names.setdefault(entry.name, {}).setdefault(pin, []).append((number, entry))
    entries = [
        entry
        for name, pins in names.items()
        for entry in _told_apart(name, tuple(pins.values()), markers, locks)
    ]
    return Lock(
        entries=tuple(sorted(entries, key=sort_key)),
        header=header,
        options=tuple(dict.fromkeys(line for _, lock in locks for line in lock.options)),
        unpinned=tuple(sorted({name for _, lock in locks for name in lock.unpinned})),
    )


def _told_apart(
    name: NormalizedName,
    pins: Sequence[Sequence[tuple[int, LockEntry]]],
    markers: TargetMarkers,
    locks: Sequence[tuple[Target, Lock]],
) -> Iterable[LockEntry]:
    from packaging.markers import Marker

    try:
        found = markers.of([frozenset(number for number, _ in pin) for pin in pins])
    except Alike as alike:
        first, second = (label_of(locks[number][0]) for number in (alike.first, alike.second))
        raise FreezeError(
            f"{first} and {second} need different pins of {name}.",
            code="targets-alike",
            why="No environment marker tells these targets apart, so one lock cannot serve both.",
            fix=Advice("Freeze for one of the two, or ask for the same pin on both."),
        ) from None
    for text, pin in zip(found, pins, strict=True):
        entries = [entry for _, entry in pin]
        yield replace(
            entries[0],
            marker=None if text is None else Marker(text),
            hashes=tuple(sorted({each for entry in entries for each in entry.hashes})),
            via=tuple(sorted({each for entry in entries for each in entry.via})),
            origin=None,
        )
