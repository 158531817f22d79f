"""What a freeze did, or would do, to the locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.report.as_text.changes import Tense, change_list, counted, fitting
from venvman.report.as_text.words import Style, count, duration, plain
from venvman.report.drawing import Group, Text
from venvman.report.freeze import changes_of_freeze, nothing_to_do

if TYPE_CHECKING:
    from venvman.report.drawing import Drawing
    from venvman.report.freeze import FreezeView
    from venvman.workflow.values import FreezeOutcome, LockOutcome

__all__ = ["freeze_lines", "lock_lines", "render_freeze"]

_MOST_REASONS = 3


def render_freeze(view: FreezeView, *, verbose: bool, height: int | None) -> Drawing:
    """The locks and the pins that moved."""
    return Group(*freeze_lines(view.outcome, verbose=verbose, height=height))


def lock_lines(outcome: FreezeOutcome) -> list[Drawing]:
    """A line per lock that changed, with the reasons that made it stale below it."""
    lines: list[Drawing] = []
    for lock in outcome.locks:
        if lock.changed:
            lines.append(_lock_line(lock, outcome))
            lines += [
                Text.assemble("    ", plain(reason.message, Style.FAINT))
                for reason in lock.stale[:_MOST_REASONS]
                if lock.before is not None
            ]
    return lines


def freeze_lines(outcome: FreezeOutcome, *, verbose: bool, height: int | None) -> list[Drawing]:
    """The summary, line by line."""
    if not outcome.changed:
        return [_unchanged(outcome)]
    changes = changes_of_freeze(outcome)
    head = lock_lines(outcome)
    limit = fitting(height, used=len(head) + 5, verbose=verbose)
    listing = [change_list(changes, limit=limit, reasons=True)] if changes else []
    tense = Tense.PAST if outcome.written else Tense.FUTURE
    numbers = counted(changes, tense=tense, added=("added", "to add"))
    same = "the same pins with other hashes, markers or reasons"
    numbers = numbers or ("what would change was not looked up" if _only_judged(outcome) else same)
    if not outcome.written:
        return [
            *head,
            *listing,
            Text.assemble(("Not yet written: ", Style.WARNING), numbers, "."),
        ]
    took = f" in {duration(sum(outcome.seconds.values()))}" if outcome.seconds else ""
    return [*head, *listing, Text.assemble((f"Frozen{took}: ", Style.GOOD), numbers, ".")]


def _lock_line(lock: LockOutcome, outcome: FreezeOutcome) -> Text:
    new = lock.before is None
    if _only_judged(outcome):
        return Text.assemble(
            ("! ", Style.WARNING),
            plain(outcome.project.display(lock.path), Style.NAME),
            " is missing" if new else " is stale",
        )
    verb = "" if outcome.written else "would be "
    pins = count(len(lock.lock.entries), "pin")
    return Text.assemble(
        ("+ ", Style.ADDED) if new else ("~ ", Style.CHANGED),
        plain(outcome.project.display(lock.path), Style.NAME),
        f" {verb}{'written' if new else 'frozen again'}, {pins}",
    )


def _only_judged(outcome: FreezeOutcome) -> bool:
    """Whether, for ``--check``, nothing was resolved once the reasons were known."""
    return bool(outcome.problems) and not outcome.written


def _unchanged(outcome: FreezeOutcome) -> Text:
    start, names, end = nothing_to_do(outcome)
    return Text.assemble((start, Style.GOOD), plain(names, Style.NAME), end)
