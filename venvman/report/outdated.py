"""OutdatedOutcome to Result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from venvman.workflow.outdating import Hold, OutdatedOutcome, OutdatedPin

__all__ = ["outdated_result"]


def outdated_result(outcome: OutdatedOutcome, *, check: bool) -> Result:
    """``data.{checked, packages[] {name, current, wanted, latest, direct, held_by[]}}``.

    A report, not a fault: the exit code is 0; with ``check`` it is 1 if a pin could move as the
    requirements are.
    """
    movable = any(pin.moves for pin in outcome.pins)
    drift = check and movable
    return Result(
        command="outdated",
        status=Status.DRIFT if drift else Status.OK,
        exit_code=ExitCode.DRIFT if drift else ExitCode.OK,
        data={"checked": outcome.checked, "packages": [_row(pin) for pin in outcome.pins]},
        problems=outcome.problems,
        view=outcome,
        answers=True,
        next=outcome.upgrade if movable else None,
    )


def _row(pin: OutdatedPin) -> dict[str, Any]:
    return {
        "name": pin.name,
        "current": pin.current,
        "wanted": pin.wanted,
        "latest": pin.latest,
        "direct": pin.direct,
        "held_by": [_hold(each) for each in pin.holds],
    }


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "specifier": hold.specifier,
        "path": hold.path,
        "line": hold.line,
        "package": hold.package,
        "reason": hold.reason,
    }
