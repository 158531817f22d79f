"""Diagnosis: what the wanted checks found in one project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.doctor.table import examine
from venvman.errors import at
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.doctor.table import Selection
    from venvman.errors import Severity
    from venvman.project import Project

__all__ = ["Diagnosis", "diagnose"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The findings of one project, in their order. ``environment`` is as people see it."""

    project: Project
    environment: str
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are of ``severity``."""
        return sum(finding.severity is severity for finding in self.findings)


def diagnose(examination: Examination, selection: Selection | None = None) -> Diagnosis:
    """Every finding that ``selection`` wants (None: all)."""
    return Diagnosis(
        project=examination.project,
        environment=examination.display(examination.place),
        findings=tuple(
            replace(each, fix=at(each.fix, examination.project.root))
            for each in examine(examination, selection)
        ),
    )
