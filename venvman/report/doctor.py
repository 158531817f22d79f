"""What doctor found, as a Result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode, Severity
from venvman.frozen import dataclass
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.doctor.diagnosis import Diagnosis
    from venvman.doctor.finding import Code, Finding
    from venvman.errors import Problem

__all__ = ["CatalogueView", "DoctorView", "catalogue_result", "doctor_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorView:
    """What the text renderer draws: every project's findings."""

    diagnoses: tuple[Diagnosis, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueView:
    """Codes to be listed, or explained in full."""

    explain: bool


def catalogue_result(codes: Sequence[Code], *, explain: bool) -> Result:
    """What doctor can find, in the order of the codes."""
    rows = [
        {
            "code": each.code,
            "name": each.name,
            "severity": each.severity.value,
            "looks_at": each.looks_at,
            "wrong": each.wrong,
            "why": each.why,
            "mend": each.mend,
        }
        for each in codes
    ]
    return Result(
        command="doctor",
        status=Status.OK,
        exit_code=ExitCode.OK,
        data={"codes": rows},
        view=CatalogueView(explain=explain),
        answers=True,
    )


def doctor_result(
    diagnoses: Sequence[Diagnosis],
    *,
    problems: tuple[Problem, ...] = (),
    fails: Severity | None = Severity.WARNING,
) -> Result:
    """One project's ``data`` as DESIGN 4.3 has it; several stand in a list ``projects``.

    Errors and warnings make the status ``drift``; notes never do. The exit code is 1 where a
    finding is at least as severe as ``fails`` (None: never). ``problems`` are what stood in the way
    of looking, not what was seen.
    """
    found = {finding.severity for each in diagnoses for finding in each.findings}
    # From the worst on: the order in which they are declared.
    failing = tuple(Severity)[: tuple(Severity).index(fails) + 1] if fails else ()
    rows = [_data(each) for each in diagnoses]
    return Result(
        command="doctor",
        status=Status.DRIFT if found - {Severity.NOTE} else Status.OK,
        exit_code=ExitCode.DRIFT if found & {*failing} else ExitCode.OK,
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
        "cause": None if finding.cause is None else finding.cause._asdict(),
    }
