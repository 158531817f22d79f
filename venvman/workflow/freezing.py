"""``freeze``: requirements to locks, by an engine, when and only when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import ConfigurationError, LockError
from venvman.events import Stage
from venvman.store.lock import using
from venvman.workflow.locks import judge_locks, read_group_lock, remember, stale_reasons
from venvman.workflow.stopwatch import Stopwatch
from venvman.workflow.targeting import wanted_targets
from venvman.workflow.values import FreezeOutcome, FreezeRequest, LockOutcome
from venvman.workflow.wishes import open_scan, read_wishes, require_sources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman import engines
    from venvman.engines import Upgrade
    from venvman.errors import Problem
    from venvman.lock.file import Lock
    from venvman.python.interpreters import Interpreter
    from venvman.requirements.groups import RequirementSet
    from venvman.scan import Scan
    from venvman.workflow.context import Context
    from venvman.workflow.locks import JudgedLock

__all__ = ["freeze", "freeze_stale"]


def freeze(context: Context, request: FreezeRequest) -> FreezeOutcome:
    """Makes the locks answer their requirements; ``request`` says how far it may go.

    Raises:
        VenvmanError: requirements or locks that cannot be read, no interpreter, no solution, no
            index, a file in a lock's way. Nothing has been written then.
    """
    from venvman.workflow.places import freezing_interpreter

    watch = Stopwatch(context.reporter)
    with watch.stage(Stage.SCAN):
        scan = open_scan(context)
        require_sources(context, scan)
        refuse_foreign_locks(scan, context)
        requirements = read_wishes(context, scan)
    if request.installed:
        from venvman.workflow.installed import freeze_installed

        return freeze_installed(context, requirements, request, watch)
    with watch.stage(Stage.SCAN):
        interpreter = freezing_interpreter(context)
        judged = judge_locks(context, requirements, interpreter.target)
    return freeze_stale(context, requirements, judged, interpreter, request, watch)


def freeze_stale(
    context: Context,
    requirements: RequirementSet,
    judged: Sequence[JudgedLock],
    interpreter: Interpreter,
    request: FreezeRequest,
    watch: Stopwatch,
) -> FreezeOutcome:
    """Runs the engine over all groups if any lock is stale or an upgrade is asked for."""
    reasons = stale_reasons(judged)
    forced = request.upgrade is not None or request.hashes is not None
    if not reasons and not forced:
        remember(context, requirements.groups, interpreter.target)
        return _outcome(context, judged, {}, written=False, watch=watch)
    if request.check and not forced:
        return _outcome(context, judged, None, written=False, watch=watch, problems=reasons)
    _refuse_files_in_the_way(context, requirements, request)
    with watch.stage(Stage.FREEZE):
        frozen = _run_engine(context, requirements, judged, interpreter, request)
    if request.check or request.dry_run:
        return _outcome(context, judged, frozen, written=False, watch=watch)
    written = _write(requirements, frozen)
    remember(context, requirements.groups, interpreter.target)
    return _outcome(context, judged, _reread(context, requirements), written=written, watch=watch)


def refuse_foreign_locks(scan: Scan, context: Context) -> None:
    """A project whose only locks are made from something else cannot be frozen here.

    Raises:
        LockError: names the command in the first lock's header.
    """
    if any(source.paths for source in scan.sources) or not scan.sources:
        return
    first = scan.sources[0]
    made_by = first.header.command if first.header else None
    raise LockError(
        f"{context.project.display(first.lock)} is not made from a requirements file.",
        code="lock-of-another-source",
        path=context.project.display(first.lock),
        why="Its header names what makes it; venvman syncs such a lock as it is.",
        fix=made_by,
    )


def _run_engine(
    context: Context,
    requirements: RequirementSet,
    judged: Sequence[JudgedLock],
    interpreter: Interpreter,
    request: FreezeRequest,
) -> Mapping[str, Lock]:
    from venvman import engines
    from venvman.names import canonical

    locks = {each.group.name: each.lock for each in judged if each.lock is not None}
    targets = wanted_targets(context, locks.values(), interpreter.target)
    order = engines.FreezeRequest(
        project=context.project,
        groups=requirements.groups,
        python=interpreter.path,
        target=interpreter.target,
        index=context.index_options(),
        directories=context.directories,
        variables=context.variables,
        locks=locks,
        upgrade=_upgrade(request),
        conflicts=tuple(frozenset(names) for names in context.settings.conflicts.value),
        hashes=request.hashes,
        exclude_newer=context.settings.exclude_newer.value,
        overrides=context.settings.overrides.value,
        build_constraints=context.settings.build_constraints.value,
        sources={canonical(name): url for name, url in context.settings.sources.value},
        targets=targets,
    )
    with using(context.directories.cache):
        return _engine(context, several=bool(targets)).freeze(order, context.reporter).locks


def _upgrade(request: FreezeRequest) -> Upgrade:
    from venvman.engines import Keep

    return Keep() if request.upgrade is None else request.upgrade


def _engine(context: Context, *, several: bool) -> engines.Engine:
    from venvman import engines

    setting = context.settings.engine
    make = engines.ENGINES.get(setting.value)
    if make is None:
        raise ConfigurationError(
            f"There is no freeze engine {setting.value!r}.",
            code="engine-unknown",
            why=f"{setting.where or 'The default'} names it; known: {', '.join(engines.ENGINES)}.",
        )
    if not several:
        return make()
    from venvman.engines.manytargets import ManyTargets

    if setting.value != "native":
        raise ConfigurationError(
            f"{setting.value} freezes for one target only: the Python that it runs with.",
            code="engine-of-one-target",
            why=f"{setting.where} names the engine.",
            fix="Leave out the engine, or the targets",
        )
    return ManyTargets()


def _refuse_files_in_the_way(
    context: Context, requirements: RequirementSet, request: FreezeRequest
) -> None:
    from venvman.lock.io import check_writable

    for group in requirements.groups:
        shown = context.project.display(group.lock)
        check_writable(group.lock, display=shown, yes=request.yes)


def _write(requirements: RequirementSet, frozen: Mapping[str, Lock]) -> bool:
    from venvman.lock.io import write_lock

    changed = [write_lock(group.lock, frozen[group.name]) for group in requirements.groups]
    return any(changed)


def _reread(context: Context, requirements: RequirementSet) -> Mapping[str, Lock]:
    """What lies on disk now: its entries know their lines."""
    locks = {group.name: read_group_lock(context, group.lock) for group in requirements.groups}
    return {name: lock for name, lock in locks.items() if lock is not None}


def _outcome(
    context: Context,
    judged: Sequence[JudgedLock],
    frozen: Mapping[str, Lock] | None,
    *,
    written: bool,
    watch: Stopwatch,
    problems: tuple[Problem, ...] = (),
) -> FreezeOutcome:
    """``frozen`` lacks groups that stayed as they are; None means that stale ones were not run."""
    return FreezeOutcome(
        project=context.project,
        locks=tuple(_lock_outcome(each, frozen) for each in judged),
        written=written,
        problems=problems,
        seconds=watch.seconds,
    )


def _lock_outcome(each: JudgedLock, frozen: Mapping[str, Lock] | None) -> LockOutcome:
    stale = stale_reasons((each,))
    after = (frozen or {}).get(each.group.name, each.lock) or _empty()
    return LockOutcome(
        group=each.group.name,
        path=each.group.lock,
        lock=after,
        before=each.lock,
        changed=bool(stale) if frozen is None else _text(each.lock) != _text(after),
        stale=stale,
    )


def _text(lock: Lock | None) -> str | None:
    from venvman.lock.file import render_lock

    return None if lock is None else render_lock(lock)


def _empty() -> Lock:
    from venvman.lock.file import Lock
    from venvman.lock.header import LockHeader

    return Lock(entries=(), header=LockHeader(text=""))
