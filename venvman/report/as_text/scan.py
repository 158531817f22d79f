"""What was found and how it was understood: a tree of projects, files and requirements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.options import DEFAULT_INDEX
from venvman.report.as_text.words import Style, count, plain
from venvman.report.drawing import Group, Text, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.report.drawing import Drawing


__all__ = ["render_scan"]

# A lock's pins are what `freeze` and `status` tell about; a source's lines are what people wrote.
_MOST_LINES = 15

_UNSAID = {"index_urls": [DEFAULT_INDEX]}
"""Options as they are where a file is silent."""


def render_scan(data: Mapping[str, Any], *, verbose: bool) -> Drawing:
    """``data`` as DESIGN 4.3 has it: ``projects[]`` with ``files[]``; errors are told elsewhere."""
    projects = data["projects"]
    trees = [_project(project, verbose=verbose) for project in projects]
    return Group(*trees, _total(projects))


def _project(project: Mapping[str, Any], *, verbose: bool) -> Tree:
    venv = project["venv"]
    place = Text.assemble("  environment ", plain(venv, Style.PLACE)) if venv else Text()
    tree = Tree(Text.assemble(plain(project["root"], Style.NAME), place), guide_style=Style.FAINT)
    for file in project["files"]:
        branch = tree.add(_file(file))
        _fill(branch, file, verbose=verbose)
    return tree


def _file(file: Mapping[str, Any]) -> Text:
    role = file["role"]
    words = [f"{role} of {file['group']}" if file["group"] else role]
    if file["lock"]:
        words.append(f"frozen into {file['lock']}")
    elif role == "source":
        words.append("which only includes others")
    if role == "lock":
        words.append(count(len(file["requirements"]), "pin"))
    line = Text.assemble(
        plain(file["path"], Style.PLACE), "  ", plain(", ".join(words), Style.FAINT)
    )
    if file["errors"]:
        line.append_text(Text(f"  {count(len(file['errors']), 'error')}", style=Style.ERROR))
    return line


def _fill(branch: Tree, file: Mapping[str, Any], *, verbose: bool) -> None:
    for name, value in file["options"].items():
        if value and value != _UNSAID.get(name):
            said = plain(f"{name.replace('_', '-')} {_worded(value)}")
            branch.add(Text.assemble(("option ", Style.FAINT), said))
    requirements = file["requirements"]
    limit = None if verbose else 0 if file["role"] == "lock" else _MOST_LINES
    shown = requirements[:limit]
    for requirement in shown:
        branch.add(_requirement(requirement))
    if len(shown) < len(requirements) and file["role"] != "lock":
        rest = count(len(requirements) - len(shown), "more requirement")
        branch.add(Text(f"... and {rest} (--verbose shows all)", style=Style.FAINT))


def _requirement(requirement: Mapping[str, Any]) -> Text:
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
