"""``self report``: what can be pasted into a report of a defect; no credential is shown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from venvman.report.drawing import Drawing, Group, Text
from venvman.report.result import Result, Screen
from venvman.report.words import Style, fact_grid, plain
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.outcomes import Machine, Value

# A proxy may be written without its scheme: user:password@host.
_BARE = re.compile(r"^(?![./]|\w+://)\S+@(?=[^@/\s]+)")


def self_report_result(machine: Machine) -> Result:
    """``data`` of versions, paths, interpreters, settings, variables and faults.

    ``settings`` and ``pip`` are ``[{name, value, origin, where}]``, ``variables`` names alone.
    """
    version, executable = machine.python
    data = {
        "version": machine.version,
        "python": {"version": version, "path": executable},
        "platform": machine.platform,
        "libraries": dict(machine.libraries),
        "paths": {name: path.as_posix() for name, path in machine.paths},
        "interpreters": [
            {"version": version, "path": path.as_posix()} for version, path in machine.interpreters
        ],
        "settings": [_value(each) for each in machine.settings],
        "pip": [_value(each) for each in machine.pip],
        "variables": list(machine.variables),
        "faults": list(machine.faults),
    }
    shown = {name: _redacted(value) for name, value in data.items()}
    return Result(
        command="self report",
        data=shown,
        draw=lambda screen: draw_self_report(shown, screen),
        answers=True,
    )


def _value(each: Value) -> dict[str, object]:
    return {
        "name": each.name,
        "value": each.value,
        "origin": each.origin,
        "where": each.where or None,
    }


def _redacted(value: Any) -> Any:  # noqa: ANN401 - JSON is what it is
    if isinstance(value, str):
        return _BARE.sub("****@", redact(value))
    if isinstance(value, dict):
        return {name: _redacted(each) for name, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list) else value


def draw_self_report(data: Mapping[str, Any], screen: Screen) -> Group:
    """On a verbose screen also the settings that nobody has set, and the libraries' versions."""
    values = (*data["settings"], *data["pip"])
    told = [each for each in values if screen.verbose or each["origin"] != "default"]
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
    settings = (
        (each["name"], f"{json.dumps(each['value'], ensure_ascii=False)} ({where})")
        for each in told
        for where in (each["where"] or each["origin"],)
    )
    parts += _part("Settings", settings)
    if screen.verbose:
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
