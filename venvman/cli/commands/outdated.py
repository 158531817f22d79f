"""``venvman outdated``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli.declared import Argument, Option

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["outdated"]


def outdated(
    session: Session,
    *,
    names: Annotated[
        list[str] | None,
        Argument(metavar="[NAME]...", help="Only these packages.", show_default=False),
    ] = None,
    check: Annotated[
        bool,
        Option("--check", help="Exit with 1 if the requirements let anything move."),
    ] = False,
) -> Result:
    """Show what could move forward, and which requirement holds it back."""
    from venvman.report.outdated import outdated_result
    from venvman.workflow.outdating import outdated as look

    return outdated_result(look(session.context(), names or ()), check=check)
