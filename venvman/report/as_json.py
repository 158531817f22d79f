"""Result to JSON: the envelope of docs/reference/json-output.md, the same for every command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from venvman.report.fixes import AT_ROOT, Standing, fix_data
from venvman.report.result import SCHEMA_VERSION, Result
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from venvman.model.errors import Problem


def render(result: Result, here: Standing = AT_ROOT) -> str:
    """One JSON document, ending with a newline; ASCII, so that every stream can carry it.

    A ``fix`` in the data becomes ``fix`` and ``advice``, for who stands ``here``.
    Credentials in URLs are hidden wherever they stand: no report of ours may show them.
    """
    envelope = {
        "schema_version": SCHEMA_VERSION,
        "command": result.command,
        "status": result.status.value,
        "exit_code": int(result.exit_code),
        "data": _clean(result.data, here),
        "problems": [_clean(problem_data(problem), here) for problem in result.problems],
    }
    return json.dumps(envelope, indent=2) + "\n"


def problem_data(problem: Problem) -> dict[str, Any]:
    """A row of ``problems``: every key always there, absent values null."""
    return {
        "code": problem.code,
        "message": problem.message,
        "severity": problem.severity.value,
        "path": problem.path,
        "line": problem.line,
        "text": problem.text,
        "why": problem.why,
        "fix": problem.fix,
    }


def _clean(value: Any, here: Standing) -> Any:  # noqa: ANN401 - JSON is what it is
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        plain = {key: _clean(each, here) for key, each in value.items() if key != "fix"}
        return plain | fix_data(value["fix"], here) if "fix" in value else plain
    if isinstance(value, (list, tuple)):
        return [_clean(each, here) for each in value]
    return value
