"""Editing the lists of a pyproject.toml as those of a requirements file are edited. Pure.

A list is taken for a requirements file with a line for each entry, edited as such
(:mod:`venvman.requirements.edit`), and the lines that changed are put back by tomlkit, which keeps
comments, order and layout.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvman.model.errors import Advice, RequirementsError
from venvman.model.names import canonical
from venvman.requirements.declared import PYPROJECT, key_pattern, origin_in
from venvman.requirements.edit import Edited, EditKind, SourceText, entries_of
from venvman.requirements.naming import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from venvman.requirements.edit import Entry, LineEdit, Wanted


def refuse_undeclarable(wanted: Wanted) -> None:
    """Raises a RequirementsError where ``wanted`` is no requirement by name (PEP 508)."""
    line = wanted.line
    if line.editable or line.requirement.spelled is None:
        raise RequirementsError(
            f"{PYPROJECT} cannot hold {line.requirement.raw!r}.",
            code="pyproject-not-named",
            why="Its lists hold `NAME>=1` or `NAME @ URL`, and no folders (PEP 508).",
            fix=Advice("Write it as NAME @ URL, or in a requirements file."),
        )


def entries_declared(source: SourceText, group: str | None) -> Iterator[Entry]:
    """The requirements that the lists of ``group`` (None: of all) have themselves.

    Each with its line in the file; what a group includes of others is theirs.
    """
    document = _document(source.text)
    for keys in _places(document, group):
        for entry in entries_of(_virtual(source, _list(document, keys))):
            origin = origin_in(source.text.splitlines(), entry.line.requirement.raw, _pattern(keys))
            found = replace(entry.line.requirement, origin=origin)
            yield replace(entry, line=replace(entry.line, requirement=found))


def edit_declared(
    source: SourceText, group: str | None, change: Callable[[SourceText], Edited]
) -> Edited:
    """``source`` with ``change`` made to the lists of ``group`` (None: of all).

    A group that is not there yet is made, among the dependency groups.

    Raises:
        RequirementsError: what ``change`` raises; or there is no place for the list.
    """
    document = _document(source.text)
    edits: list[LineEdit] = []
    text = source.text
    for keys in list(_places(document, group)) or [_made(document, group or DEFAULT)]:
        array = _list(document, keys)
        edited = change(_virtual(source, array))
        _apply(array, edited.edits)
        after = _with_comments(document.as_string(), edited.edits, _pattern(keys))
        for each in edited.edits:
            shown = text if each.after is None else after
            origin = origin_in(shown.splitlines(), each.after or each.before or "", _pattern(keys))
            edits.append(replace(each, line=origin.line))
        text, document = after, _document(after)
    return Edited(text=text, edits=tuple(edits))


def _document(text: str) -> Any:  # noqa: ANN401 - tomlkit's types say little
    import tomlkit

    return tomlkit.parse(text)


def _places(document: Any, group: str | None) -> Iterator[tuple[str, ...]]:  # noqa: ANN401
    """The keys of the lists of ``group``, as :mod:`venvman.requirements.declared` names groups."""
    groups = document.get("dependency-groups", {})
    extras = document.get("project", {}).get("optional-dependencies", {})
    known = {canonical(name) for name in groups} | {DEFAULT}
    if group in (None, DEFAULT) and "dependencies" in document.get("project", {}):
        yield ("project", "dependencies")
    for name in groups:
        if group in (None, canonical(name)):
            yield ("dependency-groups", name)
    for name in extras:
        shown = canonical(name)
        if group in (None, f"extra-{shown}" if shown in known else shown):
            yield ("project", "optional-dependencies", name)


def _made(document: Any, group: str) -> tuple[str, ...]:  # noqa: ANN401
    import tomlkit

    if group != DEFAULT:
        document.setdefault("dependency-groups", tomlkit.table())[group] = tomlkit.array()
        return ("dependency-groups", group)
    project = document.get("project")
    if project is None or "dependencies" in project.get("dynamic", ()):
        raise RequirementsError(
            f"{PYPROJECT} has no list of the project's dependencies.",
            code="pyproject-no-list",
            path=PYPROJECT,
            why="It has no [project] table." if project is None else "They are dynamic.",
            fix=Advice("Name a group with --group, or write a requirements.in."),
        )
    project["dependencies"] = tomlkit.array()
    return ("project", "dependencies")


def _list(document: Any, keys: Sequence[str]) -> Any:  # noqa: ANN401
    for key in keys:
        document = document[key]
    return document


def _pattern(keys: Sequence[str]) -> str:
    return r"dependencies\s*=" if keys[-1] == "dependencies" else key_pattern(keys[-1])


def _virtual(source: SourceText, array: Sequence[object]) -> SourceText:
    """The list as a requirements file; what is no text (an include) as a comment."""
    lines = [str(each) if isinstance(each, str) else "#" for each in array]
    return replace(source, text="".join(f"{line}\n" for line in lines), variables={})


def _apply(array: Any, edits: Sequence[LineEdit]) -> None:  # noqa: ANN401
    # From the end on: the lines of what is taken out are those before anything was.
    for edit in sorted(edits, key=lambda each: -each.line):
        match edit.kind:
            case EditKind.ADDED:
                array.insert(edit.line - 1, _string(edit.after or ""))
            case EditKind.CHANGED:
                array[edit.line - 1] = _string(edit.after or "")
            case EditKind.REMOVED:
                del array[edit.line - 1]
            case EditKind.UNCHANGED:
                pass


def _string(text: str) -> Any:  # noqa: ANN401
    import tomlkit

    return tomlkit.string(text, literal='"' in text and "'" not in text)


def _with_comments(text: str, edits: Sequence[LineEdit], pattern: str) -> str:
    """``text``, a new line not between another one and the comment that belongs to that."""
    lines = text.splitlines(keepends=True)
    for edit in edits:
        if edit.kind is not EditKind.ADDED:
            continue
        line = origin_in(lines, edit.after or "", pattern).line - 1
        above = line
        while above > 0 and lines[above - 1].lstrip().startswith("#"):
            above -= 1
        if lines[above - 1].strip().startswith(("'", '"', "{")) and lines[line].strip().endswith(
            ","
        ):
            lines.insert(above, lines.pop(line))
    return "".join(lines)
