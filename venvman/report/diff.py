"""``diff``: what differs between two states of the locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import ExitCode
from venvman.lock.file import Lock, LockHeader
from venvman.report.changes import change_list, change_rows, counted
from venvman.report.drawing import Group, Text
from venvman.report.freeze import changes_between
from venvman.report.planned import changes_of_plan
from venvman.report.result import Result, Status
from venvman.report.words import Style, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.answers import DiffOutcome
    from venvman.report.changes import Change
    from venvman.report.drawing import Drawing


def diff_result(outcome: DiffOutcome, *, check: bool) -> Result:
    """``data.{from, to, locks[] {path, added[], removed[], changed[]}}``.

    A report: the exit code is 0; with ``check`` it is 1 if anything differs.
    """
    changes = _changes(outcome)
    drift = check and any(each for _, each in changes)
    return Result(
        command="diff",
        status=Status.DRIFT if drift else Status.OK,
        exit_code=ExitCode.DRIFT if drift else ExitCode.OK,
        data={
            "from": outcome.before,
            "to": outcome.after,
            "locks": [{"path": path, **change_rows(each)} for path, each in changes],
        },
        problems=outcome.problems,
        draw=lambda _: draw_diff(outcome.before, outcome.after, changes),
        answers=True,
    )


def _changes(outcome: DiffOutcome) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    if outcome.plan is not None:
        return ((outcome.before, changes_of_plan(outcome.plan, outcome.project)),)
    return tuple(
        (pair.path, changes_between(pair.before, pair.after or _NONE, outcome.project))
        for pair in outcome.pairs
    )


_NONE = Lock(entries=(), header=LockHeader(text=""))


def draw_diff(
    before: str, after: str, changes_of: Sequence[tuple[str, Sequence[Change]]]
) -> Drawing:
    """The changes of each lock, or of the environment, by path.

    All of them, whatever the screen's height: they are what was asked for.
    """
    heading = Text.assemble(plain(before, Style.PATH), " -> ", plain(after, Style.PATH))
    parts: list[Drawing] = [heading]
    for path, changes in changes_of:
        if not changes:
            continue
        if path != before:
            parts.append(plain(path, Style.NAME))
        parts.append(change_list(changes, limit=None, reasons=True))
    every = [change for _, changes in changes_of for change in changes]
    if not every:
        return Text.assemble(("No difference: ", Style.GOOD), heading, ".")
    parts.append(Text.assemble(plain(counted(every, added=("added", "to add"))), "."))
    return Group(*parts)
