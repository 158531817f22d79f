"""``status``, on one screen: requirements, locks, environment, drift, and the next command."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from venvman.environment.inspection import (
    Absent,
    Broken,
    Condition,
    Environment,
    NotAnEnvironment,
    out_of_the_way,
)
from venvman.lock.freshness import Fresh, Stale
from venvman.model.errors import Command, ExitCode, Fix, Severity
from venvman.report.as_json import problem_data
from venvman.report.changes import Change, Tense, change_list, change_rows, counted
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.history import moment, revision
from venvman.report.planned import changes_of_plan
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, fact_grid, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.doctor.examination import ExaminedLock
    from venvman.outcomes import StatusReport

_UNFINISHED = frozenset({"sync-unfinished", "journal-unreadable"})
_STATE_STYLES = {
    "fresh": Style.ADDED,
    "unjudged": Style.FAINT,
    "stale": Style.CHANGED,
    "missing": Style.REMOVED,
}
_MOST_REASONS = 3
_SHORT = 7


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
    changes = () if report.plan is None else changes_of_plan(report.plan, report.project)
    data = _data(report, changes)
    following = None if clean else data["environment"]["fix"] or _next(report)
    if any(problem.severity is Severity.ERROR for problem in report.problems):
        # Each says what to do about it; a sync would only say it again.
        status, code, following = Status.ERROR, ExitCode.ERROR, None
    # That a lock is not for the environment's system or Python: fresh, and yet not for here.
    return Result(
        command="status",
        status=status,
        exit_code=code,
        data=data,
        problems=(
            *report.problems,
            *[
                replace(note, path=report.project.display(lock.path))
                for lock in report.locks
                if isinstance(lock.freshness, Fresh)
                for note in lock.freshness.notes
                if note.code == "lock-of-other-targets"
            ],
        ),
        draw=lambda screen: draw_status(
            data, changes, screen, fine=status is Status.OK, follows=following is not None
        ),
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


def _data(report: StatusReport, changes: Sequence[Change]) -> dict[str, Any]:
    rows: dict[str, Any] | None = None
    if report.plan is not None:
        rows = {**change_rows(changes, added="installed"), "unchanged": report.plan.unchanged}
    return {
        "project": report.project.root.as_posix(),
        "requirements": report.requirements,
        "locks": [_lock(each, report) for each in report.locks],
        "environment": {
            "path": report.project.display(report.environment),
            **_environment(report.inspection),
            "python": None if report.interpreter is None else report.interpreter.target.python,
        },
        "changes": rows,
        "last_sync": None
        if report.last is None
        else {
            "when": moment(report.last),
            "by": report.last.by,
            "lock": report.last.digest,
            "on_disk": report.last_on_disk,
            "revision": revision(report.last),
        },
    }


def _lock(lock: ExaminedLock, report: StatusReport) -> dict[str, Any]:
    stale = lock.freshness.reasons if isinstance(lock.freshness, Stale) else ()
    return {
        "group": lock.group,
        "source": ", ".join(map(report.project.display, lock.sources)) or None,
        "path": report.project.display(lock.path),
        "pins": lock.pins,
        "state": _state(lock),
        "reasons": [problem_data(each) for each in stale],
    }


def _state(lock: ExaminedLock) -> str:
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


def draw_status(
    data: Mapping[str, Any], changes: Sequence[Change], screen: Screen, *, fine: bool, follows: bool
) -> Drawing:
    """Facts, then what a sync would change, and why; a blank line where a command follows.

    Beside other projects one line says that nothing is to be done.
    """
    if screen.beside and fine:
        return Text.assemble("Drift: ", _drift(data, ()))
    facts: list[tuple[str, Drawing]] = [
        ("Project", plain(data["project"], Style.NAME)),
        ("Requirements", plain(f"{data['requirements']:,}")),
        ("Locks" if len(data["locks"]) > 1 else "Lock", _locks(data)),
        ("Environment", _environment_line(data["environment"])),
        ("Drift", _drift(data, changes)),
    ]
    if data["last_sync"] is not None:
        facts.append(("Last sync", _last_sync(data["last_sync"])))
    parts: list[Drawing] = [fact_grid(facts)]
    if changes:
        limit = screen.fitting(used=len(data["locks"]) + 10)
        parts += [Text(), change_list(changes, limit=limit, reasons=True)]
    return Group(*parts, *([Text()] if follows else []))


def _locks(data: Mapping[str, Any]) -> Drawing:
    lines: list[Drawing] = []
    for lock in data["locks"]:
        lines.append(_lock_line(lock))
        lines += [
            Text.assemble("  ", plain(reason["message"], Style.FAINT))
            for reason in lock["reasons"][:_MOST_REASONS]
            if lock["state"] != "missing"
        ]
    return Group(*lines) if lines else Text("none", style=Style.FAINT)


def _lock_line(lock: Mapping[str, Any]) -> Text:
    pins = f", {count(lock['pins'], 'pin')}" if lock["pins"] else ""
    source = f" from {lock['source']}" if lock["source"] else ""
    return Text.assemble(
        plain(lock["path"], Style.PATH),
        " ",
        (lock["state"], _STATE_STYLES[lock["state"]]),
        plain(f"{pins}{source}"),
    )


def _environment_line(environment: Mapping[str, Any]) -> Text:
    path = plain(environment["path"], Style.PATH)
    python = f" with Python {environment['python']}" if environment["python"] else ""
    match environment["state"]:
        case "ok":
            return Text.assemble(path, python)
        case "absent":
            return Text.assemble(path, " ", ("missing", Style.REMOVED))
        case state:
            word = state.replace("-", " ")
            return Text.assemble(
                path, " ", (word, Style.ERROR), ": ", plain(environment["reason"] or "")
            )


def _drift(data: Mapping[str, Any], changes: Sequence[Change]) -> Text:
    if data["changes"] is None:
        return Text("cannot be known yet", style=Style.FAINT)
    if not changes:
        held = count(data["changes"]["unchanged"], "package")
        return Text.assemble(("none", Style.ADDED), f", {held} as locked")
    return Text.assemble(
        (count(len(changes), "difference"), Style.CHANGED),
        plain(f": {counted(changes, tense=Tense.FUTURE)}"),
    )


def _last_sync(last: Mapping[str, Any]) -> Text:
    """When, from what, and whether the locks are still those; local time, as people remember it."""
    when = datetime.fromisoformat(last["when"].replace("Z", "+00:00")).astimezone()
    parts = [plain(f"{when:%Y-%m-%d %H:%M}")]
    if last["by"] == "rollback":
        parts.append(plain(" by rollback"))
    if last["lock"] is not None:
        parts.append(plain(f" from lock {last['lock'][:_SHORT]}"))
    if last["revision"] is not None:
        words = filter(None, (last["revision"]["commit"][:_SHORT], last["revision"]["branch"]))
        parts.append(plain(f" at {' '.join(words)}", Style.FAINT))
    if last["lock"] is not None and not last["on_disk"]:
        parts.append(plain(", not from the lock as it is now", Style.WARNING))
        if last["by"] == "rollback":
            parts.append(plain(" (venvman rollback 0 --with-lock puts its own back)"))
    return Text.assemble(*parts)
