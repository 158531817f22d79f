"""``venvman status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli import options

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result
    from venvman.workflow import Context

__all__ = ["status"]


def status(
    session: Session,
    *,
    porcelain: bool,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    python: str | None,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Show requirements, lock, environment and drift on one screen; exit with 1 on drift."""
    from venvman.report.status import status_result
    from venvman.workflow import checking

    groups = options.group_choice(group, only_group, everything=all_groups, dev=not no_dev)

    def looked(context: Context) -> Result:
        return status_result(checking.status(context, groups), porcelain=porcelain)

    return session.each(looked, workspace=all_projects, changed_since=changed_since, python=python)
