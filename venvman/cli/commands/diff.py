"""``venvman diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["diff"]


def diff(
    session: Session,
    *,
    sides: tuple[str, ...],
    env: bool,
    check: bool,
) -> Result:
    """Show which pins were added, removed or changed between two states of the locks."""
    from venvman.report.diff import diff_result
    from venvman.workflow.diffing import DiffRequest
    from venvman.workflow.diffing import diff as compare

    request = DiffRequest(sides=sides, environment=env)
    return diff_result(compare(session.context(), request), check=check)
