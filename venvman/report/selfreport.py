"""``self report`` as a Result: whatever a value holds, no credential of it is shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.errors import ExitCode
from venvman.report.result import Result, Status
from venvman.secrets import redact

if TYPE_CHECKING:
    from venvman.workflow.selfreport import Machine, Value

__all__ = ["self_report_result"]


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
    return Result(
        command="self report",
        status=Status.OK,
        exit_code=ExitCode.OK,
        data={name: _redacted(value) for name, value in data.items()},
        answers=True,
    )


def _value(each: Value) -> dict[str, object]:
    return {
        "name": each.name,
        "value": each.value,
        "origin": each.origin,
        "where": each.where or None,
    }


def _redacted(value: object) -> object:
    if isinstance(value, str):
        return _BARE.sub("****@", redact(value))
    if isinstance(value, dict):
        return {name: _redacted(each) for name, each in value.items()}
    return [_redacted(each) for each in value] if isinstance(value, list) else value
