from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.examined import World
from venvman.doctor.diagnosis import Diagnosis, Treatment, diagnose
from venvman.doctor.finding import Finding
from venvman.doctor.table import Selection
from venvman.errors import Command, ExitCode, Problem, Severity
from venvman.names import canonical
from venvman.project import Project
from venvman.report.as_json import render
from venvman.report.doctor import doctor_result
from venvman.report.result import Status

FOUND = Finding(
    code="VM401",
    name="distribution-missing",
    severity=Severity.ERROR,
    message="flask is locked, but not installed.",
    package=canonical("Flask"),
    path="requirements.lock",
    line=3,
    fix=Command.venvman("sync"),
)


def diagnosis(*findings: Finding, root: str = "/p") -> Diagnosis:
    return Diagnosis(project=Project(root=Path(root)), environment="venv", findings=findings)


def told(*findings: Finding, root: str = "/p") -> Treatment:
    return Treatment(left=diagnosis(*findings, root=root))


def with_severity(severity: Severity) -> Finding:
    return Finding(code="VM601", name="hooks-absent", severity=severity, message="No hooks.")


def test_a_finding_has_the_keys_of_the_contract_and_null_for_what_is_absent() -> None:
    document = json.loads(render(doctor_result(told(FOUND, with_severity(Severity.NOTE)))))
    assert (document["status"], document["exit_code"]) == ("drift", 1)
    assert document["data"] == {
        "project": "/p",
        "environment": "venv",
        "findings": [
            {
                "code": "VM401",
                "name": "distribution-missing",
                "severity": "error",
                "package": "flask",
                "path": "requirements.lock",
                "line": 3,
                "message": "flask is locked, but not installed.",
                "fix": "venvman sync",
                "advice": None,
                "cause": None,
                "related": [],
            },
            {
                "code": "VM601",
                "name": "hooks-absent",
                "severity": "note",
                "package": None,
                "path": None,
                "line": None,
                "message": "No hooks.",
                "fix": None,
                "advice": None,
                "cause": None,
                "related": [],
            },
        ],
        "fixed": [],
        "ran": [],
    }


@pytest.mark.parametrize(
    ("severity", "status", "code"),
    [
        (Severity.NOTE, Status.OK, ExitCode.OK),
        (Severity.WARNING, Status.DRIFT, ExitCode.DRIFT),
        (Severity.ERROR, Status.DRIFT, ExitCode.DRIFT),
    ],
)
def test_errors_and_warnings_count_and_notes_never_do(
    severity: Severity, status: Status, code: ExitCode
) -> None:
    result = doctor_result(told(with_severity(severity)))
    assert (result.status, result.exit_code) == (status, code)


def test_nothing_found_is_an_empty_list() -> None:
    result = doctor_result(told())
    assert (result.status, result.data["findings"]) == (Status.OK, [])


def test_why_a_fix_failed_is_told_apart_from_findings() -> None:
    problem = Problem(code="git-missing", message="No git.", severity=Severity.NOTE)
    result = doctor_result(Treatment(left=diagnosis(), problems=(problem,)))
    assert (result.problems, result.exit_code) == ((problem,), ExitCode.OK)


def test_findings_are_counted_by_severity() -> None:
    assert diagnosis(FOUND, FOUND).count(Severity.ERROR) == 2
    assert diagnosis(FOUND).count(Severity.NOTE) == 0


def test_a_diagnosis_names_the_environment_as_people_see_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.site.dist_info("flask")
    found = diagnose(world.examination([]), Selection.of(select=["VM4"]))
    assert (found.environment, found.project) == ("venv", Project(root=tmp_path))
    assert [finding.code for finding in found.findings] == ["VM404"]
    assert not diagnose(world.examination()).findings
