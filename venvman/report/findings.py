"""Doctor's findings in the formats of other programs: SARIF, GitHub, GitLab, JUnit, Markdown. Pure.

Paths are relative to the top of the repository, as those programs want them; absolute outside it.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from venvman.doctor.codes import CODES
from venvman.doctor.diagnosis import Treatment, folded
from venvman.model.cases import assert_never
from venvman.model.errors import Command, Severity
from venvman.report.fixes import Standing, fix_data
from venvman.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from venvman.doctor.finding import Finding

    Form: TypeAlias = Literal["sarif", "github", "gitlab", "junit", "markdown"]
    Table: TypeAlias = tuple[Path, tuple["Row", ...]]


class Row(NamedTuple):
    """One finding of one project; ``next`` is the command or advice, ``line`` 1-based or 0."""

    project: str
    finding: Finding
    path: str
    line: int
    next: str

    @property
    def title(self) -> str:
        """The code and its name."""
        return f"{self.finding.code} {self.finding.name}"

    @property
    def text(self) -> str:
        """What is wrong, and what to do about it."""
        lead = "Next: " if isinstance(self.finding.fix, Command) else ""
        return "\n".join((self.finding.message, *([f"{lead}{self.next}"] if self.next else [])))

    @property
    def fingerprint(self) -> str:
        """The same as long as the same is found, whichever line it stands in by then."""
        about = (self.project, self.finding.code, self.path, self.finding.message)
        return hashlib.sha256("\0".join(about).encode("utf-8", "surrogateescape")).hexdigest()


def in_form(form: Form, treatments: Sequence[Treatment], here: Standing) -> str:
    """What is found, as a document of that ``form``, with commands for who stands ``here``."""
    tables = [(each.left.project.root, tuple(rows_of(each, here))) for each in treatments]
    rows = [row for _, found in tables for row in found]
    match form:
        case "sarif":
            text = _json(_sarif(rows))
        case "github":
            text = "".join(map(_github, rows))
        case "gitlab":
            text = _json([_gitlab(row) for row in rows])
        case "junit":
            text = _junit(tables)
        case "markdown":
            text = "\n".join(_markdown(tables)) + "\n"
        case _ as never:
            assert_never(never)
    return text


def rows_of(treatment: Treatment, here: Standing) -> Iterator[Row]:
    """What is left in one project."""
    project = treatment.left.project
    top = project.git_root or project.root
    for finding in folded(treatment.left.findings):
        path = project.root / (finding.path or "")
        inside = path.is_relative_to(top)
        shown = (path.relative_to(top) if inside else path).as_posix()
        following = fix_data(finding.fix, here)
        words = following["fix"] or following["advice"] or ""
        yield Row(
            project.root.relative_to(top).as_posix(), finding, shown, finding.line or 0, words
        )


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


def _sarif(rows: Sequence[Row]) -> dict[str, Any]:
    """SARIF 2.1.0 (OASIS); codes that nothing was found of are rules all the same."""
    rules = [
        {
            "id": each.code,
            "name": each.name,
            "shortDescription": {"text": each.wrong},
            "fullDescription": {"text": f"{each.wrong} {each.why}"},
            "help": {"text": f"Fix: {each.fix}"},
            "defaultConfiguration": {"level": each.severity.value},
            "properties": {"tags": [each.looks_at]},
        }
        for each in CODES
    ]
    numbers = {each.code: number for number, each in enumerate(CODES)}
    driver = {"name": "venvman", "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The top of the repository."}}},
        "results": [
            {
                "ruleId": row.finding.code,
                "ruleIndex": numbers[row.finding.code],
                "level": row.finding.severity.value,
                "message": {"text": row.text},
                "locations": [{"physicalLocation": _location(row)}],
                "partialFingerprints": {"venvman/v1": row.fingerprint},
                "properties": {"package": row.finding.package, "fix": row.next or None},
            }
            for row in rows
        ],
    }
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }


def _location(row: Row) -> dict[str, Any]:
    path = quote(row.path.encode("utf-8", "surrogateescape"))
    absolute = row.path.startswith("/")
    artifact = {"uri": f"file://{path}"} if absolute else {"uri": path, "uriBaseId": "SRCROOT"}
    region = {"region": {"startLine": row.line}} if row.line else {}
    return {"artifactLocation": artifact, **region}


_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def _github(row: Row) -> str:
    """A workflow command, from which GitHub makes an annotation."""
    values = {"title": row.title, "file": row.path} | ({"line": str(row.line)} if row.line else {})
    named = ",".join(f"{key}={_escaped(each, ':,')}" for key, each in values.items())
    return f"::{_GITHUB[row.finding.severity]} {named}::{_escaped(row.text)}\n"


def _escaped(text: str, more: str = "") -> str:
    return "".join(f"%{ord(each):02X}" if each in f"%\r\n{more}" else each for each in text)


_GITLAB = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def _gitlab(row: Row) -> dict[str, Any]:
    """An entry of a code quality report."""
    return {
        "description": f"{row.finding.code}: {row.text}",
        "check_name": row.finding.name,
        "fingerprint": row.fingerprint,
        "severity": _GITLAB[row.finding.severity],
        "location": {"path": row.path, "lines": {"begin": row.line or 1}},
    }


def _junit(tables: Sequence[Table]) -> str:
    """A suite for each project: a case for each finding, and one that passed if there is none."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    every = Element("testsuites", name="venvman doctor")
    for root, found in tables:
        failed = [row for row in found if row.finding.severity is not Severity.NOTE]
        suite = SubElement(every, "testsuite", name=_legible(str(root)), errors="0", skipped="0")
        suite.attrib |= {"tests": str(len(found) or 1), "failures": str(len(failed))}
        for row in found:
            about = _legible(f"{row.title}: {row.finding.package or row.path}")
            case = SubElement(suite, "testcase", classname="venvman.doctor", name=about)
            where = f"{row.path}:{row.line}" if row.line else row.path
            if row in failed:
                kind, words = row.finding.severity.value, _legible(row.finding.message)
                case = SubElement(case, "failure", type=kind, message=words)
            else:
                case = SubElement(case, "system-out")
            case.text = _legible(f"{row.text}\n{where}")
        if not found:
            SubElement(suite, "testcase", classname="venvman.doctor", name="nothing has drifted")
    indent(every)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(every, encoding="unicode")}\n'


# What XML 1.0 cannot hold, escaped or not.
_ILLEGIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _legible(text: str) -> str:
    return _ILLEGIBLE.sub("\ufffd", text)


def _markdown(tables: Sequence[Table]) -> Iterator[str]:
    """A heading and a table for each project, as a job summary or a comment shows them."""
    for root, found in tables:
        yield f"## venvman doctor: {_cell(root.name)}\n"
        if not found:
            yield "Healthy: nothing has drifted.\n"
            continue
        yield "| | code | what | where | next |\n| --- | --- | --- | --- | --- |"
        for row in found:
            where = f"{row.path}:{row.line}" if row.line else row.path
            words = (row.finding.severity.value, row.title, _cell(row.finding.message))
            following = _code(row.next) if isinstance(row.finding.fix, Command) else _cell(row.next)
            yield f"| {' | '.join(words)} | {_code(where)} | {following} |"
        yield ""


def _cell(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """A span of code that may hold backticks; bars end cells in spans, too."""
    longest = max((len(each) for each in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    gap = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{gap}{' '.join(text.split())}{gap}{fence}".replace("|", "\\|")
