"""``doctor``: its findings by family, each with the command that fixes it; and its codes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from venvman.doctor.codes import CODES
from venvman.doctor.diagnosis import Treatment, consequences, folded
from venvman.doctor.finding import ByFix, Code, Finding
from venvman.model.errors import ExitCode, Severity
from venvman.report.as_text import SEVERITY_STYLES, fix_line
from venvman.report.drawing import Drawing, Grid, Group, Text
from venvman.report.fixes import Standing, shell_line
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, plain, sentence_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


FAMILIES = {
    "VM0": "Doctor",
    "VM1": "Environment",
    "VM2": "Requirements",
    "VM3": "Lock",
    "VM4": "Installed packages",
    "VM5": "Files",
    "VM6": "Git",
    "VM7": "Security",
}


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
            "mend": each.fix,
            "by_fix": each.by_fix.value,
        }
        for each in codes
    ]
    return Result(
        command="doctor",
        data={"codes": rows},
        draw=lambda _: draw_codes(rows, explain=explain),
        answers=True,
    )


def doctor_result(
    treatment: Treatment, *, fails: Severity | None = Severity.WARNING, dry_run: bool = False
) -> Result:
    """``data`` as json-output.md has it.

    Errors and warnings make the status ``drift``; notes never do. The exit code is 1 where a
    finding that is left is at least as severe as ``fails`` (None: never). The problems are those of
    fixes that failed.
    """
    found = {finding.severity for finding in treatment.left.findings}
    # From the worst on: the order in which they are declared.
    failing = tuple(Severity)[: tuple(Severity).index(fails) + 1] if fails else ()
    data = _data(treatment)
    shown = {**data, "findings": [_row(each) for each in folded(treatment.left.findings)]}
    return Result(
        command="doctor",
        status=Status.DRIFT if found - {Severity.NOTE} else Status.OK,
        exit_code=ExitCode.DRIFT if found & {*failing} else ExitCode.OK,
        data=data,
        problems=treatment.problems,
        draw=lambda screen: draw_doctor(shown, screen, dry_run=dry_run),
    )


def _data(treatment: Treatment) -> dict[str, Any]:
    found = consequences(treatment.left.findings)
    return {
        "project": treatment.left.project.root.as_posix(),
        "environment": treatment.left.environment,
        "findings": [
            _row(finding, found.get(finding.as_cause, ())) for finding in treatment.left.findings
        ],
        "fixed": [_row(finding) for finding in treatment.fixed],
        "ran": [{"fix": command} for command in treatment.ran],
        "held": [each.code for each in treatment.left.held],
    }


def _row(finding: Finding, related: Sequence[Finding] = ()) -> dict[str, Any]:
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
        "related": [{"code": each.code, "package": each.package} for each in related],
    }


Row = dict[str, Any]


def draw_doctor(data: Mapping[str, Any], screen: Screen, *, dry_run: bool = False) -> Drawing:
    """What was done, then every finding that is left, on every screen."""
    here = screen.here
    done = _done(data, here, dry_run=dry_run)
    if screen.beside and data["findings"]:
        return Group(*done, _table(data["findings"], here))  # the verdict is one for all projects
    held = _held(data.get("held", ())) if screen.verbose else ()
    return Group(*done, *held, _findings(data["findings"], here))


def _held(held: Sequence[str]) -> Iterator[Drawing]:
    """What was looked for and not found, a line for each family."""
    rows = Grid()
    rows.add_column(whole=True, style=Style.FAINT)
    rows.add_column()
    names = {each.code: each.name for each in CODES}
    for family, title in FAMILIES.items():
        members = [names[code] for code in held if code.startswith(family)]
        if members:
            rows.add_row(plain(f"  {title}"), plain(", ".join(members)))
    yield from (Text("Looked for and not found", style=Style.NAME), rows, Text())


def _findings(findings: Sequence[Row], here: Standing) -> Drawing:
    parts: list[Drawing] = []
    for family, title in FAMILIES.items():
        members = [each for each in findings if each["code"].startswith(family)]
        if members:
            parts += [Text(title, style=Style.NAME), _table(members, here), Text()]
    is_well, words = verdict([Severity(each["severity"]) for each in findings])
    lead = ("Healthy: ", Style.GOOD) if is_well else ("Findings: ", Style.WARNING)
    return Group(*parts, Text.assemble(lead, words))


def _done(project: Mapping[str, Any], here: Standing, *, dry_run: bool) -> Iterator[Drawing]:
    """What was run, and what it fixed."""
    for each in project["ran"]:
        line = plain(shell_line(each["fix"], here), Style.COMMAND)
        lead = ("Would run: " if dry_run else "Ran: ", Style.FAINT)
        yield Text.assemble(lead, line, overflow="ignore", no_wrap=True)
    for each in project["fixed"]:
        yield Text.assemble(("Fixed: ", Style.GOOD), f"{each['code']} ", _message(each))
    if project["ran"]:
        yield Text()


def draw_codes(codes: Sequence[Mapping[str, str]], *, explain: bool) -> Drawing:
    """A line for each code, or all that there is to say about it."""
    if explain:
        return Group(*(part for each in codes for part in _explained(each)))
    table = Grid(gap=2)
    table.add_column(whole=True, style=Style.FAINT)
    table.add_column(whole=True)
    table.add_column(whole=True)
    table.add_column()
    for each in codes:
        severity = Severity(each["severity"])
        word = Text(severity.value, style=SEVERITY_STYLES[severity])
        table.add_row(plain(each["code"]), plain(each["name"]), word, plain(each["wrong"]))
    return Group(table)


def _explained(code: Mapping[str, str]) -> tuple[Drawing, ...]:
    severity = Severity(code["severity"])
    return (
        Text.assemble(
            (f"{code['code']} {code['name']}", Style.NAME),
            " (",
            (severity.value, SEVERITY_STYLES[severity]),
            f"; looks at {code['looks_at']})",
        ),
        plain(code["wrong"]),
        plain(code["why"]),
        plain(f"Fix: {code['mend']} {ByFix(code['by_fix']).sentence}".rstrip()),
        Text(),
    )


def _table(members: Sequence[Row], here: Standing) -> Group:
    """The findings of a family; neighbours that one command fixes show it once."""
    longest = max(len(each["severity"]) for each in members)
    shown: list[Drawing] = []
    for position, finding in enumerate(members):
        severity = Severity(finding["severity"])
        word = Text(severity.value, style=SEVERITY_STYLES[severity])
        row = Grid()
        row.add_column(whole=True, style=Style.FAINT)
        row.add_column(whole=True, minimum=longest)
        row.add_column()
        row.add_row(plain(f"  {finding['code']}"), word, _message(finding))
        shown.append(row)
        following = members[position + 1]["fix"] if position + 1 < len(members) else None
        if finding["fix"] is not None and finding["fix"] != following:
            shown.append(_below(fix_line(finding["fix"], here), 9 + longest))
    return Group(*shown)


def _below(line: Text, indent: int) -> Drawing:
    """``line`` under a message: a command whole, advice wrapped."""
    if line.no_wrap:
        return Text.assemble(" " * indent, line, overflow="ignore", no_wrap=True)
    row = Grid(gap=0)
    row.add_column(whole=True, minimum=indent)
    row.add_column()
    row.add_row(Text(), line)
    return row


def _message(finding: Row) -> Text:
    message = plain(finding["message"])
    if finding["path"] is None or (finding["line"] is None and finding["path"] in message.plain):
        return message
    number = "" if finding["line"] is None else f":{finding['line']}"
    return Text.assemble(message, " (", plain(f"{finding['path']}{number}", Style.PATH), ")")


def verdict(found: Sequence[Severity]) -> tuple[bool, str]:
    """Whether all is well, notes apart, and what there is to say about it."""
    if not found:
        return True, "nothing has drifted."
    numbers = Counter(found)
    words = sentence_list(
        count(numbers[severity], severity.value) for severity in Severity if numbers[severity]
    )
    return not {*numbers} - {Severity.NOTE}, f"{words}."
