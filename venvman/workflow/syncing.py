"""``sync``: the environment made equal to the lock, as one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvman.errors import LockStale
from venvman.events import Stage
from venvman.workflow.locks import judge_locks, require_lock, stale_reasons
from venvman.workflow.places import find_place
from venvman.workflow.stopwatch import Stopwatch
from venvman.workflow.values import FreezeRequest, LockPolicy, SyncOutcome, SyncRequest
from venvman.workflow.wishes import choose_groups, open_scan, read_wishes, sync_options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from venvman.install.transaction import Outcome
    from venvman.lockfile import Lock, LockEntry
    from venvman.names import NormalizedName
    from venvman.plan import Plan
    from venvman.scan import Scan
    from venvman.workflow.context import Context
    from venvman.workflow.places import Place
    from venvman.workflow.values import FreezeOutcome

__all__ = ["sync"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selected:
    """What the chosen locks say that this interpreter installs."""

    groups: tuple[str, ...]
    locks: tuple[Lock, ...]
    entries: tuple[LockEntry, ...]


def sync(context: Context, request: SyncRequest) -> SyncOutcome:
    """Freezes first if that is needed and allowed, then installs, replaces and removes.

    Raises:
        LockStale: ``request.locks`` is LOCKED and a lock is missing or stale.
        VenvmanError: anything that stops it; the environment is then as it was.
    """
    watch = Stopwatch(context.reporter)
    with watch.stage(Stage.SCAN):
        scan = open_scan(context)
        place = find_place(context, recreate=request.recreate)
    frozen = _bring_locks(context, scan, place, request, watch)
    with watch.stage(Stage.PLAN):
        selected = _select(context, scan, place, request, frozen)
        plan = _plan(context, place, selected, request)
    _guard(context, place, selected, plan, request)
    outcome: Outcome | None = None
    idle = not plan and place.environment is not None
    if not (request.dry_run or request.check or idle):
        from venvman.workflow.installing import Installation, install

        work = Installation(
            place=place,
            plan=plan,
            options=sync_options(context, scan, selected.locks),
            requested=_requested(selected),
            config_settings=_config_settings(scan),
            look_again=_again(context, place, selected, request),
        )
        outcome = install(context, work, watch)
    return SyncOutcome(
        project=context.project,
        environment=place.path,
        interpreter=place.interpreter,
        created=place.environment is None,
        plan=plan,
        outcome=outcome,
        frozen=frozen,
        groups=selected.groups,
        seconds=watch.seconds,
    )


def _bring_locks(
    context: Context, scan: Scan, place: Place, request: SyncRequest, watch: Stopwatch
) -> FreezeOutcome | None:
    """Judges the locks, and freezes stale ones where the policy allows it; None if all was well."""
    from venvman.workflow.freezing import freeze_stale

    if request.locks is LockPolicy.FROZEN or all(each.path is None for each in scan.sources):
        return None
    with watch.stage(Stage.SCAN):
        requirements = read_wishes(context, scan)
        judged = judge_locks(context, requirements, place.interpreter.target)
    reasons = stale_reasons(judged)
    if reasons and request.locks is LockPolicy.LOCKED:
        raise LockStale(
            "The lock no longer answers its requirements.",
            code="lock-stale",
            fix="venvman freeze",
            problems=reasons,
        )
    only_look = FreezeRequest(dry_run=request.dry_run or request.check, yes=request.yes)
    frozen = freeze_stale(context, requirements, judged, place.interpreter, only_look, watch)
    return frozen if frozen.changed else None


def _select(
    context: Context,
    scan: Scan,
    place: Place,
    request: SyncRequest,
    frozen: FreezeOutcome | None,
) -> _Selected:
    from venvman.selection import select

    groups = choose_groups(scan, request.groups, configured=context.settings.groups.value)
    # A dry run's locks are not on disk.
    made = {each.group: each.lock for each in frozen.locks} if frozen else {}
    chosen = [source for source in scan.sources if source.group in groups]
    locks = [
        (
            context.project.display(each.lock),
            made.get(each.group) or require_lock(context, each.lock),
        )
        for each in chosen
    ]
    return _Selected(
        groups=groups,
        locks=tuple(lock for _, lock in locks),
        entries=select(locks, place.interpreter.target),
    )


def _plan(context: Context, place: Place, selected: _Selected, request: SyncRequest) -> Plan:
    from venvman.drift import compare
    from venvman.inventory import Inventory, take_inventory
    from venvman.names import canonical
    from venvman.plan import make_plan

    there = place.environment
    inventory = Inventory(distributions=()) if there is None else take_inventory(there)
    drift = compare(selected.entries, inventory, root=context.project.root)
    keep = frozenset(canonical(name) for name in context.settings.keep.value)
    return make_plan(drift, keep=keep, inexact=request.inexact)


def _guard(
    context: Context, place: Place, selected: _Selected, plan: Plan, request: SyncRequest
) -> None:
    """Asks before removing what somebody else may have put there (DESIGN 4.2; PITFALLS 29).

    Raises:
        InstallError: removing is not confirmed.
    """
    from venvman.errors import InstallError
    from venvman.plan import Remove

    removed = [step.name for step in plan.steps if isinstance(step, Remove)]
    if not removed or request.yes or request.dry_run or request.check:
        return
    shown = context.project.display(place.path)
    if not selected.entries:
        code, why = "sync-removes-all", "The lock is empty."
    elif place.environment is not None and not place.environment.made_by_venvman:
        code, why = "sync-adopts", f"venvman did not make {shown} and has never synced it."
    else:
        return
    question = f"{why} Remove {_counted(removed)} from {shown}?"
    if request.confirm is not None and request.confirm(question):
        return
    raise InstallError(
        f"Would remove {_counted(removed)} from {shown}, and was not told that it may.",
        code=code,
        path=shown,
        why=why,
        fix="venvman sync --yes, or --inexact to leave them",
    )


def _counted(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    return f"{len(names)} packages ({shown})"


def _again(
    context: Context, place: Place, selected: _Selected, request: SyncRequest
) -> Callable[[], Plan] | None:
    """Plans anew, for when the environment may have changed; a new one cannot have."""
    if place.environment is None:
        return None
    return lambda: _plan(context, place, selected, request)


def _requested(selected: _Selected) -> frozenset[NormalizedName]:
    """What a line of a source file asks for (REQUESTED, PEP 376), as the annotations tell."""
    return frozenset(
        entry.name for entry in selected.entries if any(via.startswith("-r ") for via in entry.via)
    )


def _config_settings(scan: Scan) -> dict[NormalizedName, tuple[tuple[str, str], ...]]:
    """``--config-settings`` of requirement lines, by distribution."""
    lines = [line for file in scan.files if file.parsed for line in file.parsed.requirements]
    return {
        line.requirement.name: line.requirement.config_settings
        for line in lines
        if line.requirement.name is not None and line.requirement.config_settings
    }
