"""``sync``: the environment made equal to the lock, as one transaction."""

from __future__ import annotations

import time
from dataclasses import field, replace
from typing import TYPE_CHECKING

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
from venvman.workflow.planning import completed, plan_for, select_entries, to_reinstall
from venvman.workflow.recording import Selected, note_missed, record, record_unchanged
from venvman.workflow.requests import FreezeRequest, GroupChoice, LockPolicy, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    outcome: Outcome | None = None
    settled: Environment | None = None
    compared: int | None = None


def sync(context: Context, request: SyncRequest) -> SyncOutcome:
    """Freezes first if that is needed and allowed, then installs, replaces and removes.

    Raises:
        LockStale: ``request.locks`` is LOCKED and a lock is missing or stale; where only what was
            installed could tell, that stays.
        DriftLeft: the environment was changed and yet is not what the lock says.
        VenvmanError: anything that stops it; the environment is then as it was.
    """
    if request.looks:
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
    run = SyncRun(context, scan, request, watch)
    frozen, unsure = run.bring_locks(location)
    result, selected = run.install_locked(location, frozen)
    if unsure and result.settled is not None and not context.looks:
        # What has just been installed tells whether the locks have all that it needs.
        now = replace(location, environment=result.settled)
        frozen, _ = run.bring_locks(now, sure=True)
        if frozen is not None:
            again = replace(request, reinstall={}, recreate=False)
            more, selected = replace(run, request=again).install_locked(now, frozen)
            result = _joined(result, more)
    if not request.looks:
        keep_groups(context, request.groups)
    return SyncOutcome(
        project=context.project,
        environment=location.path,
        interpreter=location.interpreter,
        created=result.location.environment is None,
        plan=result.plan,
        outcome=result.outcome,
        frozen=frozen,
        groups=selected.groups,
        seconds=watch.seconds,
        problems=tuple(_needed(context, result, selected)),
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


@dataclass(frozen=True, slots=True)
class SyncRun:
    """What the steps of one sync, or rollback, have in common."""

    context: Context
    scan: Scan
    request: SyncRequest
    watch: Stopwatch
    agreed: set[NormalizedName] = field(default_factory=set)
    """What may be removed or moved to another major version: it was asked about."""

    def bring_locks(
        self, location: Location, *, sure: bool = False
    ) -> tuple[FreezeOutcome | None, bool]:
        """Checks the locks, and freezes stale ones where the policy allows it.

        What freezing did, None if all was well; and whether it was not known what some pin needs.
        ``sure`` says that no more will be known of that.
        """
        context, request = self.context, self.request

        def agree(frozen: FreezeOutcome) -> None:
            # No lock is written for an environment that may not be changed.
            if location.environment is not None:
                chosen = select_entries(context, self.scan, location, request, frozen)
                if not chosen.entries or not is_adopted(location.environment):
                    self._agree(location, chosen, plan_for(context, location, chosen, request))

        freezing = FreezeRequest(
            dry_run=request.looks,
            yes=request.yes,
            confirm=request.confirm,
            groups=request.groups,
            agree=agree,
        )
        if request.forward is not None:
            from venvman.workflow.forward import freeze_forward

            moved = freeze_forward(context, freezing, request.forward)
            for problem in moved.problems:
                context.reporter.problem(problem)
            return moved if moved.changed else None, False
        if request.locks is LockPolicy.FROZEN or not any(each.paths for each in self.scan.sources):
            return None, False
        target = location.interpreter.target
        with self.watch.stage(Stage.SCAN):
            wanted = choose_groups(context, self.scan, request.groups)
            requirements = load_requirements(context, self.scan, wanted)
            tell_left_out(context, requirements)
            checked = check_locks(context, requirements, target, together=wanted, asked=wanted)
            requirements = replace(requirements, groups=tuple(each.group for each in checked))
        reasons = stale_reasons(checked)
        if not reasons:
            unsure = not sure and any(each.unsure for each in checked)
            if not unsure:
                remember(context, requirements.groups, target)
            return None, unsure
        _refuse_disagreement(reasons)
        if request.locks is LockPolicy.LOCKED:
            raise LockStale(
                "The lock is out of date with its requirements.",
                code="lock-stale",
                fix=Command.venvman("freeze"),
                problems=reasons,
            )
        from venvman.workflow.freezing import FreezeRun

        only = replace(freezing, groups=GroupChoice(), apart=False)
        python = location.interpreter
        freeze = FreezeRun(context, requirements, checked, python, only, self.watch)
        frozen = freeze.carry_out()
        return frozen if frozen.changed else None, False

    def install_locked(
        self, location: Location, frozen: FreezeOutcome | None
    ) -> tuple[SyncResult, Selected]:
        """Installs what the locks say, or only plans it; what came of it, and what was selected."""
        context, request = self.context, self.request
        with self.watch.stage(Stage.PLAN):
            chosen = select_entries(context, self.scan, location, request, frozen)
            for problem in none_chosen(self.scan, chosen.groups):
                context.reporter.problem(problem)
            selected = completed(context, self.scan, location.environment, chosen)
            again = to_reinstall(context, location, selected, request)
            run = replace(self, request=replace(request, reinstall=again))
            plan = plan_for(context, location, selected, run.request)
        if request.looks:
            same = None if plan or (frozen and frozen.changed) else location.environment
            return SyncResult(location=location, plan=plan, settled=same), selected
        location, plan = run.with_others_first(location, selected, plan)
        result = run.carry_out(location, selected, plan)
        complete = completed(context, self.scan, result.settled, chosen) if plan else selected
        if complete != selected:
            now = replace(location, environment=result.settled)
            run = replace(self, request=replace(request, reinstall={}))
            plan = plan_for(context, now, complete, run.request)
            result = _joined(result, run.carry_out(now, complete, plan))
        return result, selected

    def with_others_first(
        self, location: Location, selected: Selected, plan: Plan
    ) -> tuple[Location, Plan]:
        """Installs all but what is built in the environment itself; where it is, what is left."""
        context, request = self.context, self.request
        unisolated = frozenset(map(canonical, context.settings.no_build_isolation.value))
        names = {step.name for step in plan.steps}
        if not names & unisolated or not names - unisolated:
            return location, plan
        others = tuple(each for each in selected.entries if each.name not in unisolated)
        first = replace(selected, entries=others, keep=selected.keep | unisolated)
        done = self.carry_out(location, first, plan_for(context, location, first, request))
        now = replace(location, environment=done.settled)
        return now, plan_for(context, now, selected, replace(request, reinstall={}))

    def carry_out(self, location: Location, selected: Selected, plan: Plan) -> SyncResult:
        """Makes the environment at ``location`` what ``selected`` says, after asking where due.

        Raises:
            VenvmanError: anything that stops it; the environment is then as it was.
        """
        context, request, there = self.context, self.request, location.environment
        self._agree(location, selected, plan)
        if not plan and there is not None and not was_left_empty(there):
            if not request.inexact:
                adopt(context, there)
            note_location(context, location.path)
            record_unchanged(context, there, selected)
            return SyncResult(location=location, plan=plan, settled=there)
        from venvman.workflow.installing import Installation, install

        settled: Environment | None = None
        compared: int | None = None

        def look_again() -> tuple[Location, Plan]:
            """Looks and plans once more under the lock: others may have been at work."""
            now = find_location(context, recreate=request.recreate, held=True)
            if now.interpreter.path != location.interpreter.path:
                shown = context.project.display(now.path)
                raise InstallError(
                    f"Another program made {shown} again meanwhile, "
                    f"with Python {now.interpreter.target.python}.",
                    code="environment-changed",
                    path=shown,
                    fix=AGAIN,
                )
            if now.environment is not None:
                note_missed(context, now.environment)
            anew = plan_for(context, now, selected, request)
            self._agree(now, selected, anew)
            return now, anew

        def done(made: Environment) -> None:
            """Compares once more while the lock is held: whoever waits for it changes all again."""
            nonlocal settled, compared
            written = time.time_ns()
            note_location(context, made.root)
            record(context, made, selected)
            with self.watch.stage(Stage.VERIFY):
                settled, compared = self._verified(location, selected, since_ns=written)

        # ``--config-settings`` of requirement lines, by distribution.
        lines = [
            line for file in self.scan.files if file.parsed for line in file.parsed.requirements
        ]
        work = Installation(
            location=location,
            plan=plan,
            options=sync_options(context, self.scan, selected.locks),
            # As `pip install -r LOCK` marks them (REQUESTED): the lock asks for each by name. Only
            # the bundled pip is not asked for.
            requested=frozenset(entry.name for entry in selected.entries),
            config_settings={
                line.requirement.name: line.requirement.config_settings
                for line in lines
                if line.requirement.name is not None and line.requirement.config_settings
            },
            look_again=look_again,
            done=done,
            whole=not request.inexact,
            wait=request.wait,
        )
        location, plan, outcome = install(context, work, self.watch)
        return SyncResult(
            location=location, plan=plan, outcome=outcome, settled=settled, compared=compared
        )

    def _verified(
        self, location: Location, selected: Selected, *, since_ns: int
    ) -> tuple[Environment | None, int]:
        """Compares once more: after a sync there is no drift. The environment, and when it was so.

        ``since_ns`` is when the environment was last written to, in nanoseconds since the epoch.

        Raises:
            DriftLeft: something still differs.
        """
        from venvman.system.memo import settle

        environment = self.context.environment()
        compared = settle(since_ns)
        done, request = replace(location, environment=environment), self.request
        left = plan_for(self.context, done, selected, replace(request, reinstall={}))
        if not left:
            return environment, compared
        names = [step.name for step in left.steps]
        shown = ", ".join(names[:5]) + (" and others" if names[5:] else "")
        verb = "still differs" if len(names) == 1 else "still differ"
        raise DriftLeft(
            f"After the sync, {shown} {verb} from the lock.",
            code="sync-drift-left",
            path=self.context.project.display(location.path),
            why=f"{names[0]}: {left.steps[0].because}.",
            fix=Advice("What differs, and why, `venvman doctor` names."),
        )

    def _agree(self, location: Location, selected: Selected, plan: Plan) -> None:
        """Asks before taking away what somebody else may have put there.

        Raises:
            InstallError: that is not confirmed.
        """
        request, there = self.request, location.environment
        removed, moved = _removed(plan), _major_moves(plan)
        touched = {*removed, *moved}
        if request.yes or touched <= self.agreed:
            return
        self.agreed.update(touched)  # unless this raises
        shown = self.context.project.display(location.path)
        if not selected.entries:
            code, reason = "sync-removes-all", "The lock is empty."
        elif there is not None and not is_adopted(there):
            reason = f"venvman did not make {shown} and has never synced it."
            code = "sync-adopts"
        else:
            return
        todo = [f"remove {_counted(removed)} from {shown}"] if removed else []
        todo += [f"move {_counted(tuple(moved.values()))}"] if moved else []
        question = " and ".join(todo)
        if request.confirm is not None and request.confirm(
            f"{reason} {question[0].upper()}{question[1:]}?"
        ):
            return
        by_sync = selected.target is None
        left = " --inexact leaves what no lock names." if by_sync and removed else ""
        raise InstallError(
            f"Would {question}, and was not told that it may.",
            code=code,
            path=shown,
            why=f"{reason}{left}",
            fix=Command.venvman(*request.command.split(), "--yes"),
        )


def _needed(context: Context, result: SyncResult, selected: Selected) -> Iterator[Problem]:
    """What no lock names and yet a locked distribution needs: it stays, or was not known to."""
    for each, asking in result.plan.needed:
        yield _unlocked(
            f"{each.name} {each.version} stays though no lock names it: {asking} needs it."
        )
    removed = {*_removed(result.plan)}
    if result.settled is None or not removed:
        return
    target = result.location.interpreter.target
    there = take_inventory(result.settled, seen=context.seen)
    missing = removed - overridden(context, target).keys()
    for name, who in needs(there, {entry.name for entry in selected.entries}, target).items():
        if name in missing and who:
            yield _unlocked(f"{name}, which no lock names, was removed, but {who} needs it.")


def _unlocked(message: str) -> Problem:
    freeze = Command.venvman("freeze")
    return Problem(
        code="sync-needs-unlocked", message=message, severity=Severity.WARNING, fix=freeze
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


def _refuse_disagreement(reasons: Sequence[Problem]) -> None:
    """Two locks of equal standing: which one moves is not for a sync to say."""
    problems = [each for each in reasons if each.code == DISAGREEMENT]
    if problems:
        last = problems[-1]
        if isinstance(last.fix, Command):
            last = replace(
                last,
                why="Where freezing settles nothing, the groups cannot live together: sync one of "
                "them alone, with --only-group.",
            )
        raise LockError("The locks disagree.", code=DISAGREEMENT, problems=(*problems[:-1], last))


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
