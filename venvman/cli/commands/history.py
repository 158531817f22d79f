"""``venvman history``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["history"]


def history(session: Session) -> Result:
    """List the states of ./venv that it can be taken back to, the newest first."""
    from venvman.report.history import history_result
    from venvman.workflow import recalling

    return history_result(recalling.history(session.context()))
