"""``venvman rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["rollback"]


def rollback(
    session: Session,
    *,
    number: int,
    with_lock: bool,
    dry_run: bool,
    yes: bool,
) -> Result:
    """Make ./venv what it was before the last sync, or N states ago."""
    from venvman.report.history import rollback_result
    from venvman.workflow import rollingback

    request = rollingback.RollbackRequest(
        number=number,
        with_lock=with_lock,
        dry_run=dry_run,
        yes=yes,
        confirm=session.confirm,
    )
    return rollback_result(rollingback.rollback(session.context(), request), request)
