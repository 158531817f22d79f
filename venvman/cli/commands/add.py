"""``venvman add``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli import options  # noqa: TC001 - annotations are evaluated
from venvman.cli.declared import Argument, Option
from venvman.cli.usage import UsageFault

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["add"]


def add(
    session: Session,
    *,
    requirements: Annotated[
        list[str] | None,
        Argument(
            metavar="[REQUIREMENT]...",
            help="Names with specifiers ('flask>=3'), URLs, folders.",
            show_default=False,
        ),
    ] = None,
    editable: Annotated[
        list[str] | None,
        Option(
            "--editable",
            "-e",
            metavar="PATH|URL",
            help="A folder or repository to install editable; may be repeated.",
            show_default=False,
        ),
    ] = None,
    group: options.EditedGroup = None,
    dev: Annotated[bool, Option("--dev", help="The same as --group dev.")] = False,
    sync: options.AndSync = True,
    frozen: options.EditOnly = False,
    dry_run: options.DryRun = False,
    yes: options.Yes = False,
    python: options.Python = None,
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
        wishes=tuple(requirements or ()),
        editables=tuple(editable or ()),
        group="dev" if dev else group or "default",
        after=After(
            freeze=not frozen, sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
        ),
    )
    outcome = edit(session.context_or_new(python=python), request)
    return edit_result(outcome, command="add", dry_run=dry_run)
