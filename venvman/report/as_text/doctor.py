"""Doctor's findings, grouped by family, each with the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.doctor.finding import ByFix
from venvman.errors import Severity
from venvman.report.as_text.problems import SEVERITY_STYLES, fix_line
from venvman.report.as_text.words import Style, count, plain, sentence_list
from venvman.report.drawing import Grid, Group, Text
from venvman.report.fixes import AT_ROOT, shell_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvman.report.drawing import Drawing
    from venvman.report.fixes import Standing

__all__ = ["FAMILIES", "render_catalogue", "render_doctor"]

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

Finding = dict[str, Any]


def render_doctor(
    data: Mapping[str, Any], here: Standing = AT_ROOT, *, dry_run: bool = False
) -> Drawing:
    """``data`` as DESIGN 4.3 has it: ``findings[]``. Every finding is shown, on every screen."""
    return Group(*_done(data, here, dry_run=dry_run), _findings(data["findings"], here))


def _findings(found: Sequence[Finding], here: Standing) -> Drawing:
    findings = _without_consequences(found)
    if not findings:
        return Text.assemble(("Healthy: ", Style.GOOD), "nothing has drifted.")
    parts: list[Drawing] = []
    for family, title in FAMILIES.items():
        members = [each for each in findings if each["code"].startswith(family)]
        if members:
            parts += [Text(title, style=Style.NAME), _table(members, here), Text()]
    return Group(*parts, _total(findings))


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


def render_catalogue(codes: Sequence[Mapping[str, str]], *, explain: bool) -> Drawing:
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
        plain(f"Mend: {code['mend']} {ByFix(code['by_fix']).sentence}".rstrip()),
        Text(),
    )


def _without_consequences(found: Sequence[Finding]) -> list[Finding]:
    """One finding for a cause and all that follows from it, where both were looked for."""
    following: dict[tuple[str, str], list[str]] = {
        (each["code"], each["package"]): [] for each in found
    }
    shown: list[Finding] = []
    for each in found:
        cause = each.get("cause")
        needing = following.get((cause["code"], cause["package"])) if cause else None
        if needing is None:
            shown.append(each)
        elif each["package"] not in needing:
            needing.append(each["package"])
    return [_with(each, following[each["code"], each["package"]]) for each in shown]


def _with(finding: Finding, needing: Sequence[str]) -> Finding:
    if not needing:
        return finding
    who = f"{count(len(needing), 'package')} {'needs' if len(needing) == 1 else 'need'} it"
    return {**finding, "message": f"{finding['message']} {who}: {', '.join(needing)}."}


def _table(members: Sequence[Finding], here: Standing) -> Group:
    """The findings of a family; neighbours that one command mends show it once."""
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


def _message(finding: Finding) -> Text:
    message = plain(finding["message"])
    if finding["path"] is None or (finding["line"] is None and finding["path"] in message.plain):
        return message
    number = "" if finding["line"] is None else f":{finding['line']}"
    return Text.assemble(message, " (", plain(f"{finding['path']}{number}", Style.PLACE), ")")


def _total(findings: Sequence[Finding]) -> Text:
    numbers = {
        severity: sum(each["severity"] == severity.value for each in findings)
        for severity in Severity
    }
    words = sentence_list(
        count(number, severity.value) for severity, number in numbers.items() if number
    )
    harmless = not (numbers[Severity.ERROR] or numbers[Severity.WARNING])
    return Text.assemble(
        ("Healthy: " if harmless else "Findings: ", Style.GOOD if harmless else Style.WARNING),
        f"{words}.",
    )
