"""``sync``: the environment made equal to the lock, as one transaction."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from venvman.environment.inventory import take_inventory
from venvman.model.errors import (
    AGAIN,
    Advice,
    Command,
    DriftLeft,
    InstallError,
    LockError,
    LockStale,
    Problem,
    Severity,
)
from venvman.model.events import Stage, Stopwatch
from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical
from venvman.outcomes import FreezeOutcome, Observation, SyncOutcome
from venvman.plan import Plan, Remove, Replace, needs
from venvman.workflow.agreement import DISAGREEMENT
from venvman.workflow.inputs import (
    choose_groups,
    keep_groups,
    load_requirements,
    none_chosen,
    open_scan,
    overridden,
    recall_groups,
    require_sources,
    sync_options,
    tell_left_out,
)
from venvman.workflow.location import (
    Location,
    adopt,
    agree_on_location,
    find_location,
    is_adopted,
    note_location,
    require_free,
    unfinished,
    was_left_empty,
)
from venvman.workflow.locks import check_locks, remember, stale_reasons
from venvman.workflow.planning import Selected, completed, plan_for, select_entries, to_reinstall
from venvman.workflow.recording import note_missed, record, record_unchanged
from venvman.workflow.requests import FreezeRequest, LockPolicy, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.environment.inspection import Environment
    from venvman.install.transaction import Outcome
    from venvman.project.scan import Scan
    from venvman.workflow.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncResult:
    """What was found and done under the environment's lock.

    ``settled`` is the environment if it is as it should be; ``compared`` when that was seen, in
    nanoseconds since the epoch; None where it was before all this.
    """

    location: Location
    plan: Plan
    outcome: Outcome | None
    settled: Environment | None
    compared: int | None


def sync(context: Context, request: SyncRequest) -> SyncOutcome:
    """Freezes first if that is needed and allowed, then installs, replaces and removes.

    Raises:
        LockStale: ``request.locks`` is LOCKED and a lock is missing or stale; where only what was
            installed could tell, that stays.
        DriftLeft: the environment was changed and yet is not what the lock says.
        VenvmanError: anything that stops it; the environment is then as it was.
    """
    if request.dry_run or request.check:
        context = context.looking()
    request = replace(request, groups=recall_groups(context, request.groups))
    watch = Stopwatch(context.reporter)
    started = time.time_ns()
    with watch.stage(Stage.SCAN):
        scan = open_scan(context, request.groups)
        require_sources(context, scan)
        if request.wait >= 0:
            require_free(context, wait=request.wait)
        if not context.looks:
            agree_on_location(context, yes=request.yes, confirm=request.confirm)
        location = find_location(context, recreate=request.recreate)
    brought = _bring_locks(context, scan, location, request, watch)
    result, selected = _install_locked(context, scan, location, request, brought.frozen, watch)
    if brought.unsure and result.settled is not None and not context.looks:
        # What has just been installed tells whether the locks have all that it needs.
        now = replace(location, environment=result.settled)
        brought = _bring_locks(context, scan, now, request, watch, sure=True)
        if brought.frozen is not None:
            request = replace(request, reinstall={}, recreate=False)
            more, selected = _install_locked(context, scan, now, request, brought.frozen, watch)
            result = _joined(result, more)
    if not (request.dry_run or request.check):
        keep_groups(context, request.groups)
    return SyncOutcome(
        project=context.project,
        environment=location.path,
        interpreter=location.interpreter,
        created=result.location.environment is None,
        plan=result.plan,
        outcome=result.outcome,
        frozen=brought.frozen,
        groups=selected.groups,
        seconds=watch.seconds,
        problems=_needed(context, result, selected),
        pending=context.looks and unfinished(context) is not None,
        observation=None
        if result.settled is None
        else Observation(
            scan=scan,
            groups=selected.groups,
            environment=result.settled,
            files_ns=started,
            environment_ns=result.compared or started,
        ),
    )


def _install_locked(
    context: Context,
    scan: Scan,
    location: Location,
    request: SyncRequest,
    frozen: FreezeOutcome | None,
    watch: Stopwatch,
) -> tuple[SyncResult, Selected]:
    """Installs what the locks say, or only plans it; what came of it, and what was selected."""
    with watch.stage(Stage.PLAN):
        chosen = select_entries(context, scan, location, request, frozen)
        for problem in none_chosen(scan, chosen.groups):
            context.reporter.problem(problem)
        selected = completed(context, scan, location.environment, chosen)
        request = replace(request, reinstall=to_reinstall(context, location, selected, request))
        plan = plan_for(context, location, selected, request)
    if request.dry_run or request.check:
        same = None if plan or (frozen and frozen.changed) else location.environment
        looked = SyncResult(location=location, plan=plan, outcome=None, settled=same, compared=None)
        return looked, selected
    location, plan = _with_others_first(context, scan, location, selected, plan, request, watch)
    result = carry_out(context, scan, location, selected, plan, request, watch)
    complete = completed(context, scan, result.settled, chosen) if plan else selected
    if complete != selected:
        now = replace(location, environment=result.settled)
        request = replace(request, reinstall={})
        plan = plan_for(context, now, complete, request)
        more = carry_out(context, scan, now, complete, plan, request, watch)
        result = _joined(result, more)
    return result, selected


def _with_others_first(
    context: Context,
    scan: Scan,
    location: Location,
    selected: Selected,
    plan: Plan,
    request: SyncRequest,
    watch: Stopwatch,
) -> tuple[Location, Plan]:
    """Installs all but what is built in the environment itself; where it is, and what is left."""
    unisolated = frozenset(map(canonical, context.settings.no_build_isolation.value))
    names = {step.name for step in plan.steps}
    if not names & unisolated or not names - unisolated:
        return location, plan
    others = tuple(each for each in selected.entries if each.name not in unisolated)
    first = replace(selected, entries=others, keep=selected.keep | unisolated)
    steps = plan_for(context, location, first, request)
    done = carry_out(context, scan, location, first, steps, request, watch)
    now = replace(location, environment=done.settled)
    return now, plan_for(context, now, selected, replace(request, reinstall={}))


def _needed(context: Context, result: SyncResult, selected: Selected) -> tuple[Problem, ...]:
    """What no lock names and yet a locked distribution needs: it stays, or was not known to."""
    told = [
        _unlocked(f"{each.name} {each.version} stays though no lock names it: {asking} needs it.")
        for each, asking in result.plan.needed
    ]
    removed = {*_removed(result.plan)}
    if result.settled is None or not removed:
        return tuple(told)
    target = result.location.interpreter.target
    there = take_inventory(result.settled, seen=context.seen)
    missing = removed - overridden(context, target).keys()
    needed = needs(there, {entry.name for entry in selected.entries}, target)
    told += [
        _unlocked(f"{name}, which no lock names, was removed, but {asking} needs it.")
        for name, asking in needed.items()
        if name in missing and asking
    ]
    return tuple(told)


def _unlocked(message: str) -> Problem:
    return Problem(
        code="sync-needs-unlocked",
        message=message,
        severity=Severity.WARNING,
        fix=Command.venvman("freeze"),
    )


def _joined(first: SyncResult, second: SyncResult) -> SyncResult:
    """Both, one after the other, as one."""
    if first.outcome is None or second.outcome is None:
        return first if second.outcome is None else second
    outcome = replace(
        first.outcome,
        installed=(*first.outcome.installed, *second.outcome.installed),
        removed=(*first.outcome.removed, *second.outcome.removed),
        changed=(*first.outcome.changed, *second.outcome.changed),
        restored=(*first.outcome.restored, *second.outcome.restored),
    )
    plan = replace(first.plan, steps=(*first.plan.steps, *second.plan.steps))
    return replace(second, location=first.location, plan=plan, outcome=outcome)


def carry_out(
    context: Context,
    scan: Scan,
    location: Location,
    selected: Selected,
    plan: Plan,
    request: SyncRequest,
    watch: Stopwatch,
) -> SyncResult:
    """Makes the environment at ``location`` what ``selected`` says, after asking where that is due.

    Raises:
        VenvmanError: anything that stops it; the environment is then as it was.
    """
    agreed = _agree(context, location, selected, plan, request)
    if not plan and location.environment is not None and not was_left_empty(location.environment):
        if not request.inexact:
            adopt(location.environment)
        note_location(context, location.path)
        record_unchanged(context, location.environment, selected.moment)
        return SyncResult(
            location=location, plan=plan, outcome=None, settled=location.environment, compared=None
        )
    look_again = _Look(context, location, selected, request, agreed)
    return _install(context, scan, location, plan, look_again, watch)


@dataclass(frozen=True, slots=True)
class _Look:
    """Looks and plans once more, under the environment's lock: others may have been at work.

    ``first`` is what was there before; ``agreed`` are the removals and major moves that nobody need
    be asked about again.
    """

    context: Context
    first: Location
    selected: Selected
    request: SyncRequest
    agreed: frozenset[NormalizedName]

    def __call__(self) -> tuple[Location, Plan]:
        location = find_location(self.context, recreate=self.request.recreate, held=True)
        if location.interpreter.path != self.first.interpreter.path:
            shown = self.context.project.display(location.path)
            raise InstallError(
                f"Another program made {shown} again meanwhile, "
                f"with Python {location.interpreter.target.python}.",
                code="environment-changed",
                path=shown,
                fix=AGAIN,
            )
        if location.environment is not None:
            note_missed(self.context, location.environment)
        plan = plan_for(self.context, location, self.selected, self.request)
        if not self.agreed.issuperset({*_removed(plan), *_major_moves(plan)}):
            _agree(self.context, location, self.selected, plan, self.request)
        return location, plan


def _install(
    context: Context,
    scan: Scan,
    location: Location,
    plan: Plan,
    look_again: _Look,
    watch: Stopwatch,
) -> SyncResult:
    """Also compares once more, while the lock is held: whoever waits for it changes all again."""
    from venvman.workflow.installing import Installation, install

    selected = look_again.selected
    settled: Environment | None = None
    compared: int | None = None

    def done(made: Environment) -> None:
        nonlocal settled, compared
        written = time.time_ns()
        note_location(context, made.root)
        record(context, made, selected.moment)
        with watch.stage(Stage.VERIFY):
            settled, compared = _verified(look_again, since_ns=written)

    # ``--config-settings`` of requirement lines, by distribution.
    lines = [line for file in scan.files if file.parsed for line in file.parsed.requirements]
    work = Installation(
        location=location,
        plan=plan,
        options=sync_options(context, scan, selected.locks),
        # As `pip install -r LOCK` marks them (REQUESTED): the lock asks for each by name. Only the
        # bundled pip is not asked for.
        requested=frozenset(entry.name for entry in selected.entries),
        config_settings={
            line.requirement.name: line.requirement.config_settings
            for line in lines
            if line.requirement.name is not None and line.requirement.config_settings
        },
        look_again=look_again,
        done=done,
        whole=not look_again.request.inexact,
        wait=look_again.request.wait,
    )
    location, plan, outcome = install(context, work, watch)
    return SyncResult(
        location=location, plan=plan, outcome=outcome, settled=settled, compared=compared
    )


def _verified(look: _Look, *, since_ns: int) -> tuple[Environment | None, int]:
    """Compares once more: after a sync there is no drift. The environment, and when it was so.

    ``since_ns`` is when the environment was last written to, in nanoseconds since the epoch.

    Raises:
        DriftLeft: something still differs.
    """
    from venvman.system.memo import settle

    context, location = look.context, look.first
    environment = context.environment()
    compared = settle(since_ns)
    done = replace(location, environment=environment)
    left = plan_for(context, done, look.selected, replace(look.request, reinstall={}))
    if not left:
        return environment, compared
    names = [step.name for step in left.steps]
    shown = ", ".join(names[:5]) + (" and others" if names[5:] else "")
    verb = "still differs" if len(names) == 1 else "still differ"
    raise DriftLeft(
        f"After the sync, {shown} {verb} from the lock.",
        code="sync-drift-left",
        path=context.project.display(location.path),
        why=f"{names[0]}: {left.steps[0].because}.",
        fix=Advice("What differs, and why, `venvman doctor` names."),
    )


class _Locks(NamedTuple):
    """What freezing did, None if all was well; ``unsure`` where what a pin needs was not known."""

    frozen: FreezeOutcome | None
    unsure: bool = False


def _bring_locks(
    context: Context,
    scan: Scan,
    location: Location,
    request: SyncRequest,
    watch: Stopwatch,
    *,
    sure: bool = False,
) -> _Locks:
    """Checks the locks, and freezes stale ones where the policy allows it.

    ``sure`` says that no more will be known of what the pins need.
    """
    if request.forward is not None:
        from venvman.workflow.forward import freeze_forward

        forward = FreezeRequest(
            dry_run=request.dry_run or request.check,
            yes=request.yes,
            confirm=request.confirm,
            groups=request.groups,
        )
        moved = freeze_forward(context, forward, request.forward)
        return _Locks(moved if moved.changed else None)
    if request.locks is LockPolicy.FROZEN or not any(each.paths for each in scan.sources):
        return _Locks(None)
    with watch.stage(Stage.SCAN):
        wanted = choose_groups(context, scan, request.groups)
        requirements = load_requirements(context, scan, wanted)
        tell_left_out(context, requirements)
        target = location.interpreter.target
        checked = check_locks(context, requirements, target, together=wanted, asked=wanted)
        requirements = replace(requirements, groups=tuple(each.group for each in checked))
    reasons = stale_reasons(checked)
    # Two locks of equal standing: which one moves is not for a sync to say.
    problems = [each for each in reasons if each.code == DISAGREEMENT]
    if problems:
        last = replace(
            problems[-1],
            why="Where freezing settles nothing, the groups cannot live together: sync one of them "
            "alone, with --only-group.",
        )
        raise LockError("The locks disagree.", code=DISAGREEMENT, problems=(*problems[:-1], last))
    if reasons and request.locks is LockPolicy.LOCKED:
        raise LockStale(
            "The lock is out of date with its requirements.",
            code="lock-stale",
            fix=Command.venvman("freeze"),
            problems=reasons,
        )
    if not reasons:
        unsure = not sure and any(each.unsure for each in checked)
        if not unsure:
            remember(context, requirements.groups, location.interpreter.target)
        return _Locks(None, unsure)
    from venvman.workflow.freezing import freeze_stale

    only_look = FreezeRequest(
        dry_run=request.dry_run or request.check,
        yes=request.yes,
        confirm=request.confirm,
        apart=False,
    )
    frozen = freeze_stale(context, requirements, checked, location.interpreter, only_look, watch)
    return _Locks(frozen if frozen.changed else None)


def _agree(
    context: Context, location: Location, selected: Selected, plan: Plan, request: SyncRequest
) -> frozenset[NormalizedName]:
    """Asks before taking away what somebody else may have put there (DESIGN 4.2; PITFALLS 29).

    Returns what may be removed or moved to another major version.

    Raises:
        InstallError: that is not confirmed.
    """
    removed, moved = _removed(plan), _major_moves(plan)
    agreed = frozenset({*removed, *moved})
    why = _why_ask(context, location, selected)
    if not agreed or request.yes or why is None:
        return agreed
    shown = context.project.display(location.path)
    code, reason = why
    by_sync = selected.target is None
    todo = [f"remove {_counted(removed)} from {shown}"] if removed else []
    todo += [f"move {_counted(tuple(moved.values()))}"] if moved else []
    question = " and ".join(todo)
    if request.confirm is not None and request.confirm(
        f"{reason} {question[0].upper()}{question[1:]}?"
    ):
        return agreed
    left = " --inexact leaves what no lock names." if by_sync and removed else ""
    raise InstallError(
        f"Would {question}, and was not told that it may.",
        code=code,
        path=shown,
        why=f"{reason}{left}",
        fix=Command.venvman(*request.command.split(), "--yes"),
    )


def _why_ask(context: Context, location: Location, selected: Selected) -> tuple[str, str] | None:
    """A code and a sentence, where removing needs to be confirmed."""
    if not selected.entries:
        return "sync-removes-all", "The lock is empty."
    if location.environment is not None and not is_adopted(location.environment):
        shown = context.project.display(location.path)
        return "sync-adopts", f"venvman did not make {shown} and has never synced it."
    return None


def _removed(plan: Plan) -> tuple[NormalizedName, ...]:
    return tuple(step.name for step in plan.steps if isinstance(step, Remove))


def _major_moves(plan: Plan) -> dict[NormalizedName, str]:
    """What would get another major version, each with both versions."""
    return {
        step.name: f"{step.name} {old.version} to {new}"
        for step in plan.steps
        if isinstance(step, Replace)
        for old, new in ((step.installed[0], step.entry.version),)
        if old.version is not None and new is not None and old.version.major != new.major
    }


def _counted(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"{len(names)} packages ({shown})"
