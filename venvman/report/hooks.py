"""``hooks``: the git hooks of a repository, which are there and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.githooks.status import HooksReport, HookState, HookStatus
from venvman.model.errors import Advice, Command, ExitCode, Fix
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.fixes import Standing, shell_line
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, fact_grid, plain, sentence_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from venvman.outcomes import HookLine

_MODES = {"report": "says what has drifted", "sync": "repairs what has drifted"}


def hooks_result(report: HooksReport, *, command: str, root: Path) -> Result:
    """``data.{folder, hooks[] {name, path, state, mode, projects[], chained}, projects[]}``.

    Paths are relative to ``root``, the project's folder. Hooks that had to be left alone are
    problems; they do not change the exit code.
    """
    data = {
        "folder": _display(report.folder, root),
        "hooks": [_row(each, report, root) for each in report.hooks],
        "projects": [{"path": each.path, "mode": each.mode.value} for each in report.projects],
    }
    return Result(
        command=command,
        data=data,
        problems=report.problems,
        draw=lambda _: draw_hooks(data),
        answers=command == "hooks status",
        next=Command.venvman("hooks", "install")
        if command == "hooks status"
        and not report.problems
        and not any(each.state is HookState.OURS for each in report.hooks)
        else None,
    )


def hook_run_result(lines: Sequence[HookLine], *, exit_code: ExitCode) -> Result:
    """``data.lines[] {project, text, fix, refused}``; refusing is drift."""
    rows = [
        {"project": line.project, "text": line.text, "fix": line.fix, "refused": line.refused}
        for line in lines
    ]
    return Result(
        command="hooks run",
        status=Status.OK if exit_code is ExitCode.OK else Status.DRIFT,
        exit_code=exit_code,
        data={"lines": rows},
        draw=lambda screen: draw_hook_run(rows, screen),
        answers=True,
    )


def _row(hook: HookStatus, report: HooksReport, root: Path) -> dict[str, Any]:
    ours = hook.state in {HookState.OURS, HookState.IDLE, HookState.EDITED}
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


def draw_hooks(data: Mapping[str, Any]) -> Drawing:
    """One line for each hook."""
    rows = [(hook["name"], _state(hook)) for hook in data["hooks"]]
    parts: list[Drawing] = [
        Text.assemble("Git hooks in ", plain(data["folder"], Style.PATH)),
        fact_grid(rows),
    ]
    if data["projects"]:
        told = (f"{each['path']} ({_MODES[each['mode']]})" for each in data["projects"])
        parts.append(plain(f"For {sentence_list(told)}"))
    return Group(*parts)


def draw_hook_run(lines: Sequence[Mapping[str, Any]], screen: Screen) -> Drawing:
    """``venvman: text; 'command' fixes it``; ``venvman (folder): ...`` where there are several."""
    several = len(lines) > 1 or any(line["project"] != "." for line in lines)
    return Group(
        *(
            Text.assemble(
                plain(f"venvman ({line['project']}): " if several else "venvman: ", Style.NAME),
                plain(line["text"]),
                _fixes(line["fix"], screen.here),
                no_wrap=True,
                overflow="ignore",
            )
            for line in lines
        )
    )


def _fixes(fix: Fix | None, here: Standing) -> Text:
    if fix is None:
        return Text()
    if isinstance(fix, Advice):
        return plain(f". {fix.text}")
    return plain(f"; '{shell_line(fix, here)}' fixes it")


def _state(hook: Mapping[str, Any]) -> Text:
    match hook["state"]:
        case "installed":
            does = "refuses a stale lock"
            if hook["name"] != "pre-commit":
                does = _MODES[hook["mode"]]
            chained = ", together with the hook that was here before" if hook["chained"] else ""
            return Text.assemble(("installed", Style.ADDED), f": {does}{chained}")
        case "idle":
            words = f": git does not run {hook['path']}"
            return Text.assemble(("idle", Style.CHANGED), plain(words))
        case "edited":
            return Text.assemble(("edited", Style.CHANGED), ": not as this version writes it")
        case "foreign":
            return Text.assemble(("somebody else's", Style.CHANGED), ": left alone")
        case _:
            return Text("not installed", style=Style.FAINT)
