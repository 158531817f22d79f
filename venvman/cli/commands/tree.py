"""``venvman tree``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli import options  # noqa: TC001 - annotations are evaluated
from venvman.cli.declared import Argument, Option
from venvman.report.graphlanguages import GraphForm

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["tree"]


def tree(
    session: Session,
    *,
    names: Annotated[
        list[str] | None,
        Argument(metavar="[NAME]...", help="Only these packages' trees.", show_default=False),
    ] = None,
    invert: Annotated[
        bool, Option("--invert", help="Show what needs each package, up to the lines.")
    ] = False,
    depth: Annotated[
        int | None,
        Option(
            "--depth",
            minimum=1,
            metavar="N",
            help="Only so many levels of packages.",
            show_default=False,
        ),
    ] = None,
    only_group: options.OnlyGroups = None,
    format: options.GraphFormat = GraphForm.TEXT,  # noqa: A002 - the option is called so
) -> Result:
    """Show the locked packages as a tree: what each requirement brings."""
    from venvman.report.graph import tree_result
    from venvman.workflow.graphing import TreeRequest
    from venvman.workflow.graphing import tree as draw

    request = TreeRequest(
        names=tuple(names or ()), groups=tuple(only_group or ()), invert=invert, depth=depth
    )
    return tree_result(draw(session.context(), request), format)
