"""VM2: requirements files that are missing, faulty or vague."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.errors import Advice
from venvman.sources import VcsSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding

__all__ = ["faults", "open_revisions", "presence", "unused"]


def presence(examination: Examination) -> Iterator[Finding]:
    """A project without anything to install from."""
    if not examination.has_sources and not examination.locks:
        yield codes.NO_REQUIREMENTS(
            f"{examination.project.root.name} has no requirements file.",
            fix=Advice("Name a first package with `venvman add`."),
        )


def faults(examination: Examination) -> Iterator[Finding]:
    """Every fault of every file, each with its line."""
    for problem in examination.scan_problems:
        why = f" {problem.why}" if problem.why else ""
        yield codes.REQUIREMENTS_FAULTY(
            problem.message + why,
            path=problem.path,
            line=problem.line,
            fix=problem.fix or _edit(problem.path, problem.line),
            severity=problem.severity,
        )


def open_revisions(examination: Examination) -> Iterator[Finding]:
    """A repository without a branch, tag or commit: every freeze may take another commit."""
    for group in examination.requirements.groups if examination.requirements else ():
        for requirement in group.requirements:
            source = requirement.source
            if isinstance(source, VcsSource) and source.revision is None:
                yield codes.REVISION_OPEN(
                    f"{source} names no branch, tag or commit: the next upgrade takes whatever "
                    "its default branch is at then.",
                    package=requirement.name,
                    path=requirement.origin.path,
                    line=requirement.origin.line,
                    fix=Advice(f"Add @ and a tag or commit to the URL in {requirement.origin}."),
                )


def unused(examination: Examination) -> Iterator[Finding]:
    """Constraints that limit nothing, though their name says that they should."""
    for path in examination.unused:
        name = examination.display(path)
        yield codes.CONSTRAINTS_UNUSED(
            f"{name} is named like a file of constraints, but no -c and no setting names it: it "
            "limits nothing here.",
            path=name,
            fix=Advice(
                "Name it by a -c line of a requirements file, or in `constraints` of "
                "[tool.venvman]; or remove it."
            ),
        )


def _edit(path: str | None, line: int | None) -> Advice | None:
    if path is None:
        return None
    return Advice(f"Correct {path}" + (f", line {line}." if line is not None else "."))
