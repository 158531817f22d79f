"""``freeze``: requirements to locks, by an engine, when and only when it is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from venvman.environment.inventory import take_inventory
from venvman.lock.file import Lock, LockEntry
from venvman.lock.freshness import Stale, check
from venvman.lock.io import check_writable, write_locks
from venvman.lock.render import render_lock
from venvman.model.errors import (
    Advice,
    Command,
    ConfigurationError,
    LockError,
    LockStale,
    Problem,
    Severity,
    VenvmanError,
)
from venvman.model.events import Stage, Stopwatch
from venvman.model.names import canonical
from venvman.model.sources import VcsSource
from venvman.outcomes import FreezeOutcome, LockOutcome
from venvman.requirements.header import LockHeader
from venvman.system.locks import using
from venvman.system.secrets import line_of
from venvman.workflow.agreement import CheckedLock, by_standing
from venvman.workflow.filling import filled_where_due
from venvman.workflow.inputs import (
    choose_groups,
    load_requirements,
    open_scan,
    recall_groups,
    require_sources,
    tell_left_out,
)
from venvman.workflow.location import freezing_interpreter, is_adopted, own_python
from venvman.workflow.locks import check_locks, read_group_lock, remember, stale_reasons
from venvman.workflow.requests import FreezeRequest, GroupChoice
from venvman.workflow.targeting import wanted_targets
from venvman.workflow.together import freeze_together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman import engines
    from venvman.project.groups import RequirementSet
    from venvman.project.scan import Scan
    from venvman.python.probe import Interpreter
    from venvman.workflow.context import Context


def freeze(context: Context, request: FreezeRequest) -> FreezeOutcome:
    """Makes the locks match their requirements; ``request`` says how far it may go.

    Raises:
        VenvmanError: requirements or locks that cannot be read, no interpreter, no solution, no
            index, a file in a lock's way. Nothing has been written then.
    """
    if request.check or request.dry_run:
        context = context.looking()
    request = replace(request, groups=recall_groups(context, request.groups))
    watch = Stopwatch(context.reporter)
    with watch.stage(Stage.SCAN):
        scan = open_scan(context, request.groups)
        require_sources(context, scan)
        refuse_foreign_locks(scan, context)
        wanted = choose_groups(context, scan, request.groups)
        asked = {*wanted}
        # That all groups are to have locks does not say that they are installed together.
        usual = GroupChoice() if request.groups.everything else request.groups
        together = choose_groups(context, scan, usual)
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
            context.reporter.problem(
                Problem(
                    code="repository-not-editable",
                    severity=Severity.NOTE,
                    message=f"{requirement.name or requirement.spelled} is installed from its "
                    "commit, not to be edited.",
                    **line_of(requirement.origin),
                    why="pip would clone the repository into the environment for -e; "
                    "venvman does not.",
                    fix=Advice("To edit it, clone it yourself and name the folder: -e ./FOLDER."),
                )
            )
    try:
        with watch.stage(Stage.FREEZE):
            run = partial(_run_engine, checked, interpreter, request, forced)
            found = (
                run(context, todo, ())
                if forced
                else freeze_together(context, checked, todo, request, run)
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


_EDITABLE = re.compile("-e|--editable")


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
        found = _engine(context, several=bool(targets))(order, context.reporter)
    context.evidence.rest_on_all(found.pages)
    return found.locks


def _installed(context: Context) -> tuple[LockEntry, ...]:
    """What an environment holds that somebody else made: its first freeze is to move little."""
    found = context.sound_environment()
    if found is None or is_adopted(found):
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
        from venvman.engines import native

        return native.freeze
    if several:
        raise ConfigurationError(
            f"{setting.value} freezes for one target only: the Python that it runs with.",
            code="engine-of-one-target",
            why=f"{setting.where} names the engine.",
            fix=Advice("Leave out the engine, or the targets."),
        )
    from venvman.engines import piptools

    return piptools.freeze


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
    nothing = Lock(entries=(), header=LockHeader(text=""))
    after = (frozen or {}).get(each.group.name, each.lock) or nothing
    differs = each.lock is None or (
        render_lock(each.lock) != render_lock(after) or each.lock.header != after.header
    )
    return LockOutcome(
        group=each.group.name,
        path=each.group.lock,
        lock=after,
        before=each.lock,
        changed=bool(stale) if frozen is None else differs,
        stale=stale,
    )
