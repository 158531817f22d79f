"""``venvman remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli.usage import UsageFault

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["remove"]


def remove(
    session: Session,
    *,
    names: tuple[str, ...],
    group: str | None,
    dev: bool,
    sync: bool,
    frozen: bool,
    dry_run: bool,
    yes: bool,
    python: str | None,
) -> Result:
    """Take requirements out of the requirements files, and what only they needed; then sync."""
    from venvman.report.edit import edit_result
    from venvman.workflow.editing import After, RemoveRequest
    from venvman.workflow.editing import remove as edit

    if dev and group not in {None, "dev"}:
        raise UsageFault("--dev and --group name two groups: choose one.")
    request = RemoveRequest(
        names=names,
        group="dev" if dev else group,
        after=After(
            freeze=not frozen, sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
        ),
    )
    return edit_result(
        edit(session.context(python=python), request), command="remove", dry_run=dry_run
    )
