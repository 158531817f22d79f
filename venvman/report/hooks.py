"""HooksReport to Result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import Command, ExitCode
from venvman.githooks import HookState
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvman.githooks import HooksReport, HookStatus
    from venvman.workflow.hooking import HookLine

__all__ = ["hook_run_result", "hooks_result"]


def hooks_result(report: HooksReport, *, command: str, root: Path) -> Result:
    """``data.{folder, hooks[] {name, path, state, mode, projects[], chained}, projects[]}``.

    Paths are relative to ``root``, the project's folder. Hooks that had to be left alone are
    problems; they do not change the exit code.
    """
    return Result(
        command=command,
        status=Status.OK,
        exit_code=ExitCode.OK,
        data={
            "folder": _display(report.folder, root),
            "hooks": [_row(each, report, root) for each in report.hooks],
            "projects": [{"path": each.path, "mode": each.mode.value} for each in report.projects],
        },
        problems=report.problems,
        view=report,
        answers=command == "hooks status",
        next=None
        if any(each.state is HookState.OURS for each in report.hooks)
        else Command.venvman("hooks", "install"),
    )


def hook_run_result(lines: Sequence[HookLine], *, exit_code: ExitCode) -> Result:
    """``data.lines[] {project, text, fix, refused}``; refusing is drift."""
    return Result(
        command="hooks run",
        status=Status.OK if exit_code is ExitCode.OK else Status.DRIFT,
        exit_code=exit_code,
        data={
            "lines": [
                {
                    "project": line.project,
                    "text": line.text,
                    "fix": line.fix,
                    "refused": line.refused,
                }
                for line in lines
            ]
        },
        answers=True,
    )


def _row(hook: HookStatus, report: HooksReport, root: Path) -> dict[str, Any]:
    ours = hook.state in {HookState.OURS, HookState.IDLE}
    modes = {each.mode.value for each in report.projects}
    return {
        "name": hook.name.value,
        "path": _display(hook.path, root),
        "state": hook.state.value,
        # Of several projects with different ones, that which does more.
        "mode": max(modes, default="report") if ours else None,
        "projects": [each.path for each in report.projects] if ours else [],
        "chained": hook.chained,
    }


def _display(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
