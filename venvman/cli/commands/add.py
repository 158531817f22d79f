"""``venvman add``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli.usage import UsageFault

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["add"]


def add(
    session: Session,
    *,
    requirements: tuple[str, ...],
    editable: tuple[str, ...],
    constraint: tuple[str, ...],
    group: str | None,
    dev: bool,
    sync: bool,
    frozen: bool,
    dry_run: bool,
    yes: bool,
    python: str | None,
) -> Result:
    """Put requirements into the requirements file, keeping its comments and order; then sync."""
    from venvman.report.edit import edit_result
    from venvman.workflow.editing import AddRequest, After
    from venvman.workflow.editing import add as edit

    if not requirements and not editable:
        raise UsageFault("Name at least one package to add.")
    if dev and group not in {None, "dev"}:
        raise UsageFault("--dev and --group name two groups: choose one.")
    request = AddRequest(
        wishes=requirements,
        editables=editable,
        group="dev" if dev else "default" if group is None else group,
        after=After(
            freeze=not frozen, sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
        ),
    )
    context = session.context_or_new(python=python, constraints=constraint or None)
    outcome = edit(context, request)
    return edit_result(outcome, command="add", dry_run=dry_run)
