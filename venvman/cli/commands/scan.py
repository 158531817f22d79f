"""``venvman scan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["scan"]


def scan(session: Session, *, all_projects: bool) -> Result:  # noqa: ARG001 - always all
    """Show the projects and requirements files found here, and how each was understood."""
    from venvman.report.scan import scan_result
    from venvman.workflow import wishes

    return scan_result(wishes.scan_projects(session.contexts(workspace=True)))
