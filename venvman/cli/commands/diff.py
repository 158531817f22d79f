"""``venvman diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli.declared import Argument, Option

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["diff"]


def diff(
    session: Session,
    *,
    sides: Annotated[
        list[str] | None,
        Argument(
            metavar="[A] [B]",
            help="Locks or git revisions (also A..B). One alone is compared with the work tree; "
            "without any it is the last commit.",
            show_default=False,
        ),
    ] = None,
    env: Annotated[
        bool,
        Option("--env", help="Compare what is installed with the locks."),
    ] = False,
    check: Annotated[bool, Option("--check", help="Exit with 1 if anything differs.")] = False,
) -> Result:
    """Show which pins were added, removed or changed between two states of the locks."""
    from venvman.report.diff import diff_result
    from venvman.workflow.diffing import DiffRequest
    from venvman.workflow.diffing import diff as compare

    request = DiffRequest(sides=tuple(sides or ()), environment=env)
    return diff_result(compare(session.context(), request), check=check)
