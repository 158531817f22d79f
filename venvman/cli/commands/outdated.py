"""``venvman outdated``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["outdated"]


def outdated(
    session: Session,
    *,
    names: tuple[str, ...],
    check: bool,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Show what could move forward, and which requirement holds it back."""
    from venvman.report.outdated import outdated_result
    from venvman.workflow.outdating import outdated as look

    return session.each(
        lambda context: outdated_result(look(context, names), check=check),
        workspace=all_projects,
        changed_since=changed_since,
    )
