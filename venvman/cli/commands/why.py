"""``venvman why``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli import options  # noqa: TC001 - annotations are evaluated
from venvman.cli.declared import Argument
from venvman.report.graphlanguages import GraphForm

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["why"]


def why(
    session: Session,
    *,
    names: Annotated[list[str], Argument(metavar="NAME...", help="The packages to explain.")],
    only_group: options.OnlyGroups = None,
    format: options.GraphFormat = GraphForm.TEXT,  # noqa: A002 - the option is called so
) -> Result:
    """Show why a package is locked: every chain of requirements that brings it."""
    from venvman.report.graph import why_result
    from venvman.workflow.graphing import why as explain

    return why_result(explain(session.context(), names, groups=only_group or ()), format)
