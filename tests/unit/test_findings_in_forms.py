"""Findings as other programs read them, each form against what its reader asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import jsonschema
import pytest

from venvman.doctor.codes import CODES
from venvman.doctor.diagnosis import Diagnosis, Treatment
from venvman.doctor.finding import Finding
from venvman.model.errors import Advice, Command, Severity
from venvman.model.names import canonical
from venvman.project.project import Project
from venvman.report.as_json import render
from venvman.report.doctor import doctor_result
from venvman.report.findings import in_form
from venvman.report.fixes import AT_ROOT

if TYPE_CHECKING:
    from venvman.report.findings import Form

ODD = "50% of a,b:c | `d`\r\n*e* <f> \x1b[0m \udcff"
FINDINGS = (
    Finding(
        code="VM302",
        name="lock-stale",
        severity=Severity.ERROR,
        message=ODD,
        path="a b/réq,1:2.txt",
        line=3,
        fix=Command.venvman("freeze"),
    ),
    Finding(
        code="VM404",
        name="distribution-extra",
        severity=Severity.WARNING,
        message="Two.",
        package=canonical("two"),
        path="/elsewhere/two",
    ),
    Finding(code="VM201", name="no-requirements", severity=Severity.NOTE, message="Three."),
    Finding(code="VM203", name="x", severity=Severity.NOTE, message="4", fix=Advice("No.")),
)


def treated(*findings: Finding, root: str = "/repo/inner") -> Treatment:
    project = Project(root=Path(root), git_root=Path("/repo"))
    return Treatment(left=Diagnosis(project=project, environment="venv", findings=findings))


def told(form: Form, *findings: Finding) -> str:
    return in_form(form, [treated(*findings)], AT_ROOT)


def shape(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [*required],
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def many(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


TEXT: dict[str, Any] = {"type": "string"}
MESSAGE = shape({"text": TEXT})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LINE = {"type": "integer", "minimum": 1}
BAG = {"type": "object", "properties": {"tags": many(TEXT)}}
LOCATION = shape(
    {
        "physicalLocation": shape(
            {"artifactLocation": shape({"uri": TEXT}, uriBaseId=TEXT)},
            region=shape({"startLine": LINE}),
        )
    }
)
RULE = shape(
    {"id": TEXT},
    name=TEXT,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    defaultConfiguration=shape({}, level=LEVEL),
    properties=BAG,
)
RESULT = shape(
    {"message": MESSAGE},
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level=LEVEL,
    locations=many(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
    properties=BAG,
)
RUN = shape(
    {"tool": shape({"driver": shape({"name": TEXT}, version=TEXT, rules=many(RULE))})},
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    originalUriBaseIds={"type": "object", "additionalProperties": shape({}, description=MESSAGE)},
    results=many(RESULT),
)
SARIF = shape({"version": {"const": "2.1.0"}, "runs": many(RUN)}, **{"$schema": TEXT})
"""The part of the schema of SARIF 2.1.0 that is made use of; nothing else is allowed."""


@pytest.mark.parametrize("findings", [(), FINDINGS], ids=["healthy", "drifted"])
def test_sarif_has_the_shape_of_its_schema_and_a_rule_for_each_code(
    findings: tuple[Finding, ...],
) -> None:
    document = json.loads(told("sarif", *findings))
    jsonschema.Draft202012Validator(SARIF).validate(document)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == [each.code for each in CODES]
    assert [rules[each["ruleIndex"]]["id"] for each in run["results"]] == [
        each.code for each in findings
    ]


def test_sarif_names_file_line_and_fix() -> None:
    results = json.loads(told("sarif", *FINDINGS))["runs"][0]["results"]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    assert places[0] == {
        "artifactLocation": {"uri": "inner/a%20b/r%C3%A9q%2C1%3A2.txt", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 3},
    }
    assert places[1] == {"artifactLocation": {"uri": "file:///elsewhere/two"}}
    assert places[2] == {"artifactLocation": {"uri": "inner", "uriBaseId": "SRCROOT"}}
    assert [each["properties"]["fix"] for each in results] == ["venvman freeze", None, None, "No."]
    assert len({each["partialFingerprints"]["venvman/v1"] for each in results}) == len(results)


def test_github_reads_one_escaped_command_for_each_finding() -> None:
    lines = told("github", *FINDINGS).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "::error",
        "::warning",
        "::notice",
        "::notice",
    ]
    head, text = re.fullmatch(r"::error (.*?)::(.*)", lines[0]).groups()  # type: ignore[union-attr]
    values = dict(each.split("=", 1) for each in head.split(","))
    assert {key: unescaped(value) for key, value in values.items()} == {
        "title": "VM302 lock-stale",
        "file": "inner/a b/réq,1:2.txt",
        "line": "3",
    }
    assert unescaped(text) == f"{ODD}\nNext: venvman freeze"


def unescaped(text: str) -> str:
    return re.sub("%(25|0D|0A|3A|2C)", lambda match: chr(int(match[1], 16)), text)


def test_gitlab_reads_a_code_quality_report() -> None:
    entry = shape(
        {
            "description": TEXT,
            "check_name": TEXT,
            "fingerprint": TEXT,
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": shape({"path": TEXT, "lines": shape({"begin": LINE})}),
        }
    )
    document = json.loads(told("gitlab", *FINDINGS))
    jsonschema.Draft202012Validator(many(entry)).validate(document)
    assert [each["severity"] for each in document] == ["critical", "major", "info", "info"]
    assert len({each["fingerprint"] for each in document}) == len(FINDINGS)
    assert json.loads(told("gitlab")) == []


def test_junit_has_a_case_for_each_finding_and_fails_for_errors_and_warnings() -> None:
    text = in_form("junit", [treated(*FINDINGS), treated(root="/repo/other")], AT_ROOT)
    first, second = ElementTree.fromstring(text.encode("utf-8", "replace"))
    assert (first.get("tests"), first.get("failures")) == ("4", "2")
    assert [case[0].tag for case in first] == ["failure", "failure", "system-out", "system-out"]
    assert "venvman freeze" in (first[0][0].text or "")
    assert [case.get("name") for case in second] == ["nothing has drifted"]
    assert [len(case) for case in second] == [0]


def test_markdown_has_a_row_for_each_finding_whatever_is_in_it() -> None:
    lines = told("markdown", *FINDINGS).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + len(FINDINGS)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert "`venvman freeze`" in rows[2]
    assert r"\*e\* \<f\>" in rows[2]
    assert "Healthy: nothing has drifted." in told("markdown")


@pytest.mark.parametrize("form", ["sarif", "github", "gitlab", "junit", "markdown"])
def test_the_same_findings_give_the_same_document(form: Form) -> None:
    assert told(form, *FINDINGS) == told(form, *FINDINGS)


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


def told_of_doctor(*findings: Finding, root: str = "/p") -> Treatment:
    return Treatment(left=diagnosis(*findings, root=root))


def with_severity(severity: Severity) -> Finding:
    return Finding(code="VM601", name="hooks-absent", severity=severity, message="No hooks.")


def test_a_finding_has_the_keys_of_the_contract_and_null_for_what_is_absent() -> None:
    document = json.loads(
        render(doctor_result(told_of_doctor(FOUND, with_severity(Severity.NOTE))))
    )
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
        "held": [],
    }
