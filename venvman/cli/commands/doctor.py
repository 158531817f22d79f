"""``venvman doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli import options
from venvman.errors import Severity

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["doctor"]


def doctor(
    session: Session,
    *,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    verify: bool,
    fail_on: str,
    exit_zero: bool,
    list_codes: bool,
    explain: tuple[str, ...],
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    all_projects: bool,
) -> Result:
    """Find what has drifted, and name the command that mends it; exit with 1 on findings."""
    from venvman.doctor import Selection, explained
    from venvman.report.doctor import catalogue_result, doctor_result
    from venvman.workflow import checking

    if list_codes or explain:
        return catalogue_result(explained(explain), explain=bool(explain))
    groups = options.group_choice(group, only_group, everything=all_groups, dev=not no_dev)
    contexts = session.contexts(workspace=all_projects)
    selection = Selection.of(select=select, ignore=ignore)
    return doctor_result(
        session.each(
            contexts,
            lambda context: checking.diagnose(context, selection, groups, verify_files=verify),
        ),
        fails=None if exit_zero else Severity(fail_on),
    )
