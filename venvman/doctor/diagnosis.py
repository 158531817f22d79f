"""Diagnosis: what the wanted checks found in one project."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from venvman.doctor.packages import Package, packages
from venvman.doctor.table import Selection, examine, looked_for
from venvman.model.errors import Command, Problem, Severity, at
from venvman.model.frozen import dataclass
from venvman.system.reading import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Cause, Code, Finding
    from venvman.project.project import Project

_EXCUSE = re.compile(r"#\s*venvman:\s*ignore\[\s*(VM\d{0,3}(?:[,\s]+VM\d{0,3})*)\s*\]")

Told: TypeAlias = tuple[str, str, int | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The findings of one project, in their order. ``environment`` is as people see it.

    ``held`` are the codes that were looked for and not found, ``packages`` is
    empty where nobody asked for them.
    """

    project: Project
    environment: str
    findings: tuple[Finding, ...]
    held: tuple[Code, ...] = ()
    packages: tuple[Package, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many findings are of ``severity``."""
        return sum(finding.severity is severity for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """``left`` is what is found at last, ``fixed`` what was before, ``ran`` what was done.

    In a dry run ``ran`` is what would be done. ``problems`` are those of commands that failed.
    """

    left: Diagnosis
    fixed: tuple[Finding, ...] = ()
    ran: tuple[Command, ...] = ()
    problems: tuple[Problem, ...] = ()

    def besides(self, told: set[Told]) -> Treatment:
        """Without what is ``told`` of another project already: files may be several's, or git's.

        What is left is told from then on.
        """
        root = self.left.project.root
        placed = [(each, _told(each, root)) for each in self.left.findings]
        left = tuple(finding for finding, what in placed if what not in told)
        told.update(what for finding, what in placed if finding.path is not None)
        return replace(self, left=replace(self.left, findings=left))


def _told(finding: Finding, root: Path) -> Told:
    path = os.path.normpath(root / (finding.path or ""))
    return finding.code, path, finding.line, finding.message


def diagnose(
    examination: Examination, selection: Selection | None = None, *, with_packages: bool = False
) -> Diagnosis:
    """Every finding that ``selection`` wants (None: all) and no comment in its line excuses."""
    selection = selection or Selection()
    findings = tuple(
        replace(each, fix=at(each.fix, examination.project.root))
        for each in _unexcused(examination, examine(examination, selection))
    )
    found = {each.code for each in findings}
    return Diagnosis(
        project=examination.project,
        environment=examination.display(examination.root),
        findings=findings,
        held=tuple(each for each in looked_for(examination, selection) if each.code not in found),
        packages=packages(examination) if with_packages else (),
    )


def consequences(findings: Sequence[Finding]) -> dict[Cause, list[Finding]]:
    """What follows from each finding, where both were looked for."""
    found: dict[Cause, list[Finding]] = {each.as_cause: [] for each in findings}
    for each in findings:
        if each.cause in found:
            found[each.cause].append(each)
    return found


def folded(findings: Sequence[Finding]) -> Iterator[Finding]:
    """``findings`` with one for a cause and all that follows from it."""
    found = consequences(findings)
    for each in findings:
        if each.cause not in found:
            needing = dict.fromkeys(one.package for one in found[each.as_cause] if one.package)
            who = f"{len(needing)} packages need it" if len(needing) > 1 else "1 package needs it"
            more = f" {who}: {', '.join(needing)}." if needing else ""
            yield replace(each, message=each.message + more)


def _unexcused(examination: Examination, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Those whose line has no ``# venvman: ignore[VM203]`` with their code or how it begins."""
    excuses = cache(partial(_excuses, examination.project.root))
    for finding in findings:
        excused = excuses(finding.path).get(finding.line or 0, ()) if finding.path else ()
        if not finding.code.startswith(excused):
            yield finding


def _excuses(root: Path, path: str) -> dict[int, tuple[str, ...]]:
    """What the comments of the file at ``path`` excuse, by line."""
    lines = enumerate(text_of(root / path).splitlines(), start=1)
    found = ((number, _EXCUSE.search(line)) for number, line in lines)
    return {number: tuple(re.split(r"[,\s]+", each[1])) for number, each in found if each}
