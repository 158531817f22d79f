"""DiffOutcome to Result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import ExitCode
from venvman.frozen import dataclass
from venvman.lock.file import Lock, LockHeader
from venvman.report.changes import change_rows, changes_of_plan
from venvman.report.freeze import changes_between
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from venvman.report.change import Change
    from venvman.workflow.diffing import DiffOutcome

__all__ = ["DiffView", "diff_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffView:
    """What the text renderer draws: the changes of each lock, or of the environment, by path."""

    before: str
    after: str
    changes: tuple[tuple[str, tuple[Change, ...]], ...]


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
        view=DiffView(before=outcome.before, after=outcome.after, changes=changes),
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
