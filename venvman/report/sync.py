"""SyncOutcome to Result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.frozen import dataclass
from venvman.report.changes import change_rows, changes_of_plan
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from venvman.workflow.values import SyncOutcome, SyncRequest

__all__ = ["SyncView", "locked_count", "nothing_to_do", "sync_data", "sync_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncView:
    """What the text renderer draws: the outcome, and what was asked for."""

    outcome: SyncOutcome
    request: SyncRequest


def sync_result(outcome: SyncOutcome, request: SyncRequest) -> Result:
    """``data`` as DESIGN 4.3 has it.

    With something left to do the status is ``drift``: exit code 1 for ``--check``, 0 for
    ``--dry-run``.
    """
    pending = _is_pending(outcome, request)
    return Result(
        command="sync",
        status=Status.DRIFT if pending else Status.OK,
        exit_code=ExitCode.DRIFT if pending and request.check else ExitCode.OK,
        data=sync_data(outcome),
        problems=tuple(each.at(outcome.project.root) for each in outcome.problems),
        view=SyncView(outcome=outcome, request=request),
    )


def nothing_to_do(outcome: SyncOutcome) -> tuple[str, str, str]:
    """The sentence for an environment that is as the lock says; the second part is its path.

    Also what the next sync says if nothing changes until then.
    """
    number = locked_count(outcome)
    held = f"{number} package" if number == 1 else f"{number} packages"
    groups = ", ".join(outcome.groups)
    end = f" holds the {held} of {groups}." if groups else f" holds {held}."
    return "Nothing to do: ", outcome.project.display(outcome.environment), end


def locked_count(outcome: SyncOutcome) -> int:
    """How many distributions the locks name."""
    from venvman.plan import Remove

    done = sum(not isinstance(step, Remove) for step in outcome.plan.steps)
    return outcome.plan.unchanged + done


def _is_pending(outcome: SyncOutcome, request: SyncRequest) -> bool:
    if not (request.check or request.dry_run):
        return False
    stale = outcome.frozen is not None and outcome.frozen.changed
    return bool(outcome.plan) or outcome.created or outcome.pending or stale


def sync_data(outcome: SyncOutcome) -> dict[str, Any]:
    """One project's row."""
    changes = changes_of_plan(outcome.plan, outcome.project)
    return {
        "project": outcome.project.root.as_posix(),
        "environment": outcome.project.display(outcome.environment),
        "created": outcome.created,
        **change_rows(changes, added="installed"),
        "unchanged": outcome.plan.unchanged,
        "seconds": round(sum(outcome.seconds.values()), 3),
    }
