"""HistoryReport and RollbackOutcome to Result."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from venvman.errors import Command, ExitCode
from venvman.frozen import dataclass
from venvman.report.change import Change, ChangeKind
from venvman.report.changes import change_rows, changes_of_plan
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from venvman.environment.history import Held, State
    from venvman.workflow.recalling import HistoryReport, Recalled
    from venvman.workflow.rollingback import RollbackOutcome, RollbackRequest

__all__ = [
    "RollbackView",
    "changes_between",
    "history_result",
    "moment",
    "revision",
    "rollback_result",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackView:
    """What the text renderer draws: what was done, and what was asked for."""

    outcome: RollbackOutcome
    request: RollbackRequest


def history_result(report: HistoryReport) -> Result:
    """``data.{project, environment, states[]}``, the newest state first."""
    return Result(
        command="history",
        status=Status.OK,
        exit_code=ExitCode.OK,
        data={
            "project": report.project.root.as_posix(),
            "environment": report.project.display(report.environment),
            "states": [_state(each) for each in report.states],
        },
        view=report,
        answers=True,
        next=_after_history(report),
    )


def _after_history(report: HistoryReport) -> Command | None:
    if not report.states:
        return Command.venvman("sync")
    now = report.states[0]
    if not now.state.locks or now.on_disk:
        return None
    back = now.state.by == "rollback"
    return Command.venvman("rollback", "0", "--with-lock") if back else Command.venvman("sync")


def rollback_result(outcome: RollbackOutcome, request: RollbackRequest) -> Result:
    """``sync``'s lists with the state that was gone back to; ``drift`` for a dry run's plan."""
    pending = request.dry_run and (bool(outcome.plan) or bool(outcome.written))
    shown = outcome.project.display
    changes = changes_of_plan(outcome.plan, outcome.project)
    return Result(
        command="rollback",
        status=Status.DRIFT if pending else Status.OK,
        exit_code=ExitCode.OK,
        data={
            "project": outcome.project.root.as_posix(),
            "environment": shown(outcome.environment),
            "state": {
                "number": outcome.number,
                "when": moment(outcome.state),
                "lock": outcome.state.digest,
                "revision": revision(outcome.state),
            },
            **change_rows(changes, added="installed"),
            "unchanged": outcome.plan.unchanged,
            "restored": sorted(outcome.outcome.restored) if outcome.outcome else [],
            "locks_written": [shown(path) for path in outcome.written],
            "locks_differing": [shown(path) for path in outcome.behind],
            "seconds": round(sum(outcome.seconds.values()), 3),
        },
        problems=outcome.problems,
        view=RollbackView(outcome=outcome, request=request),
    )


def moment(state: State) -> str:
    """When ``state`` was recorded, in UTC: ``2026-03-01T12:00:00Z``."""
    when = datetime.fromtimestamp(state.when, tz=timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def revision(state: State) -> dict[str, str | None] | None:
    """Where git stood at ``state``: ``{commit, branch}``."""
    if state.revision is None:
        return None
    return {"commit": state.revision.commit, "branch": state.revision.branch}


def changes_between(before: State | None, after: State) -> tuple[Change, ...]:
    """What differs in ``after``, by name; nothing where ``before`` is not known."""
    if before is None:
        return ()
    old = {each.name: each for each in before.held}
    new = {each.name: each for each in after.held}
    names = sorted(old.keys() | new.keys())
    changes = (_change(name, old.get(name), new.get(name)) for name in names)
    return tuple(each for each in changes if each is not None)


def _change(name: str, old: Held | None, new: Held | None) -> Change | None:
    if old is None:
        return None if new is None else _of(ChangeKind.ADDED, name, None, new.version, new.source)
    if new is None:
        return _of(ChangeKind.REMOVED, name, old.version, None, old.source)
    if (old.version, old.source, old.wheel) == (new.version, new.source, new.wheel):
        return None
    if old.version == new.version and old.source != new.source:
        return _of(ChangeKind.CHANGED, name, old.source, new.source, new.source)
    return _of(ChangeKind.CHANGED, name, old.version, new.version, new.source)


def _of(kind: ChangeKind, name: str, before: str | None, after: str | None, source: str) -> Change:
    return Change(kind=kind, name=name, before=before, after=after, source=source)


def _state(recalled: Recalled) -> dict[str, Any]:
    state = recalled.state
    return {
        "number": recalled.number,
        "when": moment(state),
        "by": state.by,
        "target": recalled.target,
        "python": state.python,
        "groups": list(state.groups),
        "lock": state.digest,
        "locks": [
            {"group": lock.group, "path": lock.path, "digest": lock.digest} for lock in state.locks
        ],
        "on_disk": recalled.on_disk,
        "revision": revision(state),
        "packages": len(state.held),
        **change_rows(changes_between(recalled.before, state)),
        "ways": {way.value: number for way, number in recalled.ways.items()},
    }
