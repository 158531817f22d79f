"""The states of an environment as a table, and what going back to one has done."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from venvman.environment.history import WayBack
from venvman.report.as_text.changes import Tense, change_list, counted, fitting
from venvman.report.as_text.words import Style, count, duration, plain, sentence_list
from venvman.report.change import ChangeKind
from venvman.report.changes import changes_of_plan
from venvman.report.drawing import Grid, Group, Text
from venvman.report.history import changes_between

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.environment.history import State
    from venvman.report.drawing import Drawing
    from venvman.report.history import RollbackView
    from venvman.workflow.recalling import HistoryReport, Recalled
    from venvman.workflow.rollingback import RollbackOutcome

__all__ = ["render_history", "render_rollback"]

_SHORT = 7
_SIGNS = {ChangeKind.ADDED: "+", ChangeKind.CHANGED: "~", ChangeKind.REMOVED: "-"}


def render_history(report: HistoryReport, *, verbose: bool, height: int | None) -> Drawing:
    """A row for each state; with ``verbose`` the names of what changed under each."""
    if not report.states:
        shown = plain(report.project.display(report.environment), Style.NAME)
        return Group(
            Text.assemble(shown, " has no history yet: it begins with the first sync."),
        )
    shown_rows = report.states[: fitting(height, used=3, verbose=verbose)]
    parts: list[Drawing] = []
    if verbose:
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


def render_rollback(view: RollbackView, *, verbose: bool, height: int | None) -> Drawing:
    """What was done, or with a dry run would be, on one screen."""
    outcome, only_looked = view.outcome, view.request.dry_run
    if not outcome.plan and not outcome.written:
        shown = plain(outcome.project.display(outcome.environment), Style.NAME)
        return Text.assemble(
            ("Nothing to do: ", Style.GOOD), shown, f" is as it was at {_label(outcome)}."
        )
    changes = changes_of_plan(outcome.plan, outcome.project)
    limit = fitting(height, used=5, verbose=verbose)
    parts: list[Drawing] = [change_list(changes, limit=limit)] if changes else []
    parts += [
        Text.assemble(
            ("~ ", Style.CHANGED),
            plain(outcome.project.display(path), Style.NAME),
            " would be put back" if only_looked else " put back",
        )
        for path in outcome.written
    ]
    parts.append(_intention(outcome) if only_looked else _deed(outcome))
    return Group(*parts)


def _deed(outcome: RollbackOutcome) -> Text:
    changes = changes_of_plan(outcome.plan, outcome.project)
    seconds = duration(sum(outcome.seconds.values()))
    what = counted(changes, unchanged=outcome.plan.unchanged)
    return Text.assemble(
        (f"Back at {_label(outcome)} in {seconds}: ", Style.GOOD),
        f"{what}{_restored(outcome)}." if what else "the environment was there already.",
    )


def _restored(outcome: RollbackOutcome) -> str:
    number = len(outcome.outcome.restored) if outcome.outcome else 0
    return f", {number:,} of them from the attic" if number else ""


def _intention(outcome: RollbackOutcome) -> Text:
    changes = changes_of_plan(outcome.plan, outcome.project)
    what = counted(changes, tense=Tense.FUTURE, unchanged=outcome.plan.unchanged)
    return Text.assemble(("Not yet done: ", Style.WARNING), what, f", to {_label(outcome)}.")


def _label(outcome: RollbackOutcome) -> str:
    return f"state {outcome.number} of {_when(outcome.state)}"


def _table(rows: tuple[Recalled, ...], *, header: bool) -> Grid:
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
        table.add_row(*_row(recalled))
    return table


def _row(recalled: Recalled) -> tuple[Text, ...]:
    state = recalled.state
    digest = Text("-", Style.FAINT) if state.digest is None else Text(state.digest[:_SHORT])
    return (
        Text(str(recalled.number), style=Style.NAME),
        Text(_when(state)),
        digest,
        _revision(state),
        _changes(recalled),
        _way_back(recalled),
    )


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


def _changes(recalled: Recalled) -> Text:
    """``+3 ~1``; the oldest state has nothing to compare with."""
    if recalled.before is None:
        words = Text(count(len(recalled.state.held), "package"))
    else:
        words = _signs(recalled)
    if recalled.state.by == "rollback":
        where = "" if recalled.target is None else f" to {recalled.target}"
        words.append(f" rollback{where}", Style.FAINT)
    return words


def _signs(recalled: Recalled) -> Text:
    kinds = [change.kind for change in changes_between(recalled.before, recalled.state)]
    styles = {
        ChangeKind.ADDED: Style.ADDED,
        ChangeKind.CHANGED: Style.CHANGED,
        ChangeKind.REMOVED: Style.REMOVED,
    }
    parts = [
        (f"{sign}{kinds.count(kind)}", styles[kind])
        for kind, sign in _SIGNS.items()
        if kind in kinds
    ]
    if not parts:
        return Text("none", Style.FAINT)
    return Text(" ").join(Text(word, style) for word, style in parts)


def _way_back(recalled: Recalled) -> Text:
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
