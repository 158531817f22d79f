"""``history`` and ``rollback``: the states of an environment, and what going back has done."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from venvman.environment.history import SnapshotEntry, State, WayBack
from venvman.model.errors import Command
from venvman.report.changes import (
    SIGNS,
    Change,
    ChangeKind,
    Tense,
    change_list,
    change_rows,
    counted,
)
from venvman.report.drawing import Drawing, Grid, Group, Text
from venvman.report.planned import changes_of_plan
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, duration, plain, sentence_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.outcomes import HistoryReport, HistoryRow, RollbackOutcome

_SHORT = 7


def history_result(report: HistoryReport) -> Result:
    """``data.{project, environment, states[]}``, the newest state first."""
    return Result(
        command="history",
        data={
            "project": report.project.root.as_posix(),
            "environment": report.project.display(report.environment),
            "states": [_state(each) for each in report.states],
        },
        draw=lambda screen: draw_history(report, screen),
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


def rollback_result(outcome: RollbackOutcome, *, dry_run: bool) -> Result:
    """``sync``'s lists with the state that was gone back to; ``drift`` for a dry run's plan."""
    pending = dry_run and (bool(outcome.plan) or bool(outcome.written))
    shown = outcome.project.display
    changes = changes_of_plan(outcome.plan, outcome.project)
    return Result(
        command="rollback",
        status=Status.DRIFT if pending else Status.OK,
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
        draw=lambda screen: draw_rollback(outcome, screen, dry_run=dry_run),
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


def _change(name: str, old: SnapshotEntry | None, new: SnapshotEntry | None) -> Change | None:
    if old is None:
        return (
            None if new is None else Change(ChangeKind.ADDED, name, None, new.version, new.source)
        )
    if new is None:
        return Change(ChangeKind.REMOVED, name, old.version, None, old.source)
    if (old.version, old.source, old.wheel) == (new.version, new.source, new.wheel):
        return None
    if old.version == new.version and old.source != new.source:
        return Change(ChangeKind.CHANGED, name, old.source, new.source, new.source)
    return Change(ChangeKind.CHANGED, name, old.version, new.version, new.source)


def _state(recalled: HistoryRow) -> dict[str, Any]:
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


def draw_history(report: HistoryReport, screen: Screen) -> Drawing:
    """A row for each state; with ``verbose`` the names of what changed under each."""
    if not report.states:
        shown = plain(report.project.display(report.environment), Style.NAME)
        return Group(Text.assemble(shown, " has no history yet: it begins with the first sync."))
    shown_rows = report.states[: screen.fitting(used=3)]
    parts: list[Drawing] = []
    if screen.verbose:
        for recalled in shown_rows:
            parts.append(_table((recalled,), header=recalled.number == 0))
            parts.append(change_list(changes_between(recalled.before, recalled.state), limit=None))
    else:
        parts.append(_table(shown_rows, header=True))
    hidden = len(report.states) - len(shown_rows)
    if hidden:
        older = f"... and {count(hidden, 'older state')} (--verbose shows all)"
        parts.append(Text(older, style=Style.FAINT))
    now = report.states[0]
    if now.state.locks and not now.on_disk:
        back = now.state.by == "rollback"
        where = "; the next sync would undo the rollback." if back else "."
        words = f"State 0 was not made from the locks as they are now{where}"
        parts.append(Text(words, style=Style.WARNING))
    return Group(*parts)


def draw_rollback(outcome: RollbackOutcome, screen: Screen, *, dry_run: bool) -> Drawing:
    """What was done, or with a dry run would be, on one screen."""
    if not outcome.plan and not outcome.written:
        shown = plain(outcome.project.display(outcome.environment), Style.NAME)
        return Text.assemble(
            ("Nothing to do: ", Style.GOOD), shown, f" is as it was at {_label(outcome)}."
        )
    changes = changes_of_plan(outcome.plan, outcome.project)
    limit = screen.fitting(used=5)
    parts: list[Drawing] = [change_list(changes, limit=limit)] if changes else []
    parts += [
        Text.assemble(
            ("~ ", Style.CHANGED),
            plain(outcome.project.display(path), Style.NAME),
            " would be put back" if dry_run else " put back",
        )
        for path in outcome.written
    ]
    parts.append(_summary(outcome, changes, dry_run=dry_run))
    return Group(*parts)


def _summary(outcome: RollbackOutcome, changes: Sequence[Change], *, dry_run: bool) -> Text:
    label, unchanged = _label(outcome), outcome.plan.unchanged
    if dry_run:
        what = counted(changes, tense=Tense.FUTURE, unchanged=unchanged)
        return Text.assemble(("Not yet done: ", Style.WARNING), what, f", to {label}.")
    what = counted(changes, unchanged=unchanged)
    number = len(outcome.outcome.restored) if outcome.outcome else 0
    restored = f", {number:,} of them from the attic" if number else ""
    return Text.assemble(
        (f"Back at {label} in {duration(sum(outcome.seconds.values()))}: ", Style.GOOD),
        f"{what}{restored}." if what else "the environment was there already.",
    )


def _label(outcome: RollbackOutcome) -> str:
    return f"state {outcome.number} of {_when(outcome.state)}"


def _table(rows: tuple[HistoryRow, ...], *, header: bool) -> Grid:
    table = Grid(gap=2)
    # Widths that hold for every row, since with --verbose each is a table of its own.
    for width in (2, 16, _SHORT):
        table.add_column(whole=True, minimum=width)
    for width in (_SHORT, 10, 8):
        table.add_column(minimum=width)
    if header:
        headings = ("", "when", "lock", "git", "changes", "way back")
        table.add_row(*(Text(each, Style.FAINT) for each in headings))
    for recalled in rows:
        state = recalled.state
        digest = Text("-", Style.FAINT) if state.digest is None else Text(state.digest[:_SHORT])
        table.add_row(
            Text(str(recalled.number), style=Style.NAME),
            Text(_when(state)),
            digest,
            _revision(state),
            _changes(recalled),
            _way_back(recalled),
        )
    return table


def _when(state: State) -> str:
    """Local time, as people remember it."""
    return datetime.fromtimestamp(state.when).astimezone().strftime("%Y-%m-%d %H:%M")


def _revision(state: State) -> Text:
    if state.revision is None:
        return Text("-", Style.FAINT)
    commit = plain(state.revision.commit[:_SHORT])
    if state.revision.branch is None:
        return commit
    return Text.assemble(commit, " ", plain(state.revision.branch, Style.FAINT))


def _changes(recalled: HistoryRow) -> Text:
    """``+3 ~1``; the oldest state has nothing to compare with."""
    held = count(len(recalled.state.held), "package")
    words = Text(held) if recalled.before is None else _signs(recalled)
    if recalled.state.by == "rollback":
        where = "" if recalled.target is None else f" to {recalled.target}"
        words.append(f" rollback{where}", Style.FAINT)
    return words


def _signs(recalled: HistoryRow) -> Text:
    kinds = [change.kind for change in changes_between(recalled.before, recalled.state)]
    parts = [
        Text(f"{sign}{kinds.count(kind)}", style)
        for kind, (sign, style) in SIGNS.items()
        if kind in kinds
    ]
    return Text(" ").join(parts) if parts else Text("none", Style.FAINT)


def _way_back(recalled: HistoryRow) -> Text:
    ways: Mapping[WayBack, int] = recalled.ways
    words = {
        WayBack.ATTIC: "in the attic",
        WayBack.STORE: "in the cache",
        WayBack.FETCH: "to fetch",
        WayBack.BY_HAND: "by hand, lost",
    }
    told = [f"{ways[way]:,} {word}" for way, word in words.items() if ways[way]]
    if told:
        return Text(sentence_list(told))
    return Text("now" if recalled.number == 0 else "as now", Style.FAINT)
