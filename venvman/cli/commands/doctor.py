"""``venvman doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["doctor"]


def doctor(
    session: Session,
    *,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    verify: bool,
    all_projects: bool,
) -> Result:
    """Find what has drifted, and name the command that mends it; exit with 1 on findings."""
    from venvman.doctor import Selection
    from venvman.report.doctor import doctor_result
    from venvman.workflow import checking

    contexts = session.contexts(workspace=all_projects)
    selection = Selection.of(select=select, ignore=ignore)
    return doctor_result(
        session.each(
            contexts,
            lambda context: checking.diagnose(context, selection, verify_files=verify),
        )
    )
