"""``venvman upgrade``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["upgrade"]


def upgrade(
    session: Session,
    *,
    names: tuple[str, ...],
    sync: bool,
    dry_run: bool,
    yes: bool,
    constraint: tuple[str, ...],
    python: str | None,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Move pins as far forward as the requirements allow, then sync."""
    from venvman.report.edit import upgrade_result
    from venvman.workflow.upgrading import UpgradeRequest
    from venvman.workflow.upgrading import upgrade as move

    request = UpgradeRequest(
        names=names, sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
    )
    return session.each(
        lambda context: upgrade_result(move(context, request), dry_run=dry_run),
        workspace=all_projects,
        changed_since=changed_since,
        python=python,
        constraints=constraint or None,
    )
