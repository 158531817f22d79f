"""Whether fresh locks agree with each other where they have to, and which one gives way.

A lock that includes another one (``-r base.txt``) has that one's pins, and locks that are installed
together have the same. What git tracks beats what it does not, then an included lock the one that
includes it, then an earlier group a later one: ``default`` is what ships.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from venvman.lock.file import applicable
from venvman.lock.freshness import Fresh, Freshness, Stale
from venvman.lock.style import left_out
from venvman.model.errors import Advice, Command, Fix, GitError, Problem
from venvman.model.frozen import dataclass
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from venvman.lock.file import Lock, LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.workflow.context import Context

DISAGREEMENT = "lock-disagreement"
"""The code of reasons that only ``freeze`` settles: two locks of equal standing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedLock:
    """One group with its lock on disk, None where there is none, and what freshness says of it.

    What is not ``asked`` for is never frozen, and never stands in the way. ``unsure`` says that it
    was not known of some pin what it needs.
    """

    group: Group
    lock: Lock | None
    freshness: Freshness
    asked: bool = True
    unsure: bool = False


def in_agreement(
    context: Context, checked: Sequence[CheckedLock], target: Target, wanted: Collection[str]
) -> tuple[CheckedLock, ...]:
    """``checked``, locks that have to give way made stale; ``wanted`` are installed together."""
    apart = [frozenset(names) for names in context.settings.conflicts.value]
    stale: dict[str, list[Problem]] = {}
    for first, second in combinations(checked, 2):
        if not (isinstance(first.freshness, Fresh) and isinstance(second.freshness, Fresh)):
            continue
        names = frozenset((first.group.name, second.group.name))
        includes = _includes(first, second) or _includes(second, first)
        if not includes and (not names <= set(wanted) or any(names <= each for each in apart)):
            continue
        for loser, problem in _clashes(context, first, second, target):
            stale.setdefault(loser, []).append(problem)
    return tuple(
        replace(each, freshness=Stale(reasons=tuple(stale[each.group.name])))
        if each.group.name in stale
        else each
        for each in checked
    )


def by_standing(
    context: Context, checked: Sequence[CheckedLock], target: Target
) -> tuple[CheckedLock, ...]:
    """``checked``, those that git tracks first where pins differ: the first one's are kept."""
    locks = [each.lock for each in checked if each.lock is not None]
    if not any(_differences(one, two, target) for one, two in combinations(locks, 2)):
        return tuple(checked)
    known = tracked(context, [each.group.lock for each in checked])
    return tuple(sorted(checked, key=lambda each: not known.get(each.group.lock, False)))


def _includes(one: CheckedLock, other: CheckedLock) -> bool:
    return other.group.lock in (*one.group.included, *one.group.limiting)


def _clashes(
    context: Context, first: CheckedLock, second: CheckedLock, target: Target
) -> Iterator[tuple[str, Problem]]:
    """Each difference, with the group whose lock gives way."""
    if first.lock is None or second.lock is None:
        return
    differences = _differences(first.lock, second.lock, target)
    missing: list[LockEntry] = []
    for inner, outer in ((first, second), (second, first)):
        whole = inner.group.lock in outer.group.included
        if whole and inner.lock is not None and outer.lock is not None:
            missing += _missing(inner.lock, outer.lock, target)
    if not differences and not missing:
        return
    winner, loser, code = _ranked(context, first, second)
    fix = _fix(context, code, (first.group.name, second.group.name))
    names = [context.project.display(each.group.lock) for each in (loser, winner)]
    for one, two in differences:
        mine, theirs = (two, one) if loser is second else (one, two)
        message = f"{_at(names[0], mine)} pins {_pin(mine)}, but {_at(names[1], theirs)} pins "
        cure: Fix = fix
        if _forbids(first.group, two, target) and _forbids(second.group, one, target):
            both = f"{first.group.name} and {second.group.name}"
            cure = Advice(
                f"{both} cannot live together: sync one of them with --only-group, and say so in "
                f'[tool.venvman]: conflicts = [["{first.group.name}", "{second.group.name}"]].'
            )
        yield loser.group.name, _problem(code, f"{message}{_pin(theirs)}.", names[0], mine, cure)
    for entry in missing:
        message = f"{_at(names[1], entry)} pins {_pin(entry)}, which {names[0]} includes and lacks."
        yield loser.group.name, _problem(code, message, names[0], None, fix)


def _forbids(group: Group, pin: LockEntry, target: Target) -> bool:
    """Whether a line of ``group`` allows no lock of it to have ``pin``."""
    return pin.version is not None and any(
        line.name == pin.name
        and target.applies(line.marker)
        and not line.specifier.contains(pin.version, prereleases=True)
        for line in group.requirements
    )


def _ranked(
    context: Context, first: CheckedLock, second: CheckedLock
) -> tuple[CheckedLock, CheckedLock, str]:
    """The lock that stays, the one that gives way, and why."""
    known = tracked(context, [first.group.lock, second.group.lock])
    one, two = (known.get(each.group.lock, False) for each in (first, second))
    if one != two:
        winner, loser = (first, second) if one else (second, first)
        return winner, loser, "lock-behind-tracked"
    if _includes(first, second):
        return second, first, "lock-differs-from-included"
    if _includes(second, first):
        return first, second, "lock-differs-from-included"
    return first, second, DISAGREEMENT


def tracked(context: Context, paths: Sequence[Path]) -> Mapping[Path, bool]:
    """Whether git tracks each of ``paths``; empty outside a repository."""
    from venvman.doctor.examination import LockTracking
    from venvman.doctor.repository import tracking_of

    try:
        found = tracking_of(paths, root=context.project.root, variables=context.variables)
    except GitError:
        return {}
    return {path: each is LockTracking.TRACKED for path, each in found.items()}


def _by_name(lock: Lock, target: Target) -> dict[NormalizedName, LockEntry]:
    return {entry.name: entry for entry in applicable(lock, target)}


def _differences(first: Lock, second: Lock, target: Target) -> list[tuple[LockEntry, LockEntry]]:
    one, two = _by_name(first, target), _by_name(second, target)
    return [
        (one[name], two[name])
        for name in sorted(one.keys() & two.keys())
        if (one[name].version, one[name].source) != (two[name].version, two[name].source)
    ]


def _missing(inner: Lock, outer: Lock, target: Target) -> list[LockEntry]:
    have = _by_name(outer, target)
    return [
        entry
        for name, entry in _by_name(inner, target).items()
        if name not in have and name not in left_out(outer)
    ]


def _at(path: str, entry: LockEntry) -> str:
    return f"{path}:{entry.origin.line}" if entry.origin else path


def _pin(entry: LockEntry) -> str:
    return f"{entry.name} {entry.version or redact(str(entry.source))}"


def _fix(context: Context, code: str, groups: Sequence[str]) -> Command:
    """Freezing, naming those of ``groups`` that are not always installed."""
    if code != DISAGREEMENT:
        return Command.venvman("freeze")
    from venvman.workflow.inputs import choose_groups, open_scan
    from venvman.workflow.requests import GroupChoice

    scan = open_scan(context)
    usual = choose_groups(context, scan, GroupChoice())
    named = [word for name in groups if name not in usual for word in ("--group", name)]
    return Command.venvman("freeze", *named)


def _problem(code: str, message: str, path: str, entry: LockEntry | None, fix: Fix) -> Problem:
    origin = entry.origin if entry is not None else None
    return Problem(
        code=code,
        message=message,
        path=path,
        line=origin.line if origin else None,
        text=redact(origin.text) if origin else None,
        fix=fix,
    )
