"""Result to drawing: one function, and a table of what draws which command."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from venvman.report.as_text.problems import error_panel, fix_line, problem_line, problems_panel
from venvman.report.drawing import Group
from venvman.report.fixes import AT_ROOT
from venvman.report.several import SeveralView

if TYPE_CHECKING:
    from venvman.report.diff import DiffView
    from venvman.report.drawing import Drawing
    from venvman.report.edit import EditView, UpgradeView
    from venvman.report.fixes import Standing
    from venvman.report.freeze import FreezeView
    from venvman.report.history import RollbackView
    from venvman.report.result import Result
    from venvman.report.sync import SyncView
    from venvman.workflow.graphing import TreeOutcome, WhyOutcome
    from venvman.workflow.outdating import OutdatedOutcome
    from venvman.workflow.recalling import HistoryReport

__all__ = ["error_panel", "problem_line", "problems_panel", "render"]


def render(
    result: Result,
    *,
    verbose: bool = False,
    quiet: bool = False,
    height: int | None = None,
    here: Standing = AT_ROOT,
) -> Drawing:
    """What stdout shows of ``result``, and the next command for who stands ``here``.

    ``verbose`` shows whole lists, ``quiet`` no projects that are fine; otherwise a summary fits
    ``height`` lines (None: no screen).
    """
    if isinstance(result.view, SeveralView):
        from venvman.report.as_text.several import render_several

        every = partial(render, verbose=verbose, height=height, here=here)
        drawn = render_several(result.view, every, quiet=quiet)
    else:
        drawn = _render(result, verbose=verbose, height=height, here=here)
    return drawn if result.next is None else Group(drawn, fix_line(result.next, here))


def _doctor(result: Result, here: Standing) -> Drawing:
    from venvman.report.as_text.doctor import render_catalogue, render_doctor
    from venvman.report.doctor import CatalogueView, DoctorView

    if isinstance(result.view, CatalogueView):
        return render_catalogue(result.data["codes"], explain=result.view.explain)
    return render_doctor(result.data, here, dry_run=cast("DoctorView", result.view).dry_run)


def _render(result: Result, *, verbose: bool, height: int | None, here: Standing) -> Drawing:
    match result.command:
        case "sync":
            from venvman.report.as_text.sync import render_sync

            return render_sync(cast("SyncView", result.view), verbose=verbose, height=height)
        case "freeze":
            from venvman.report.as_text.freeze import render_freeze

            return render_freeze(cast("FreezeView", result.view), verbose=verbose, height=height)
        case "status":
            from venvman.report.as_text.status import render_status

            return render_status(result, verbose=verbose, height=height)
        case "doctor":
            return _doctor(result, here)
        case "scan":
            from venvman.report.as_text.scan import render_scan

            return render_scan(result.data, verbose=verbose)
        case "hooks install" | "hooks uninstall" | "hooks status":
            from venvman.report.as_text.hooks import render_hooks

            return render_hooks(result.data)
        case "hooks run":
            from venvman.report.as_text.hooks import render_hook_run

            return render_hook_run(result.data, here)
        case _:
            return _render_other(result, verbose=verbose, height=height)


def _render_other(result: Result, *, verbose: bool, height: int | None) -> Drawing:
    """The verbs on top of the first ones."""
    match result.command:
        case "tree":
            from venvman.report.as_text.graph import render_tree

            return render_tree(cast("TreeOutcome", result.view))
        case "why":
            from venvman.report.as_text.graph import render_why

            return render_why(cast("WhyOutcome", result.view), verbose=verbose)
        case "outdated":
            from venvman.report.as_text.outdated import render_outdated

            return render_outdated(cast("OutdatedOutcome", result.view))
        case "diff":
            from venvman.report.as_text.diff import render_diff

            return render_diff(cast("DiffView", result.view))
        case "add" | "remove":
            from venvman.report.as_text.edit import render_edit

            return render_edit(cast("EditView", result.view), verbose=verbose, height=height)
        case "upgrade":
            from venvman.report.as_text.edit import render_upgrade

            return render_upgrade(cast("UpgradeView", result.view), verbose=verbose, height=height)
        case "history" | "rollback":
            return _render_states(result, verbose=verbose, height=height)
        case _:
            from venvman.report.as_text.short import render_short

            return render_short(result, verbose=verbose)


def _render_states(result: Result, *, verbose: bool, height: int | None) -> Drawing:
    from venvman.report.as_text.history import render_history, render_rollback

    if result.command == "history":
        return render_history(cast("HistoryReport", result.view), verbose=verbose, height=height)
    return render_rollback(cast("RollbackView", result.view), verbose=verbose, height=height)
