"""``venvman doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli import options  # noqa: TC001 - annotations are evaluated
from venvman.cli.declared import Option

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["doctor"]


def doctor(
    session: Session,
    *,
    select: Annotated[
        list[str] | None,
        Option(
            "--select",
            metavar="CODE",
            help="Only findings whose code begins so; may be repeated.",
            show_default=False,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        Option(
            "--ignore",
            metavar="CODE",
            help="No findings whose code begins so; may be repeated.",
            show_default=False,
        ),
    ] = None,
    verify: Annotated[
        bool, Option("--verify", help="Compare the contents of every installed file, too.")
    ] = False,
    all_projects: options.AllProjects = False,
) -> Result:
    """Find what has drifted, and name the command that mends it; exit with 1 on findings."""
    from venvman.doctor import Selection
    from venvman.report.doctor import doctor_result
    from venvman.workflow import checking

    contexts = session.contexts(workspace=all_projects)
    selection = Selection.of(select=select or (), ignore=ignore or ())
    return doctor_result(
        [checking.diagnose(context, selection, verify_files=verify) for context in contexts]
    )
