"""Groups frozen together, so that their locks agree: which pins give way, and who stays apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from venvman.engines.conflicts import declared
from venvman.lock.freshness import Stale
from venvman.model.errors import Command, LockError, Problem, Severity, UnsatisfiableError
from venvman.requirements.naming import DEFAULT
from venvman.system.secrets import redact
from venvman.workflow.agreement import DISAGREEMENT, CheckedLock, tracked
from venvman.workflow.inputs import ALWAYS, open_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman.lock.file import Lock
    from venvman.workflow.context import Context
    from venvman.workflow.requests import FreezeRequest

    Run = Callable[[Context, Sequence[CheckedLock], Sequence[CheckedLock]], Mapping[str, Lock]]


def freeze_together(
    context: Context,
    checked: Sequence[CheckedLock],
    todo: Sequence[CheckedLock],
    request: FreezeRequest,
    run: Run,
) -> Mapping[str, Lock]:
    """New locks for ``todo`` beside the fresh ones, whose pins stay where that can be.

    Those of groups that are not always installed give way first. Where nothing else helps, all
    groups are frozen together, which may move pins of fresh locks.

    Raises:
        LockError: pins of the ``default`` group would have to move, and may not.
    """
    fresh = [each for each in checked if each not in todo and each.lock is not None]
    # The groups that are declared to be unable to live with one of ``todo``.
    names = {each.group.name for each in todo}
    sets = (frozenset(each) for each in context.settings.conflicts.value)
    apart = frozenset().union(*(each for each in sets if each & names)) - names
    near = [each for each in fresh if each.group.name not in apart]
    usual = _members(context, *ALWAYS) if near else ()
    for beside in dict.fromkeys(
        (tuple(near), tuple(each for each in near if each.group.name in usual))
    ):
        try:
            return _unmoved(context, todo, beside, run(context, todo, beside), request, run)
        except UnsatisfiableError as error:
            if not beside:
                return _parted(context, checked, todo, request, run, error)
    settled = [each for each in todo if not _only_disagrees(each)]
    if len(settled) < len(todo):  # two fresh locks that cannot agree stay as they are
        left = [each.group.name for each in todo if each not in settled]
        context.reporter.problem(_cannot_agree([(DEFAULT, name) for name in left]))
        return freeze_together(context, checked, settled, request, run) if settled else {}
    asked = [each for each in fresh if each.asked]
    try:
        found = run(context, [*todo, *asked], ())
    except UnsatisfiableError as error:
        return _parted(context, checked, todo, request, run, error)
    _require_leave(context, asked, todo, found, request)
    return found


def _parted(
    context: Context,
    checked: Sequence[CheckedLock],
    todo: Sequence[CheckedLock],
    request: FreezeRequest,
    run: Run,
    error: UnsatisfiableError,
) -> Mapping[str, Lock]:
    """Locks for ``todo``, groups that cannot live together frozen apart: all pairs in one go.

    What cannot live with those that are always installed is frozen by itself.

    Raises:
        UnsatisfiableError: that is not where the trouble lies, or they are to be installed
            together.
    """
    usual = _members(context, *ALWAYS)
    asked = [each for each in checked if each.asked]
    core = [each for each in asked if each.group.name in usual]
    pairs = [
        (one.group.name, two.group.name)
        for one, two in combinations(asked, 2)
        if not (one in core and two in core) and not _fit(context, run, [one, two])
    ]
    unresolvable = {name for pair in pairs for name in pair}
    for side in asked:  # with each of those always installed, and not with all of them
        if side not in core and side.group.name not in unresolvable and len(core) > 1:
            fits = _fit(context, run, [*core, side])
            pairs += [(each.group.name, side.group.name) for each in core if not fits]
    if not pairs:
        raise error
    if not request.apart:
        raise _not_together(error, pairs)
    context.reporter.problem(_cannot_agree(pairs))
    barred = {two for one, two in pairs if one in usual} | {
        one for one, two in pairs if two in usual
    }
    # ``context`` as if ``pairs`` had been declared.
    declared = context.settings.conflicts
    conflicts = replace(
        declared, value=(*declared.value, *[each for each in pairs if barred.isdisjoint(each)])
    )
    aware = replace(context, settings=replace(context.settings, conflicts=conflicts))
    found: dict[str, Lock] = {}
    for side in todo:
        if side.group.name in barred:
            found |= run(context, [side], ())
    left = [each for each in checked if each.group.name not in barred]
    rest = [each for each in todo if each in left]
    return {**found, **(freeze_together(aware, left, rest, request, run) if rest else {})}


def _fit(context: Context, run: Run, together: Sequence[CheckedLock]) -> bool:
    """Whether there are versions for all of ``together``, or they are known to live apart."""
    try:
        run(context, together, ())
    except UnsatisfiableError:
        return False
    return True


def _not_together(
    error: UnsatisfiableError, pairs: Sequence[tuple[str, str]]
) -> UnsatisfiableError:
    """``error`` where the groups of ``pairs`` were to be installed at once."""
    message = f"{_told(pairs)} cannot be installed together."
    way = Problem(
        code="groups-conflict",
        message=message,
        why=str(declared(pairs)),
        fix=Command.venvman("sync", "--only-group", pairs[0][1]),
    )
    return UnsatisfiableError(message, code=error.code, problems=(*error.problems, way))


def _told(pairs: Sequence[tuple[str, str]]) -> str:
    listed = [f"{one} and {two}" for one, two in pairs]
    return "The groups " + ", and ".join(listed)


def _unmoved(
    context: Context,
    todo: Sequence[CheckedLock],
    beside: Sequence[CheckedLock],
    found: Mapping[str, Lock],
    request: FreezeRequest,
    run: Run,
) -> Mapping[str, Lock]:
    """``found``, or what keeps the pins of ``default`` that only other groups of ``todo`` move.

    Raises:
        LockError: they would have to move, and may not.
    """
    if not any(each.lock for each in todo):
        return found
    ships = _members(context, DEFAULT)
    own = [each for each in todo if each.group.name in ships and each.lock is not None]
    others = [each for each in todo if each not in own]
    moves = [_moves(each.lock, found[each.group.name]) for each in own]
    if not others or not any(moves) or _gives_way(context, own, others):
        return found
    alone = run(context, own, beside)
    if moves == [_moves(each.lock, alone[each.group.name]) for each in own]:
        return found
    kept = [replace(each, lock=alone[each.group.name]) for each in own]
    try:
        return {**alone, **run(context, others, (*kept, *beside))}
    except UnsatisfiableError:
        _require_leave(context, kept, others, found, request)
        return found


def _gives_way(context: Context, own: Sequence[CheckedLock], others: Sequence[CheckedLock]) -> bool:
    """Whether git tracks a lock of ``others``, and none of ``own``."""
    known = tracked(context, [each.group.lock for each in (*own, *others)])
    mine, theirs = (any(known.get(e.group.lock) for e in each) for each in (own, others))
    return theirs and not mine


def _only_disagrees(each: CheckedLock) -> bool:
    reasons = each.freshness.reasons if isinstance(each.freshness, Stale) else ()
    return bool(reasons) and all(reason.code == DISAGREEMENT for reason in reasons)


def _cannot_agree(pairs: Sequence[tuple[str, str]]) -> Problem:
    return Problem(
        code="groups-conflict",
        severity=Severity.WARNING,
        message=f"{_told(pairs)} cannot live together; their locks stay apart.",
        fix=declared(pairs),
    )


def _members(context: Context, *groups: str) -> frozenset[str]:
    """The groups with locks that ``groups`` stand for."""
    scan = open_scan(context)
    return frozenset(each for group in groups for each in scan.members(group))


def _require_leave(
    context: Context,
    fresh: Sequence[CheckedLock],
    todo: Sequence[CheckedLock],
    found: Mapping[str, Lock],
    request: FreezeRequest,
) -> None:
    """Asks before another group moves pins of ``default``: that is what ships."""
    ships = _members(context, DEFAULT)
    moved = {
        context.project.display(each.group.lock): _moves(each.lock, found[each.group.name])
        for each in fresh
        if each.group.name in ships
    }
    moves = [move for each in moved.values() for move in each]
    if not moves or request.yes or request.check or request.dry_run:
        return
    shown = ", ".join(path for path, each in moved.items() if each)
    names = ", ".join(context.project.display(each.group.lock) for each in todo)
    told = ", ".join(moves)
    if request.confirm is not None and request.confirm(
        f"{names} can only be frozen if {shown} changes: {told}. Change it?"
    ):
        return
    raise LockError(
        f"{names} can only be frozen if {shown} changes.",
        code="lock-would-move",
        path=shown,
        why=f"{told}. The lock of {DEFAULT} is fresh, and what it pins is what ships.",
        fix=Command.venvman("freeze", "--yes"),
    )


def _moves(before: Lock | None, after: Lock) -> list[str]:
    """``urllib3 1.26.18 -> 2.0.3``, for each pin that moves or goes."""

    def pins(lock: Lock | None) -> dict[str, str]:
        entries = lock.entries if lock else ()
        return {each.name: redact(str(each.version or each.source)) for each in entries}

    old, new = pins(before), pins(after)
    return [
        f"{name} {version} -> {new.get(name, 'gone')}"
        for name, version in old.items()
        if new.get(name) != version
    ]
