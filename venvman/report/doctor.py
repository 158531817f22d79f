"""What doctor found, as a Result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode, Severity
from venvman.frozen import dataclass
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.doctor.diagnosis import Diagnosis
    from venvman.doctor.finding import Finding
    from venvman.errors import Problem

__all__ = ["DoctorView", "doctor_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorView:
    """What the text renderer draws: every project's findings."""

    diagnoses: tuple[Diagnosis, ...]


def doctor_result(diagnoses: Sequence[Diagnosis], *, problems: tuple[Problem, ...] = ()) -> Result:
    """One project's ``data`` as DESIGN 4.3 has it; several stand in a list ``projects``.

    Errors and warnings make the status ``drift`` and the exit code 1; notes never do. ``problems``
    are what stood in the way of looking, not what was seen.
    """
    counted = any(
        finding.severity is not Severity.NOTE for each in diagnoses for finding in each.findings
    )
    rows = [_data(each) for each in diagnoses]
    return Result(
        command="doctor",
        status=Status.DRIFT if counted else Status.OK,
        exit_code=ExitCode.DRIFT if counted else ExitCode.OK,
        data=rows[0] if len(rows) == 1 else {"projects": rows},
        problems=problems,
        view=DoctorView(diagnoses=tuple(diagnoses)),
    )


def _data(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "project": diagnosis.project.root.as_posix(),
        "environment": diagnosis.environment,
        "findings": [_row(finding) for finding in diagnosis.findings],
    }


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "package": finding.package,
        "path": finding.path,
        "line": finding.line,
        "message": finding.message,
        "fix": finding.fix,
    }
