"""``venvman rollback``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli import options  # noqa: TC001 - annotations are evaluated
from venvman.cli.declared import Argument, Option

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["rollback"]


def rollback(
    session: Session,
    *,
    number: Annotated[
        int,
        Argument(
            metavar="[N]", minimum=0, help="How many states back, as `venvman history` counts them."
        ),
    ] = 1,
    with_lock: Annotated[
        bool,
        Option("--with-lock", help="Put the state's locks back into the project, too."),
    ] = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
) -> Result:
    """Make ./venv what it was before the last sync, or N states ago."""
    from venvman.report.history import rollback_result
    from venvman.workflow import rollingback

    request = rollingback.RollbackRequest(
        number=number,
        with_lock=with_lock,
        dry_run=dry_run,
        yes=yes,
        confirm=session.confirm,
    )
    return rollback_result(rollingback.rollback(session.context(), request), request)
