"""The git hooks of a repository: which are there, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import Advice
from venvman.report.as_text.facts import fact_grid
from venvman.report.as_text.words import Style, plain, sentence_list
from venvman.report.drawing import Group, Text
from venvman.report.fixes import AT_ROOT, shell_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.errors import Fix
    from venvman.report.drawing import Drawing
    from venvman.report.fixes import Standing

__all__ = ["render_hook_run", "render_hooks"]

_MODES = {
    "report": "says what has drifted",
    "sync": "repairs what has drifted",
}


def render_hooks(data: Mapping[str, Any]) -> Drawing:
    """One line for each hook."""
    rows = [(hook["name"], _state(hook)) for hook in data["hooks"]]
    parts: list[Drawing] = [
        Text.assemble("Git hooks in ", plain(data["folder"], Style.PLACE)),
        fact_grid(rows),
    ]
    if data["projects"]:
        told = (f"{each['path']} ({_MODES[each['mode']]})" for each in data["projects"])
        parts.append(plain(f"For {sentence_list(told)}"))
    return Group(*parts)


def render_hook_run(data: Mapping[str, Any], here: Standing = AT_ROOT) -> Drawing:
    """``venvman: text; 'command' mends it``; ``venvman (folder): ...`` where there are several."""
    lines = data["lines"]
    several = len(lines) > 1 or any(line["project"] != "." for line in lines)
    return Group(
        *(
            Text.assemble(
                plain(f"venvman ({line['project']}): " if several else "venvman: ", Style.NAME),
                plain(line["text"]),
                _mends(line["fix"], here),
                no_wrap=True,
                overflow="ignore",
            )
            for line in lines
        )
    )


def _mends(fix: Fix | None, here: Standing) -> Text:
    if fix is None:
        return Text()
    if isinstance(fix, Advice):
        return plain(f". {fix.text}")
    return plain(f"; '{shell_line(fix, here)}' mends it")


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
        case "foreign":
            return Text.assemble(("somebody else's", Style.CHANGED), ": left alone")
        case _:
            return Text("not installed", style=Style.FAINT)
