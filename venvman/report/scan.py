"""``scan``: what was found and understood, as DESIGN 4.3 has it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode, Severity
from venvman.options import DEFAULT_INDEX
from venvman.report.result import Result, Status
from venvman.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.options import FileOptions
    from venvman.project import Project
    from venvman.requirements.file import RequirementLine
    from venvman.scan import Scan, ScannedFile

__all__ = ["scan_result"]


def scan_result(scans: Sequence[tuple[Scan, Path]]) -> Result:
    """The result of ``venvman scan``; each scan comes with its environment's absolute path.

    A file with errors still lists its good lines; the command then cannot be called a success.
    """
    problems = tuple(problem for scan, _ in scans for problem in scan.problems)
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    return Result(
        command="scan",
        status=Status.ERROR if failed else Status.OK,
        exit_code=ExitCode.ERROR if failed else ExitCode.OK,
        data={"projects": [_project(scan, venv) for scan, venv in scans]},
        problems=problems,
        view=tuple(scan for scan, _ in scans),
        answers=True,
    )


def _project(scan: Scan, venv: Path) -> dict[str, Any]:
    return {
        "root": scan.project.root.as_posix(),
        "venv": scan.project.display(venv),
        "files": [_file(file, scan.project) for file in scan.files],
    }


def _file(file: ScannedFile, project: Project) -> dict[str, Any]:
    shown = project.display(file.path)
    parsed = file.parsed
    row: dict[str, Any] = {
        "path": shown,
        "role": file.role.value,
        "group": file.group,
        "lock": None if file.lock is None else project.display(file.lock),
        "requirements": [],
        "options": {},
        "errors": [],
    }
    if parsed is not None:
        row["requirements"] = [
            _requirement(line, shown, constraint=file.constraint) for line in parsed.requirements
        ]
        row["options"] = _options(parsed.options, project)
        row["errors"] = [{"line": error.line, "message": error.message} for error in parsed.errors]
    return row


def _requirement(line: RequirementLine, path: str, *, constraint: bool) -> dict[str, Any]:
    requirement = line.requirement
    return {
        "name": requirement.name,
        "specifier": str(requirement.specifier),
        "extras": list(line.extras),
        "marker": None if requirement.marker is None else str(requirement.marker),
        "url": None if line.url is None else redact(line.url),
        "editable": line.editable,
        "hashes": list(requirement.hashes),
        "constraint": constraint,
        "path": path,
        "line": requirement.origin.line,
    }


def _options(options: FileOptions, project: Project) -> dict[str, Any]:
    """What pip, without any configuration, would work with after reading this one file."""
    indexes = [] if options.no_index else [options.index_url or DEFAULT_INDEX]
    return {
        "index_urls": [redact(url) for url in (*indexes, *options.extra_index_urls)],
        "find_links": [redact(_shown(link, project)) for link in options.find_links],
        "no_index": options.no_index,
        "no_binary": sorted(options.no_binary),
        "only_binary": sorted(options.only_binary),
        "prefer_binary": options.prefer_binary,
        "require_hashes": options.require_hashes,
        "trusted_hosts": list(options.trusted_hosts),
        "features": list(options.features),
        "all_releases": sorted(options.all_releases),
        "only_final": sorted(options.only_final),
    }


def _shown(link: str, project: Project) -> str:
    path = Path(link)
    return project.display(path) if path.is_absolute() else link
