"""VM2: requirements files that are missing, faulty or vague."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from venvman.doctor import codes
from venvman.errors import Advice
from venvman.names import canonical
from venvman.sources import ArchiveSource, DirectorySource, VcsSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.names import NormalizedName
    from venvman.requirements.requirement import Requirement
    from venvman.sources import Source


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


def gone(examination: Examination) -> Iterator[Finding]:
    """Local projects that are not where a line says."""
    for requirement in _asked(examination):
        path = _path_of(requirement.source)
        if path is not None and not path.exists():
            shown = examination.display(path)
            yield codes.PATH_GONE(
                f"{requirement.origin} asks for {shown}, where there is nothing.",
                package=requirement.name,
                path=requirement.origin.path,
                line=requirement.origin.line,
                fix=Advice(f"Bring {shown} back, or correct {requirement.origin}."),
            )


def _path_of(source: Source) -> Path | None:
    """The folder or file on this machine that ``source`` names; None if it is elsewhere."""
    if isinstance(source, DirectorySource):
        return Path(source.path)
    if isinstance(source, ArchiveSource) and source.url.startswith("file:///"):
        from urllib.parse import unquote, urlsplit

        return Path(unquote(urlsplit(source.url).path))
    return None


def unset(examination: Examination) -> Iterator[Finding]:
    """Lines that need a variable that nobody has set here."""
    for name, line in examination.unset:
        yield codes.VARIABLE_UNSET(
            f"{line} needs the variable {name}, which is not set here.",
            path=line.path,
            line=line.line,
            fix=Advice(f"Set {name} in the environment of the shell."),
        )


def extras(examination: Examination) -> Iterator[Finding]:
    """Extras that the package, as it is installed, does not have: installers only warn."""
    there = (
        {each.name: each for each in examination.inventory.distributions}
        if examination.inventory
        else {}
    )
    for requirement in _asked(examination):
        installed = there.get(requirement.name) if requirement.name and requirement.extras else None
        metadata = examination.metadata(installed) if installed is not None else None
        if installed is None or metadata is None:
            continue
        unknown = requirement.extras - {canonical(each) for each in metadata.extras}
        for extra in sorted(unknown):
            yield codes.EXTRA_UNKNOWN(
                f"{requirement.origin} asks for {requirement.name}[{extra}], but "
                f"{requirement.name} {installed.version} has no extra of that name.",
                package=requirement.name,
                path=requirement.origin.path,
                line=requirement.origin.line,
                fix=Advice(f"Correct the extra in {requirement.origin}, or take it out."),
            )


def repeated(examination: Examination) -> Iterator[Finding]:
    """One package twice in a file, and packages that no version of satisfies every line."""
    by_name: defaultdict[NormalizedName, list[Requirement]] = defaultdict(list)
    for each in _asked(examination):
        if each.name is not None and each.source.is_index:
            by_name[each.name].append(each)
    for name, several in by_name.items():
        yield from _twice(name, [each for each in several if not each.constraint])
        wished = any(not each.constraint for each in several)
        if wished and name not in examination.overrides:
            yield from _contrary(name, several)


def _twice(name: NormalizedName, several: list[Requirement]) -> Iterator[Finding]:
    first: dict[str, Requirement] = {}
    for each in several:
        before = first.setdefault(each.origin.path, each)
        if before is not each:
            yield codes.LISTED_TWICE(
                f"{name} is listed twice: {before.origin} and {each.origin}.",
                package=name,
                path=each.origin.path,
                line=each.origin.line,
                fix=Advice("Make one line of both."),
            )


def _contrary(name: NormalizedName, several: list[Requirement]) -> Iterator[Finding]:
    together = SpecifierSet()
    for number, each in enumerate(several):
        together &= each.specifier
        if not _has_room(together):
            others = ", ".join(f"{one.raw} ({one.origin})" for one in several[:number])
            yield codes.REQUIREMENTS_CONTRARY(
                f"No version of {name} satisfies {each.raw} as well as {others}.",
                package=name,
                path=each.origin.path,
                line=each.origin.line,
                fix=Advice("Change one of these lines so that a version is left for all."),
            )
            return


def _has_room(specifiers: SpecifierSet) -> bool:
    """Whether some version could be allowed: the bounds, and what lies next to them, are tried."""
    if any(each.operator == "===" for each in specifiers):
        return True
    bounds = [Version(each.version.removesuffix(".*")) for each in specifiers]
    near = [f"{bound.base_version}{more}" for bound in bounds for more in ("", ".0.1", ".post1")]
    tried = [*bounds, *map(Version, near), Version("0")]
    return any(specifiers.contains(each, prereleases=True) for each in tried)


def _asked(examination: Examination) -> tuple[Requirement, ...]:
    """The lines that hold for the environment's Python, each once in however many groups."""
    markers = {**dict(examination.target.markers), "extra": ""} if examination.target else {}
    found = {
        each.origin: each
        for group in (examination.requirements.groups if examination.requirements else ())
        for each in (*group.requirements, *group.constraints)
    }
    return tuple(
        each
        for each in found.values()
        if each.marker is None or not markers or each.marker.evaluate(markers)
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
