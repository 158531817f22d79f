"""One screen: requirements, locks, environment, drift, and the next command."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from venvman.report.as_text.changes import Tense, change_list, counted, fitting
from venvman.report.as_text.facts import fact_grid
from venvman.report.as_text.words import Style, count, plain
from venvman.report.changes import changes_of_plan
from venvman.report.drawing import Group, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.report.change import Change
    from venvman.report.drawing import Drawing
    from venvman.report.result import Result
    from venvman.workflow.values import StatusReport

__all__ = ["in_a_line", "render_status"]

_STATE_STYLES = {
    "fresh": Style.ADDED,
    "unjudged": Style.FAINT,
    "stale": Style.CHANGED,
    "missing": Style.REMOVED,
}
_MOST_REASONS = 3
_SHORT = 7


def render_status(result: Result, *, verbose: bool, height: int | None) -> Drawing:
    """Drawn from the result's data, and from its view for the reasons behind each change."""
    data = result.data
    changes = _changes(result)
    facts: list[tuple[str, Drawing]] = [
        ("Project", plain(data["project"], Style.NAME)),
        ("Requirements", plain(f"{data['requirements']:,}")),
        ("Locks" if len(data["locks"]) > 1 else "Lock", _locks(data)),
        ("Environment", _environment(data["environment"])),
        ("Drift", _drift(data, changes)),
    ]
    if data["last_sync"] is not None:
        facts.append(("Last sync", _last_sync(data["last_sync"])))
    parts: list[Drawing] = [fact_grid(facts)]
    if changes:
        limit = fitting(height, used=len(data["locks"]) + 10, verbose=verbose)
        parts += [Text(), change_list(changes, limit=limit, reasons=True)]
    return Group(*parts, *([Text()] if result.next else []))


def in_a_line(result: Result) -> Text:
    """Of a project in which nothing is to be done, beside others."""
    return Text.assemble("Drift: ", _drift(result.data, ()))


def _changes(result: Result) -> tuple[Change, ...]:
    report = cast("StatusReport", result.view)
    return () if report.plan is None else changes_of_plan(report.plan, report.project)


def _locks(data: Mapping[str, Any]) -> Drawing:
    lines: list[Drawing] = []
    for lock in data["locks"]:
        lines.append(_lock(lock))
        lines += [
            Text.assemble("  ", plain(reason["message"], Style.FAINT))
            for reason in lock["reasons"][:_MOST_REASONS]
            if lock["state"] != "missing"
        ]
    return Group(*lines) if lines else Text("none", style=Style.FAINT)


def _lock(lock: Mapping[str, Any]) -> Text:
    pins = f", {count(lock['pins'], 'pin')}" if lock["pins"] else ""
    source = f" from {lock['source']}" if lock["source"] else ""
    return Text.assemble(
        plain(lock["path"], Style.PLACE),
        " ",
        (lock["state"], _STATE_STYLES[lock["state"]]),
        plain(f"{pins}{source}"),
    )


def _environment(environment: Mapping[str, Any]) -> Text:
    path = plain(environment["path"], Style.PLACE)
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


def _drift(data: Mapping[str, Any], changes: tuple[Change, ...]) -> Text:
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
