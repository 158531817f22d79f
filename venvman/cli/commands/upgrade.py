"""``venvman upgrade``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli import options  # noqa: TC001 - annotations are evaluated
from venvman.cli.declared import Argument

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["upgrade"]


def upgrade(
    session: Session,
    *,
    names: Annotated[
        list[str] | None,
        Argument(metavar="[NAME]...", help="Only these packages' pins.", show_default=False),
    ] = None,
    sync: options.AndSync = True,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    python: options.Python = None,
) -> Result:
    """Move pins as far forward as the requirements allow, then sync."""
    from venvman.report.edit import upgrade_result
    from venvman.workflow.upgrading import UpgradeRequest
    from venvman.workflow.upgrading import upgrade as move

    request = UpgradeRequest(
        names=tuple(names or ()), sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
    )
    return upgrade_result(move(session.context(python=python), request), dry_run=dry_run)
