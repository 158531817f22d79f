"""``self report`` as text: what can be pasted into a report of a defect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from venvman.report.as_text.facts import fact_grid
from venvman.report.as_text.words import Style, plain
from venvman.report.drawing import Group, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.report.drawing import Drawing

__all__ = ["render_self_report"]


def render_self_report(data: Mapping[str, Any], *, verbose: bool) -> Group:
    """With ``verbose`` also the settings that nobody has set, and the libraries' versions."""
    values = (*data["settings"], *data["pip"])
    told = [each for each in values if verbose or each["origin"] != "default"]
    python = data["python"]
    parts: list[Drawing] = [
        fact_grid(
            (label, plain(text))
            for label, text in (
                ("venvman", data["version"]),
                ("python", f"{python['version']} ({python['path']})"),
                ("platform", data["platform"]),
                *data["paths"].items(),
            )
        )
    ]
    interpreters = ((each["version"], each["path"]) for each in data["interpreters"])
    parts += _part("Interpreters", interpreters)
    parts += _part("Settings", ((each["name"], _sourced(each)) for each in told))
    if verbose:
        parts += _part("Libraries", data["libraries"].items())
    if data["variables"]:
        parts += [Text(), Text("Variables that are set", Style.NAME)]
        parts.append(plain(" ".join(data["variables"])))
    if data["faults"]:
        parts += [Text(), Text("Not well", Style.NAME), *map(plain, data["faults"])]
    return Group(*parts)


def _part(heading: str, facts: Iterable[tuple[str, str]]) -> list[Drawing]:
    rows = [(label, plain(text)) for label, text in facts]
    return [Text(), Text(heading, Style.NAME), fact_grid(rows)] if rows else []


def _sourced(each: Mapping[str, Any]) -> str:
    return f"{json.dumps(each['value'], ensure_ascii=False)} ({each['where'] or each['origin']})"
