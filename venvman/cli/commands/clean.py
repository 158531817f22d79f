"""``venvman clean``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["clean"]


def clean(session: Session) -> Result:
    """Remove the environment, and nothing that is not one."""
    from venvman.report.plain import clean_result
    from venvman.workflow import cleaning

    context = session.context()
    return clean_result(cleaning.clean(context), context.project)
