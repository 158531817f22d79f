"""What doctor found, as a Result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode, Severity
from venvman.frozen import dataclass
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.doctor.diagnosis import Treatment
    from venvman.doctor.finding import Code, Finding

__all__ = ["CatalogueView", "DoctorView", "catalogue_result", "doctor_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorView:
    """How the text renderer draws the data: ``dry_run`` says that nothing was run."""

    dry_run: bool


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
            "by_fix": each.by_fix.value,
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
    treatment: Treatment,
    *,
    fails: Severity | None = Severity.WARNING,
    dry_run: bool = False,
) -> Result:
    """``data`` as DESIGN 4.3 has it.

    Errors and warnings make the status ``drift``; notes never do. The exit code is 1 where a
    finding that is left is at least as severe as ``fails`` (None: never). The problems are those of
    fixes that failed.
    """
    found = {finding.severity for finding in treatment.left.findings}
    # From the worst on: the order in which they are declared.
    failing = tuple(Severity)[: tuple(Severity).index(fails) + 1] if fails else ()
    return Result(
        command="doctor",
        status=Status.DRIFT if found - {Severity.NOTE} else Status.OK,
        exit_code=ExitCode.DRIFT if found & {*failing} else ExitCode.OK,
        data=_data(treatment),
        problems=treatment.problems,
        view=DoctorView(dry_run=dry_run),
    )


def _data(treatment: Treatment) -> dict[str, Any]:
    return {
        "project": treatment.left.project.root.as_posix(),
        "environment": treatment.left.environment,
        "findings": [_row(finding) for finding in treatment.left.findings],
        "fixed": [_row(finding) for finding in treatment.fixed],
        "ran": [{"fix": command} for command in treatment.ran],
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
