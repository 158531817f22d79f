"""What a sync did, or would do, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.report.as_text.changes import Tense, change_list, counted, done_line, fitting
from venvman.report.as_text.freeze import lock_lines
from venvman.report.as_text.words import Style, duration, plain
from venvman.report.changes import changes_of_plan
from venvman.report.drawing import Group, Text
from venvman.report.freeze import changes_of_freeze
from venvman.report.sync import nothing_to_do

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.events import Stage
    from venvman.report.drawing import Drawing
    from venvman.report.sync import SyncView
    from venvman.workflow.values import SyncOutcome

__all__ = ["done_lines", "render_sync"]

# A stage that took less says nothing about where the time went.
_WORTH_TELLING = 0.05


def render_sync(view: SyncView, *, verbose: bool, height: int | None) -> Drawing:
    """What was done, or with ``--check`` and ``--dry-run`` would be."""
    only_looked = view.request.dry_run or view.request.check
    lines = _intention if only_looked else done_lines
    return Group(*lines(view.outcome, verbose=verbose, height=height))


def done_lines(outcome: SyncOutcome, *, verbose: bool, height: int | None) -> list[Drawing]:
    """What a sync did to one project, without its name."""
    head = _head(outcome, created="created", verbose=verbose, height=height)
    if not outcome.plan:
        return [*head, _nothing_to_do(outcome)]
    changes = changes_of_plan(outcome.plan, outcome.project)
    limit = fitting(height, used=len(head) + 5, verbose=verbose)
    seconds = sum(outcome.seconds.values())
    return [
        *head,
        change_list(changes, limit=limit),
        done_line(changes, unchanged=outcome.plan.unchanged, seconds=seconds),
        *_stages(outcome.seconds),
    ]


def _intention(outcome: SyncOutcome, *, verbose: bool, height: int | None) -> list[Drawing]:
    head = _head(outcome, created="would be created", verbose=verbose, height=height)
    if not outcome.plan:
        return head or [_nothing_to_do(outcome)]
    changes = changes_of_plan(outcome.plan, outcome.project)
    limit = fitting(height, used=len(head) + 5, verbose=verbose)
    return [
        *head,
        change_list(changes, limit=limit, reasons=True),
        Text.assemble(
            ("Not yet done: ", Style.WARNING),
            plain(counted(changes, tense=Tense.FUTURE, unchanged=outcome.plan.unchanged)),
            ".",
        ),
    ]


def _head(
    outcome: SyncOutcome, *, created: str, verbose: bool, height: int | None
) -> list[Drawing]:
    lines: list[Drawing] = []
    if outcome.frozen is not None:
        lines += lock_lines(outcome.frozen)
        moves = changes_of_freeze(outcome.frozen)
        if moves:
            limit = fitting(height, used=len(lines) + 5, verbose=verbose)
            lines.append(change_list(moves, limit=limit, reasons=True))
    if outcome.created:
        lines.append(
            Text.assemble(
                ("+ ", Style.ADDED),
                plain(outcome.project.display(outcome.environment), Style.NAME),
                f" {created} with Python {outcome.interpreter.version}",
            )
        )
    return lines


def _nothing_to_do(outcome: SyncOutcome) -> Text:
    start, where, end = nothing_to_do(outcome)
    return Text.assemble((start, Style.GOOD), plain(where, Style.NAME), end)


def _stages(seconds: Mapping[Stage, float]) -> list[Text]:
    told = [
        f"{stage.value} {duration(each)}"
        for stage, each in seconds.items()
        if each >= _WORTH_TELLING
    ]
    return [Text(", ".join(told), style=Style.FAINT)] if len(told) > 1 else []
