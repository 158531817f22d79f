"""``scan``: the projects, files and requirements found, and how each was understood."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.model.errors import ExitCode, Severity
from venvman.model.options import DEFAULT_INDEX, FileOptions
from venvman.report.drawing import Drawing, Group, Text, Tree
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, plain
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.project.project import Project
    from venvman.project.scan import Scan, ScannedFile
    from venvman.requirements.file import RequirementLine

# A lock's pins are what `freeze` and `status` tell about; a source's lines are what people wrote.
_MOST_LINES = 15
_UNSAID = {"index_urls": [DEFAULT_INDEX]}
"""Options as they are where a file is silent."""


def scan_result(scans: Sequence[tuple[Scan, Path]]) -> Result:
    """The result of ``venvman scan``; each scan comes with its environment's absolute path.

    A file with errors still lists its good lines; the command then cannot be called a success.
    """
    problems = tuple(problem for scan, _ in scans for problem in scan.problems)
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    rows = [
        {
            "root": scan.project.root.as_posix(),
            "venv": scan.project.display(venv),
            "files": [_file(file, scan.project) for file in scan.files],
        }
        for scan, venv in scans
    ]
    return Result(
        command="scan",
        status=Status.ERROR if failed else Status.OK,
        exit_code=ExitCode.ERROR if failed else ExitCode.OK,
        data={"projects": rows},
        problems=problems,
        draw=lambda screen: draw_scan(rows, screen, [_groups(scan) for scan, _ in scans]),
        answers=True,
    )


def _groups(scan: Scan) -> Mapping[str, str]:
    """By its path, the groups of a file that has several."""
    found: dict[str, list[str]] = {}
    for source in scan.sources:
        for path in (source.lock, *source.paths):
            found.setdefault(scan.project.display(path), []).append(source.group)
    return {path: ", ".join(groups) for path, groups in found.items() if len(groups) > 1}


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


def draw_scan(
    projects: Sequence[Mapping[str, Any]],
    screen: Screen,
    several: Sequence[Mapping[str, str]] | None = None,
) -> Drawing:
    """A tree for each project, and how much was found; errors are told elsewhere.

    ``several`` names the groups of files that have more than one, for each project.
    """
    trees = [
        _project_tree(project, screen, groups)
        for project, groups in zip(projects, several or [{}] * len(projects), strict=True)
    ]
    return Group(*trees, _total(projects))


def _project_tree(project: Mapping[str, Any], screen: Screen, groups: Mapping[str, str]) -> Tree:
    venv = project["venv"]
    environment = Text.assemble("  environment ", plain(venv, Style.PATH)) if venv else Text()
    tree = Tree(
        Text.assemble(plain(project["root"], Style.NAME), environment), guide_style=Style.FAINT
    )
    for file in project["files"]:
        role = file["role"]
        several = groups.get(file["path"])
        words = [f"{role} of {several or file['group']}" if file["group"] else role]
        if file["lock"] and not several:
            words.append(f"frozen into {file['lock']}")
        elif role == "source" and not several:
            words.append("which only includes others")
        if role == "lock":
            words.append(count(len(file["requirements"]), "pin"))
        line = Text.assemble(
            plain(file["path"], Style.PATH), "  ", plain(", ".join(words), Style.FAINT)
        )
        if file["errors"]:
            line.append_text(Text(f"  {count(len(file['errors']), 'error')}", style=Style.ERROR))
        branch = tree.add(line)
        _fill(branch, file, screen)
    return tree


def _fill(branch: Tree, file: Mapping[str, Any], screen: Screen) -> None:
    for name, value in file["options"].items():
        if value and value != _UNSAID.get(name):
            said = plain(f"{name.replace('_', '-')} {_worded(value)}")
            branch.add(Text.assemble(("option ", Style.FAINT), said))
    requirements = file["requirements"]
    limit = None if screen.verbose else 0 if file["role"] == "lock" else _MOST_LINES
    shown = requirements[:limit]
    for requirement in shown:
        branch.add(_requirement_line(requirement))
    if len(shown) < len(requirements) and file["role"] != "lock":
        rest = count(len(requirements) - len(shown), "more requirement")
        branch.add(Text(f"... and {rest} (--verbose shows all)", style=Style.FAINT))


def _requirement_line(requirement: Mapping[str, Any]) -> Text:
    extras = f"[{','.join(requirement['extras'])}]" if requirement["extras"] else ""
    line = Text.assemble((f"{requirement['line']}: ", Style.FAINT))
    if requirement["editable"]:
        line.append("-e ")
    line.append_text(plain(requirement["name"] or "", Style.NAME))
    line.append_text(plain(f"{extras}{requirement['specifier'] or ''}"))
    if requirement["url"]:
        line.append_text(plain(f"{' @ ' if requirement['name'] else ''}{requirement['url']}"))
    if requirement["marker"]:
        line.append_text(plain(f" ; {requirement['marker']}", Style.FAINT))
    if requirement["constraint"]:
        line.append(" (constraint)", style=Style.FAINT)
    return line


def _total(projects: Sequence[Mapping[str, Any]]) -> Text:
    files = [file for project in projects for file in project["files"]]
    errors = sum(len(file["errors"]) for file in files)
    words = f"{count(len(projects), 'project')}, {count(len(files), 'requirements file')}"
    if not errors:
        return Text(words)
    return Text.assemble(f"{words}, ", (count(errors, "error"), Style.ERROR))


def _worded(value: object) -> str:
    if value is True:
        return ""
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
