"""StatusReport to Result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvman.environment.inspection import (
    Absent,
    Broken,
    Environment,
    NotAnEnvironment,
    out_of_the_way,
)
from venvman.errors import Command, ExitCode, Severity
from venvman.lock.freshness import Fresh, Stale
from venvman.report.as_json import problem_data
from venvman.report.changes import change_rows, changes_of_plan
from venvman.report.history import moment, revision
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.environment.history import State
    from venvman.environment.inspection import Condition
    from venvman.errors import Fix, Problem
    from venvman.workflow.values import LockState, StatusReport

__all__ = ["status_result"]

_UNFINISHED = frozenset({"sync-unfinished", "journal-unreadable"})


def status_result(report: StatusReport, *, porcelain: bool = False) -> Result:
    """``data.{project, requirements, locks[], environment{}, changes{}|null, last_sync{}|null}``.

    ``changes`` is what ``sync`` would do to the environment as it is, in the form that sync
    reports. Anything stale, missing or drifted makes the status ``drift``, exit code 1; files that
    cannot be read make it ``error``, exit code 2. ``porcelain``: one line, see :func:`_line`.
    """
    unfinished = any(each.code in _UNFINISHED for each in report.problems)
    clean = (
        isinstance(report.inspection, Environment)
        and not report.plan
        and not unfinished
        and all(_state(each) in {"fresh", "unjudged"} for each in report.locks)
    )
    status, code = (Status.OK, ExitCode.OK) if clean else (Status.DRIFT, ExitCode.DRIFT)
    data = _data(report)
    following = None if clean else data["environment"]["fix"] or _next(report)
    if any(problem.severity is Severity.ERROR for problem in report.problems):
        # Each says what to do about it; a sync would only say it again.
        status, code, following = Status.ERROR, ExitCode.ERROR, None
    return Result(
        command="status",
        status=status,
        exit_code=code,
        data=data,
        problems=(*report.problems, *_elsewhere(report)),
        view=report,
        answers=True,
        verbatim=_line(data, unfinished=unfinished) if porcelain else None,
        next=following,
    )


def _line(data: Mapping[str, Any], *, unfinished: bool) -> str:
    """``ENVIRONMENT LOCK +INSTALL -REMOVE ~CHANGE``: five words, for prompts; a promise.

    The environment is ``ok``, ``drift``, ``absent`` or ``broken``; the lock the worst of ``fresh``,
    ``unjudged``, ``stale`` and ``missing``, or ``none``.
    """
    states = {each["state"] for each in data["locks"]}
    worst = ("missing", "stale", "unjudged", "fresh")
    lock = next((each for each in worst if each in states), "none")
    changes = data["changes"] or {}
    counts = [len(changes.get(each, ())) for each in ("installed", "removed", "changed")]
    word = {"ok": "ok", "absent": "absent"}.get(data["environment"]["state"], "broken")
    if word == "ok" and (unfinished or any(counts) or data["changes"] is None):
        word = "drift"
    return f"{word} {lock} +{counts[0]} -{counts[1]} ~{counts[2]}\n"


def _next(report: StatusReport) -> Fix:
    stale = [each.freshness for each in report.locks if isinstance(each.freshness, Stale)]
    disagree = any(each.code == "lock-disagreement" for one in stale for each in one.reasons)
    unasked = any(isinstance(each.freshness, Stale) and not each.synced for each in report.locks)
    # Sync refuses locks at odds, and leaves those of groups alone that it does not install.
    if disagree or unasked:
        return Command.venvman("freeze")
    if not report.plan:
        return Command.venvman("sync")
    from venvman.doctor.remedies import of_plan

    return of_plan(report.plan, report.environment)


def _data(report: StatusReport) -> dict[str, Any]:
    changes: dict[str, Any] | None = None
    if report.plan is not None:
        rows = change_rows(changes_of_plan(report.plan, report.project), added="installed")
        changes = {**rows, "unchanged": report.plan.unchanged}
    return {
        "project": report.project.root.as_posix(),
        "requirements": report.requirements,
        "locks": [_lock(each, report) for each in report.locks],
        "environment": {
            "path": report.project.display(report.environment),
            **_environment(report.inspection),
            "python": None if report.interpreter is None else report.interpreter.target.python,
        },
        "changes": changes,
        "last_sync": None if report.last is None else _last(report.last, report.last_on_disk),
    }


def _last(state: State, on_disk: bool) -> dict[str, Any]:
    return {
        "when": moment(state),
        "by": state.by,
        "lock": state.digest,
        "on_disk": on_disk,
        "revision": revision(state),
    }


def _lock(lock: LockState, report: StatusReport) -> dict[str, Any]:
    stale = lock.freshness.reasons if isinstance(lock.freshness, Stale) else ()
    return {
        "group": lock.group,
        "source": ", ".join(map(report.project.display, lock.sources)) or None,
        "path": report.project.display(lock.path),
        "pins": lock.pins,
        "state": _state(lock),
        "reasons": [problem_data(each) for each in stale],
    }


def _elsewhere(report: StatusReport) -> list[Problem]:
    """That a lock is not for the environment's system or Python: fresh, and yet not for here."""
    return [
        replace(note, path=report.project.display(lock.path))
        for lock in report.locks
        if isinstance(lock.freshness, Fresh)
        for note in lock.freshness.notes
        if note.code == "lock-of-other-targets"
    ]


def _state(lock: LockState) -> str:
    match lock.freshness:
        case None:
            return "unjudged"
        case Fresh():
            return "fresh"
        case Stale():
            return "stale" if lock.pins else "missing"


def _environment(condition: Condition) -> dict[str, Any]:
    match condition:
        case Absent():
            return {"state": "absent", "reason": None, "fix": Command.venvman("sync")}
        case NotAnEnvironment():
            return {
                "state": "not-an-environment",
                "reason": condition.reason,
                "fix": out_of_the_way(condition.path),
            }
        case Broken():
            return {"state": "broken", "reason": condition.reason, "fix": condition.fix}
        case Environment():
            return {"state": "ok", "reason": None, "fix": None}
