"""``freeze``: requirements to locks, by an engine, when and only when it is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from venvman.engines.conflicts import declared
from venvman.errors import (
    Advice,
    Command,
    ConfigurationError,
    LockError,
    LockStale,
    Problem,
    Severity,
    UnsatisfiableError,
    VenvmanError,
)
from venvman.events import Stage, Stopwatch
from venvman.lock.freshness import Stale
from venvman.lock.io import check_writable, write_locks
from venvman.locks import using
from venvman.naming import DEFAULT
from venvman.outcomes import FreezeOutcome, LockOutcome
from venvman.secrets import line_of
from venvman.sources import VcsSource
from venvman.workflow.agreement import DISAGREEMENT, by_standing, tracked
from venvman.workflow.chosen import recall
from venvman.workflow.filling import filled_where_due
from venvman.workflow.inputs import (
    ALWAYS,
    choose_groups,
    load_requirements,
    open_scan,
    require_sources,
    tell_left_out,
)
from venvman.workflow.locks import check_locks, read_group_lock, remember, stale_reasons
from venvman.workflow.requests import FreezeRequest, GroupChoice
from venvman.workflow.targeting import wanted_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman import engines
    from venvman.lock.file import Lock, LockEntry
    from venvman.python.interpreters import Interpreter
    from venvman.requirements.groups import Requirement, RequirementSet
    from venvman.scan import Scan
    from venvman.workflow.agreement import CheckedLock
    from venvman.workflow.context import Context

    _Run = Callable[[Context, Sequence[CheckedLock], Sequence[CheckedLock]], Mapping[str, Lock]]


def freeze(context: Context, request: FreezeRequest) -> FreezeOutcome:
    """Makes the locks match their requirements; ``request`` says how far it may go.

    Raises:
        VenvmanError: requirements or locks that cannot be read, no interpreter, no solution, no
            index, a file in a lock's way. Nothing has been written then.
    """
    from venvman.workflow.location import freezing_interpreter

    if request.check or request.dry_run:
        context = context.looking()
    request = replace(request, groups=recall(context, request.groups))
    watch = Stopwatch(context.reporter)
    with watch.stage(Stage.SCAN):
        scan = open_scan(context, request.groups)
        require_sources(context, scan)
        refuse_foreign_locks(scan, context)
        wanted = choose_groups(scan, request.groups, configured=context.settings.groups.value)
        asked = {*wanted}
        # That all groups are to have locks does not say that they are installed together.
        usual = GroupChoice() if request.groups.everything else request.groups
        together = choose_groups(scan, usual, configured=context.settings.groups.value)
        if not request.groups.only:
            asked |= {each.group for each in scan.sources if each.lock.is_file()}
        requirements = load_requirements(context, scan, None if request.installed else asked)
        requirements.require_reached()
        tell_left_out(context, requirements)
    if request.installed:
        from venvman.workflow.installed import freeze_installed

        return freeze_installed(context, requirements, request, watch)
    with watch.stage(Stage.SCAN):
        interpreter = freezing_interpreter(context)
        checked = check_locks(
            context,
            requirements,
            interpreter.target,
            together=together,
            overwrite=request.yes,
            ask=not (request.check or request.dry_run),
            asked=asked,
        )
        requirements = replace(requirements, groups=tuple(each.group for each in checked))
    return freeze_stale(context, requirements, checked, interpreter, request, watch)


def freeze_stale(
    context: Context,
    requirements: RequirementSet,
    checked: Sequence[CheckedLock],
    interpreter: Interpreter,
    request: FreezeRequest,
    watch: Stopwatch,
) -> FreezeOutcome:
    """Runs the engine where a lock is stale or an upgrade is asked for, and writes what changes.

    A lock that is fresh is not written, unless its pins are to move or have to.
    """
    reasons = stale_reasons(checked)
    forced = request.upgrade is not None or request.hashes is not None or bool(request.prefer)
    if not reasons and not forced:
        if not (request.check or request.dry_run):
            write_locks(context.project, {})
        remember(context, requirements.groups, interpreter.target)
        return _outcome(context, checked, {}, written=False, watch=watch)
    if request.check and not forced:
        return _outcome(context, checked, None, written=False, watch=watch, problems=reasons)
    requirements.require_reached()
    todo = [each for each in checked if forced or isinstance(each.freshness, Stale)]
    for each in todo:
        shown = context.project.display(each.group.lock)
        # An .in that is written beside it takes its place, where somebody agrees to that.
        beside = request.yes and each.group.lock.with_suffix(".in") in each.group.sources
        declared = each.group.declared or beside
        check_writable(each.group.lock, display=shown, yes=request.yes, declared=declared)
    for requirement in (requirement for each in todo for requirement in each.group.requirements):
        if isinstance(requirement.source, VcsSource) and _EDITABLE.match(requirement.origin.text):
            context.reporter.problem(_not_editable(requirement))
    try:
        with watch.stage(Stage.FREEZE):
            run = partial(_run_engine, checked, interpreter, request, forced)
            found = (
                run(context, todo, ()) if forced else _frozen(context, checked, todo, request, run)
            )
    except VenvmanError as error:
        if not (reasons and any(each.code == "build-in-look" for each in error.problems)):
            raise
        raise LockStale(
            "The lock is out of date with its requirements; only a build tells what it becomes.",
            code="lock-stale",
            fix=Command.venvman("freeze"),
            problems=reasons,
        ) from error
    frozen = _changed(checked, todo, found, renew=request.hashes is not None)
    if request.check or request.dry_run:
        return _outcome(context, checked, frozen, written=False, watch=watch)
    written = write_locks(
        context.project,
        filled_where_due(
            context,
            {
                each.group.lock: frozen[each.group.name]
                for each in checked
                if each.group.name in frozen
            },
            {each.group.lock: each.lock for each in checked},
        ),
    )
    # What lies on disk now: its entries know their lines.
    read = {group.name: read_group_lock(context, group.lock) for group in requirements.groups}
    after = {name: lock for name, lock in read.items() if lock is not None}
    _require_fresh(context, requirements, interpreter, after, frozen)
    remember(context, requirements.groups, interpreter.target)
    return _outcome(context, checked, after, written=written, watch=watch)


def _require_fresh(
    context: Context,
    requirements: RequirementSet,
    interpreter: Interpreter,
    locks: Mapping[str, Lock],
    frozen: Mapping[str, Lock],
) -> None:
    """Checks what was just written as anybody else will.

    Raises:
        LockStale: it does not meet its own requirements, which is a defect.
    """
    from venvman.lock.freshness import Stale, check

    targets = wanted_targets(context, locks.values(), interpreter.target)
    for group in requirements.groups:
        if group.name not in frozen:
            continue
        freshness = check(
            group,
            locks.get(group.name),
            target=interpreter.target,
            root=context.project.root,
            targets=targets,
            others=[other for other in requirements.groups if other is not group],
        )
        if isinstance(freshness, Stale):
            shown = context.project.display(group.lock)
            raise LockStale(
                f"{shown} was written, and does not match its requirements.",
                code="freeze-left-stale",
                path=shown,
                why="This is a defect of venvman: please report it.",
                problems=freshness.reasons,
            )


def _frozen(
    context: Context,
    checked: Sequence[CheckedLock],
    todo: Sequence[CheckedLock],
    request: FreezeRequest,
    run: _Run,
) -> Mapping[str, Lock]:
    """New locks for ``todo`` beside the fresh ones, whose pins stay where that can be.

    Those of groups that are not always installed give way first. Where nothing else helps, all
    groups are frozen together, which may move pins of fresh locks.

    Raises:
        LockError: pins of the ``default`` group would have to move, and may not.
    """
    fresh = [each for each in checked if each not in todo and each.lock is not None]
    apart = _conflicting(context, todo)
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
        return _frozen(context, checked, settled, request, run) if settled else {}
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
    run: _Run,
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
    aware = _aware(context, [each for each in pairs if barred.isdisjoint(each)])
    found: dict[str, Lock] = {}
    for side in todo:
        if side.group.name in barred:
            found |= run(context, [side], ())
    left = [each for each in checked if each.group.name not in barred]
    rest = [each for each in todo if each in left]
    return {**found, **(_frozen(aware, left, rest, request, run) if rest else {})}


def _aware(context: Context, pairs: Sequence[tuple[str, str]]) -> Context:
    """``context`` as if ``pairs`` had been declared."""
    declared = context.settings.conflicts
    conflicts = replace(declared, value=(*declared.value, *pairs))
    return replace(context, settings=replace(context.settings, conflicts=conflicts))


def _fit(context: Context, run: _Run, together: Sequence[CheckedLock]) -> bool:
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
    run: _Run,
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


_EDITABLE = re.compile("-e|--editable")


def _not_editable(requirement: Requirement) -> Problem:
    return Problem(
        code="repository-not-editable",
        severity=Severity.NOTE,
        message=f"{requirement.name or requirement.spelled} is installed from its commit, "
        "not to be edited.",
        **line_of(requirement.origin),
        why="pip would clone the repository into the environment for -e; venvman does not.",
        fix=Advice("To edit it, clone it yourself and name the folder: -e ./FOLDER."),
    )


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


def _conflicting(context: Context, todo: Sequence[CheckedLock]) -> frozenset[str]:
    """The groups that are declared to be unable to live with one of ``todo``."""
    names = {each.group.name for each in todo}
    sets = (frozenset(each) for each in context.settings.conflicts.value)
    return frozenset().union(*(each for each in sets if each & names)) - names


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


def _changed(
    checked: Sequence[CheckedLock],
    todo: Sequence[CheckedLock],
    found: Mapping[str, Lock],
    *,
    renew: bool,
) -> Mapping[str, Lock]:
    """What is to be written of ``found``: not what differs from a fresh lock in its header only."""
    result: dict[str, Lock] = {}
    for each in checked:
        lock, name = found.get(each.group.name), each.group.name
        if lock is None:
            continue
        fresh = not isinstance(each.freshness, Stale) and each.lock is not None
        if fresh and not renew and each.lock is not None:
            same = replace(lock, header=each.lock.header) == each.lock
            if same or (each not in todo and _pins(lock) == _pins(each.lock)):
                continue
        result[name] = lock
    return result


def _moves(before: Lock | None, after: Lock) -> list[str]:
    """``urllib3 1.26.18 -> 2.0.3``, for each pin that moves or goes."""
    from venvman.secrets import redact

    def pins(lock: Lock | None) -> dict[str, str]:
        entries = lock.entries if lock else ()
        return {each.name: redact(str(each.version or each.source)) for each in entries}

    old, new = pins(before), pins(after)
    return [
        f"{name} {version} -> {new.get(name, 'gone')}"
        for name, version in old.items()
        if new.get(name) != version
    ]


def _pins(lock: Lock) -> frozenset[tuple[object, ...]]:
    return frozenset((each.name, each.version, each.source, each.marker) for each in lock.entries)


def refuse_foreign_locks(scan: Scan, context: Context) -> None:
    """A project whose only locks are made from something else cannot be frozen here.

    Raises:
        LockError: names the command in the first lock's header.
    """
    if any(source.paths for source in scan.sources) or not scan.sources:
        return
    first = scan.sources[0]
    if first.header is None or not first.header.is_lock:  # pinned and hashed by hand
        return
    raise LockError(
        f"{context.project.display(first.lock)} is not made from a requirements file.",
        code="lock-of-another-source",
        path=context.project.display(first.lock),
        why=f"It is made by {first.header.tool}; venvman syncs such a lock as it is.",
        fix=first.header.rerun,
    )


def _run_engine(
    checked: Sequence[CheckedLock],
    interpreter: Interpreter,
    request: FreezeRequest,
    forced: bool,
    context: Context,
    todo: Sequence[CheckedLock],
    beside: Sequence[CheckedLock],
) -> Mapping[str, Lock]:
    """Locks for the groups of ``todo``; the pins of those ``beside`` are constraints."""
    from venvman import engines
    from venvman.engines.buildrequirements import supply
    from venvman.names import canonical
    from venvman.workflow.location import own_python

    former = {each.group: each.former for each in open_scan(context).sources if each.former}
    there = {
        name: read_group_lock(context, former[name])
        if each.lock is None and name in former
        else each.lock
        for each in checked
        for name in (each.group.name,)
    }
    locks = {name: lock for name, lock in there.items() if lock is not None and not request.prefer}
    said = [
        locks[each.group.name].header if each.group.name in locks else each.group.header
        for each in todo
    ]
    cutoffs = [each.exclude_newer for each in said if each is not None and each.exclude_newer]
    targets = wanted_targets(context, locks.values(), interpreter.target)
    order = engines.FreezeRequest(
        project=context.project,
        groups=tuple(each.group for each in by_standing(context, todo, interpreter.target)),
        python=interpreter.path,
        target=interpreter.target,
        index=context.index_options(),
        directories=context.directories,
        variables=context.variables,
        supply=supply,
        locks=locks,
        installed=request.prefer or _installed(context),
        beside={each.group.lock: each.lock for each in beside if each.lock is not None},
        upgrade=request.upgrade or engines.Keep(),
        conflicts=tuple(frozenset(names) for names in context.settings.conflicts.value),
        parts=forced,
        hashes=request.hashes,
        exclude_newer=context.settings.exclude_newer.value or next(iter(cutoffs), None),
        overrides=context.overrides,
        build_constraints=context.build_constraints,
        extra_build_requires=context.extra_build_requires,
        unisolated=frozenset(map(canonical, context.settings.no_build_isolation.value)),
        build_python=own_python(context),
        targets=targets,
    )
    with using(context.directories.cache):
        found = _engine(context, several=bool(targets)).freeze(order, context.reporter)
    context.evidence.rest_on_all(found.pages)
    return found.locks


def _installed(context: Context) -> tuple[LockEntry, ...]:
    """What an environment holds that somebody else made: its first freeze is to move little."""
    from venvman.environment.inspection import Environment, inspect
    from venvman.environment.inventory import take_inventory
    from venvman.environment.lifecycle import locate
    from venvman.lock.file import LockEntry
    from venvman.workflow.location import is_adopted

    found = inspect(locate(context.project, context.settings), directories=context.directories)
    if not isinstance(found, Environment) or is_adopted(found):
        return ()
    return tuple(
        LockEntry(name=each.name, version=each.version)
        for each in take_inventory(found, seen=context.seen).distributions
        if each.source.is_file and each.version is not None
    )


_ENGINES = ("native", "pip-tools")
"""The names that ``--engine`` takes."""


def _engine(context: Context, *, several: bool) -> engines.Engine:
    setting = context.settings.engine
    if setting.value not in _ENGINES:
        raise ConfigurationError(
            f"There is no freeze engine {setting.value!r}.",
            code="engine-unknown",
            why=f"{setting.where or 'The default'} names it; known: {', '.join(_ENGINES)}.",
        )
    if setting.value == "native":
        from venvman.engines.native import ManyTargets, Native

        return ManyTargets() if several else Native()
    if several:
        raise ConfigurationError(
            f"{setting.value} freezes for one target only: the Python that it runs with.",
            code="engine-of-one-target",
            why=f"{setting.where} names the engine.",
            fix=Advice("Leave out the engine, or the targets."),
        )
    from venvman.engines.piptools import PipTools

    return PipTools()


def _outcome(
    context: Context,
    checked: Sequence[CheckedLock],
    frozen: Mapping[str, Lock] | None,
    *,
    written: bool,
    watch: Stopwatch,
    problems: tuple[Problem, ...] = (),
) -> FreezeOutcome:
    """``frozen`` lacks groups that stayed as they are; None means that stale ones were not run."""
    return FreezeOutcome(
        project=context.project,
        locks=tuple(_lock_outcome(each, frozen) for each in checked),
        written=written,
        problems=problems,
        seconds=watch.seconds,
    )


def _lock_outcome(each: CheckedLock, frozen: Mapping[str, Lock] | None) -> LockOutcome:
    stale = stale_reasons((each,))
    after = (frozen or {}).get(each.group.name, each.lock) or _empty()
    return LockOutcome(
        group=each.group.name,
        path=each.group.lock,
        lock=after,
        before=each.lock,
        changed=bool(stale) if frozen is None else each.lock is None or _differ(each.lock, after),
        stale=stale,
    )


def _differ(before: Lock, after: Lock) -> bool:
    from venvman.lock.render import render_lock

    return render_lock(before) != render_lock(after) or before.header != after.header


def _empty() -> Lock:
    from venvman.lock.file import Lock
    from venvman.lock.header import LockHeader

    return Lock(entries=(), header=LockHeader(text=""))
