"""``venvman why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["why"]


def why(
    session: Session,
    *,
    names: tuple[str, ...],
    only_group: tuple[str, ...],
    format: str,  # noqa: A002 - the option is called so
) -> Result:
    """Show why a package is locked: every chain of requirements that brings it."""
    from venvman.report.graph import why_result
    from venvman.report.graphlanguages import GraphForm
    from venvman.workflow.graphing import why as explain

    return why_result(explain(session.context(), names, groups=only_group), GraphForm(format))
