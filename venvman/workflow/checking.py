"""``status``, and what it and ``doctor`` look at: nothing is changed, broken parts no obstacle."""

from __future__ import annotations

import os.path
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from venvman.doctor.examination import ExaminedLock
from venvman.drift import Drift, compare
from venvman.environment.history import History
from venvman.environment.inspection import Broken, Condition, Environment, conflict
from venvman.environment.inventory import Inventory, take_inventory
from venvman.lock.file import select
from venvman.lock.freshness import Freshness, Stale
from venvman.model.errors import (
    Command,
    EnvironmentUnusable,
    Fix,
    LockError,
    Problem,
    RequirementsError,
    Severity,
    VenvmanError,
)
from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical
from venvman.outcomes import StatusReport
from venvman.plan import kept, make_plan
from venvman.system.files import permit
from venvman.system.seal import STATE
from venvman.workflow.inputs import (
    choose_groups,
    load_requirements,
    none_chosen,
    open_scan,
    overridden,
    recall_groups,
)
from venvman.workflow.location import interpreter_to_be, unfinished
from venvman.workflow.locks import check_locks, read_group_lock
from venvman.workflow.planning import with_own
from venvman.workflow.recording import is_on_disk
from venvman.workflow.requests import GroupChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from venvman.lock.file import LockEntry
    from venvman.project.groups import RequirementSet
    from venvman.project.scan import Scan, SourceFile
    from venvman.python.probe import Interpreter
    from venvman.resolve.demand import Dependency
    from venvman.workflow.context import Context

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Everything both verbs start from. ``wanted`` are the groups that ``sync`` would install."""

    scan: Scan
    requirements: RequirementSet | None
    requirement_problems: tuple[Problem, ...]
    path: Path
    unfinished: Problem | None
    condition: Condition
    interpreter: Interpreter | None
    python_conflict: str | None
    python_fix: Fix
    locks: tuple[ExaminedLock, ...]
    wanted: tuple[str, ...]
    entries: tuple[LockEntry, ...] | None
    selection_problems: tuple[Problem, ...]
    inventory: Inventory | None
    drift: Drift | None
    keep: Mapping[NormalizedName, NormalizedName | None]


def status(context: Context, groups: GroupChoice | None = None) -> StatusReport:
    """One screen's worth: requirements, locks, environment, and what ``sync`` would change.

    Raises:
        ConfigurationError: ``groups`` names one that the project does not have.
    """
    context = context.looking()
    seen = look(context, groups or GroupChoice())
    stated = seen.requirements.groups if seen.requirements else ()
    unasked = (
        (*seen.requirements.left_out, *seen.requirements.unreached) if seen.requirements else ()
    )
    last = History(seen.path).newest()
    return StatusReport(
        project=context.project,
        requirements=len({line.origin for group in stated for line in group.requirements}),
        locks=seen.locks,
        environment=seen.path,
        # An environment of another Python than is asked for is no use, either.
        inspection=seen.condition
        if seen.python_conflict is None
        else Broken(
            path=seen.path, reason=seen.python_conflict, code="other-python", fix=seen.python_fix
        ),
        interpreter=seen.interpreter,
        drift=seen.drift,
        plan=None if seen.drift is None else make_plan(seen.drift, keep=seen.keep),
        last=last,
        last_on_disk=last is not None and is_on_disk(context.project, last),
        problems=(
            *((seen.unfinished,) if seen.unfinished else ()),
            *(each for each in seen.requirement_problems if each not in unasked),
            *(replace(each, severity=Severity.WARNING) for each in unasked),
            *(problem for each in seen.locks for problem in each.problems),
            *seen.selection_problems,
            *none_chosen(seen.scan, seen.wanted),
        ),
    )


def overrides(
    context: Context, interpreter: Interpreter | None
) -> Mapping[NormalizedName, tuple[Dependency, ...]]:
    """What stands for every demand of a name.

    Empty where the setting cannot be read, which is told elsewhere.
    """
    if interpreter is None:
        return {}
    found, _ = or_problems(lambda: overridden(context, interpreter.target), RequirementsError)
    return found or {}


def look(context: Context, groups: GroupChoice) -> Look:
    """Everything that can be known, where ``groups`` are to be installed."""
    groups = recall_groups(context, groups)
    scan = open_scan(context, groups)
    wanted = choose_groups(context, scan, groups)
    requirements, problems = or_problems(
        lambda: load_requirements(context, scan, wanted), RequirementsError
    )
    problems += (*requirements.left_out, *requirements.unreached) if requirements else ()
    path, condition, interpreter, clash = _environment(context)
    locks = _locks(context, scan, requirements, interpreter, wanted)
    entries, selection_problems = _entries(context, scan, locks, wanted, interpreter)
    # A lock that has to give way says so.
    stale = (each.freshness for each in locks)
    told = {reason.message for each in stale if isinstance(each, Stale) for reason in each.reasons}
    selection_problems = tuple(each for each in selection_problems if each.message not in told)
    inventory = take_inventory(condition) if isinstance(condition, Environment) else None
    drift = None
    keep: Mapping[NormalizedName, NormalizedName | None]
    keep = dict.fromkeys(map(canonical, context.settings.keep.value))
    if entries is not None and inventory is not None and interpreter is not None:
        drift = compare(entries, inventory, root=context.project.root)
        keep = kept(
            drift,
            inventory,
            keep,
            interpreter.target,
            locked=[entry.name for entry in entries],
            overridden=overrides(context, interpreter),
        )
    return Look(
        scan=scan,
        requirements=requirements,
        requirement_problems=problems,
        path=path,
        unfinished=_unfinished(context),
        condition=condition,
        interpreter=interpreter,
        python_conflict=clash,
        python_fix=_python_fix(context) if clash else _RECREATE,
        locks=locks,
        wanted=wanted,
        entries=entries,
        selection_problems=selection_problems,
        inventory=inventory,
        drift=drift,
        keep=keep,
    )


def _unfinished(context: Context) -> Problem | None:
    """What a killed command left; also that nobody may see whether one left something."""
    state = context.environment_path / STATE
    if not os.path.lexists(state) or os.access(state, os.R_OK | os.X_OK):
        return unfinished(context)
    shown = context.project.display(state)
    return Problem(
        code="state-unreadable",
        message=f"{shown} cannot be read, so that nobody knows whether a command was stopped.",
        path=shown,
        fix=permit("u+rwX", state, below=True),
    )


_RECREATE = Command.venvman("sync", "--recreate")


def _python_fix(context: Context) -> Fix:
    """A new environment, or first the Python that is asked for, where it is not here."""
    _, problems = or_problems(lambda: interpreter_to_be(context), EnvironmentUnusable)
    return next((each.fix for each in problems if each.fix), _RECREATE)


def or_problems(
    work: Callable[[], T], *errors: type[VenvmanError]
) -> tuple[T | None, tuple[Problem, ...]]:
    """What ``work`` gives, or the problems of the error that stopped it."""
    try:
        return work(), ()
    except errors as error:
        return None, error.problems


def _environment(context: Context) -> tuple[Path, Condition, Interpreter | None, str | None]:
    """Where the environment is, its condition, its interpreter or the one it would get."""
    path, condition, wanted = context.environment_path, context.inspect(), context.python_request
    if isinstance(condition, Environment):
        clash, faults = or_problems(
            lambda: conflict(condition, wanted, directories=context.directories),
            EnvironmentUnusable,
        )
        clash = faults[0].message if faults else clash
        return path, condition, condition.interpreter, clash
    chosen, faults = or_problems(lambda: interpreter_to_be(context), VenvmanError)
    untrusted = [each.message for each in faults if each.code == "interpreter-untrusted"]
    return path, condition, chosen, untrusted[0] if untrusted else None


def _locks(
    context: Context,
    scan: Scan,
    requirements: RequirementSet | None,
    interpreter: Interpreter | None,
    wanted: tuple[str, ...],
) -> tuple[ExaminedLock, ...]:
    """The locks that are wanted or there; freshness where requirements and locks can be read."""
    freshness: Mapping[str, Freshness] = {}
    if requirements is not None and interpreter is not None:
        checked, _ = or_problems(
            lambda: check_locks(context, requirements, interpreter.target, together=wanted),
            LockError,
        )
        freshness = {each.group.name: each.freshness for each in checked or ()}

    def seen(source: SourceFile) -> ExaminedLock:
        used = source.chosen(wanted if source.group in wanted else (source.group,))
        lock, problems = or_problems(lambda: read_group_lock(context, source.lock, used), LockError)
        found = freshness.get(source.group)
        return ExaminedLock(
            group=source.group,
            path=source.lock,
            lock=lock,
            sources=source.paths,
            freshness=found,
            problems=problems,
            synced=source.group in wanted,
        )

    # A lock that several groups have is told of once, for the first that is wanted.
    ranked = sorted(scan.sources, key=lambda each: each.group not in wanted)
    first = {each.lock: each.group for each in reversed(ranked)}
    return tuple(
        seen(source)
        for source in scan.sources
        if first[source.lock] == source.group
        # no lock is made of others unasked
        and (source.group in wanted or source.lock.exists())
    )


def _entries(
    context: Context,
    scan: Scan,
    locks: tuple[ExaminedLock, ...],
    wanted: tuple[str, ...],
    interpreter: Interpreter | None,
) -> tuple[tuple[LockEntry, ...] | None, tuple[Problem, ...]]:
    """What this interpreter should hold; None where a wanted lock is missing or unreadable."""
    if interpreter is None:
        return None, ()
    chosen = []
    for each in locks:
        if each.group not in wanted:
            continue
        if each.lock is None:
            return None, ()
        chosen.append((context.project.display(each.path), each.lock))
    return or_problems(
        lambda: with_own(context, scan, wanted, select(chosen, interpreter.target)), LockError
    )
