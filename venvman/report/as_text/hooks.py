"""The git hooks of a repository: which are there, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.report.as_text.drawing import Group, Text
from venvman.report.as_text.facts import fact_grid
from venvman.report.as_text.problems import command_line
from venvman.report.as_text.words import Style, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

__all__ = ["render_hook_run", "render_hooks"]

_MODES = {
    "report": "says what has drifted",
    "sync": "repairs what has drifted",
}


def render_hooks(data: Mapping[str, Any]) -> RenderableType:
    """One line for each hook."""
    rows = [(hook["name"], _state(hook)) for hook in data["hooks"]]
    parts: list[RenderableType] = [
        Text.assemble("Git hooks in ", plain(data["folder"], Style.PLACE)),
        fact_grid(rows),
    ]
    if all(hook["state"] != "installed" for hook in data["hooks"]):
        parts.append(command_line("venvman hooks install"))
    return Group(*parts)


def render_hook_run(data: Mapping[str, Any]) -> RenderableType:
    """``venvman: text`` for each project, ``venvman (folder): text`` where there are several."""
    lines = data["lines"]
    several = len(lines) > 1 or any(line["project"] != "." for line in lines)
    return Group(
        *(
            Text.assemble(
                plain(f"venvman ({line['project']}): " if several else "venvman: ", Style.NAME),
                plain(line["text"]),
                no_wrap=True,
                overflow="ignore",
            )
            for line in lines
        )
    )


def _state(hook: Mapping[str, Any]) -> Text:
    match hook["state"]:
        case "installed":
            does = "refuses a stale lock"
            if hook["name"] != "pre-commit":
                does = _MODES[hook["mode"]]
            chained = ", after the hook that was here before" if hook["chained"] else ""
            return Text.assemble(("installed", Style.ADDED), f": {does}{chained}")
        case "foreign":
            return Text.assemble(("somebody else's", Style.CHANGED), ": left alone")
        case _:
            return Text("not installed", style=Style.FAINT)
