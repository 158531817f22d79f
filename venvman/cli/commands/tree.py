"""``venvman tree``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["tree"]


def tree(
    session: Session,
    *,
    names: tuple[str, ...],
    invert: bool,
    depth: int | None,
    only_group: tuple[str, ...],
    format: str,  # noqa: A002 - the option is called so
) -> Result:
    """Show the locked packages as a tree: what each requirement brings."""
    from venvman.report.graph import tree_result
    from venvman.report.graphlanguages import GraphForm
    from venvman.workflow.graphing import TreeRequest
    from venvman.workflow.graphing import tree as draw

    request = TreeRequest(names=names, groups=only_group, invert=invert, depth=depth)
    return tree_result(draw(session.context(), request), GraphForm(format))
