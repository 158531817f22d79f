"""The source files of a project as texts that can be edited, and written back as they came."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import (
    Advice,
    Command,
    ConfigurationError,
    LockError,
    Problem,
    RequirementsError,
)
from venvman.model.frozen import dataclass
from venvman.model.sources import DirectorySource, Source
from venvman.project.localproject import project_name
from venvman.project.roles import Role
from venvman.requirements.declared import PYPROJECT
from venvman.requirements.edit import Edited, Entry, LineEdit, SourceText, Wanted, entries_of
from venvman.requirements.file import RequirementLine, parse
from venvman.requirements.lines import Encoding, decode, encoding_of
from venvman.requirements.naming import DEFAULT, DEV, group_of, is_constraints, stem_of
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from venvman.model.names import NormalizedName
    from venvman.outcomes import FileEdit
    from venvman.project.scan import Scan
    from venvman.workflow.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a word on the command line picks: lines of that name, or of that source."""

    typed: str
    name: NormalizedName | None
    line: RequirementLine

    def matches(self, line: RequirementLine, name: NormalizedName | None) -> bool:
        """Whether the file's ``line``, called ``name``, is meant."""
        if self.name is not None:
            return name == self.name
        return _place(line) == _place(self.line)


@dataclass(slots=True)
class _Text:
    """A file under edit; ``before`` is None for one that is to be made."""

    encoding: Encoding
    before: str | None
    now: str
    edits: list[LineEdit]


class SourceFiles:
    """Reads each file once; edits add up."""

    def __init__(self, context: Context, scan: Scan) -> None:
        self._context = context
        self._project = context.project
        self._scan = scan
        self._texts: dict[Path, _Text] = {}
        declared = any(source.declared for source in scan.sources)
        self._declaring = self._project.root / PYPROJECT if declared else None

    def refuse(self, wanted: Wanted, path: Path) -> None:
        """Raises a RequirementsError where the file at ``path`` cannot hold ``wanted``."""
        if path == self._declaring:
            from venvman.requirements.declarededit import refuse_undeclarable

            refuse_undeclarable(wanted)

    def source_of(self, group: str) -> Path:
        """The file that people write for ``group``, absolute; it need not exist yet.

        Raises:
            ConfigurationError: no file can have the name of such a group.
            LockError: the group's lock is made from something else than a requirements file.
        """
        first = self._scan.members(group)[0]
        for source in self._scan.sources:
            if source.group == first:
                if source.path is None:
                    raise _made_elsewhere(self._project.display(source.lock), group)
                return source.path
        if self._declaring is not None:
            _check_name(f"requirements-{group}.in", group)
            return self._declaring
        name = _new_name(self._scan, self._project.root, group)
        _check_name(name, group)
        return self._project.root / name

    def all_of(self, group: str | None) -> tuple[Path, ...]:
        """Every local file of ``group`` (None: of all) that holds requirements, sources first.

        Raises:
            ConfigurationError: there is no such group.
        """
        if group is not None:
            from venvman.workflow.inputs import choose_groups
            from venvman.workflow.requests import GroupChoice

            choose_groups(self._context, self._scan, GroupChoice(only=(group,)))
        sources = [
            path
            for each in self._scan.sources
            if group is None or each.group in self._scan.members(group)
            for path in each.paths
        ]
        included = [
            each.path
            for each in self._scan.files
            if each.role is Role.INCLUDED
            and not each.constraint
            and (group is None or each.group in (group, *self._scan.members(group)))
            and each.path.is_relative_to(self._project.root)
        ]
        return tuple(dict.fromkeys([*sources, *included]))

    def place_of(self, wanted: Wanted, group: str) -> Path | None:
        """The file of ``group`` that already asks for it; None where none does."""
        if group not in self._scan.groups:
            return None
        meaning = Meaning(typed="", name=wanted.name, line=wanted.line)
        for path in self.all_of(group):
            if any(meaning.matches(line, name) for line, name in self.lines((path,), group)):
                return path
        return None

    def lines(
        self, paths: Sequence[Path], group: str | None
    ) -> Iterator[tuple[RequirementLine, NormalizedName | None]]:
        """Every requirement in ``paths`` as they are now, with its name.

        Of pyproject.toml those of ``group`` (None: all).
        """
        for path in paths:
            entries: Iterable[Entry]
            if path == self._declaring:
                from venvman.requirements.declarededit import entries_declared

                entries = entries_declared(self._source(path), group)
            else:
                entries = entries_of(self._source(path))
            for entry in entries:
                yield entry.line, entry.name

    def name_of(self, line: RequirementLine) -> NormalizedName | None:
        """The line's name; for a folder what its files state."""
        source = line.requirement.source
        if line.requirement.name is None and isinstance(source, DirectorySource):
            return project_name(Path(source.path))
        return line.requirement.name

    def meaning_of(self, typed: str) -> Meaning:
        """What ``typed`` (a name, a folder, a URL) picks.

        Raises:
            RequirementsError: it is none of these.
        """
        [line] = parse_lines(self._context, (typed,), ())
        requirement = line.requirement
        if requirement.source.is_index and (
            requirement.specifier or requirement.marker or requirement.extras
        ):
            raise RequirementsError(
                f"{typed!r} is more than a name.",
                code="name-expected",
                why="A line is removed whole, whatever version it asks for.",
                fix=Command.venvman("remove", str(requirement.name)),
            )
        return Meaning(typed=typed, name=self.name_of(line), line=line)

    def edit(
        self, path: Path, change: Callable[[SourceText], Edited], *, group: str | None
    ) -> None:
        """Applies ``change`` to the file's text as it is now; of pyproject.toml to ``group``."""
        source = self._source(path)
        if path == self._declaring:
            from venvman.requirements.declarededit import edit_declared

            edited = edit_declared(source, group, change)
        else:
            edited = change(source)
        text = self._texts[path]
        text.now = edited.text
        text.edits += edited.edits

    def edits(self) -> tuple[FileEdit, ...]:
        """What was asked about so far, file by file."""
        from venvman.outcomes import FileEdit

        return tuple(
            FileEdit(path=path, before=text.before, after=text.now, edits=tuple(text.edits))
            for path, text in self._texts.items()
            if text.edits
        )

    def contents(self, edits: Sequence[FileEdit]) -> dict[Path, bytes]:
        """The files of ``edits`` in their own encoding.

        Raises:
            RequirementsError: an encoding has no such letters.
        """
        return {edit.path: self._encoded(edit.path) for edit in edits}

    def _encoded(self, path: Path) -> bytes:
        text = self._texts[path]
        try:
            return text.encoding.mark + text.now.encode(text.encoding.name)
        except UnicodeEncodeError as error:
            shown = self._project.display(path)
            raise RequirementsError(
                f"{shown} is written in {text.encoding.name}, which cannot hold the new line.",
                code="encoding-wrong",
                path=shown,
                why=f"{error.object[error.start : error.end]!r} is not in it.",
                fix=Advice("Save the file as UTF-8."),
            ) from error

    def _source(self, path: Path) -> SourceText:
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return SourceText(
            text=self._texts[path].now,
            path=self._project.display(path),
            cwd=str(self._project.root),
            variables=self._context.variables,
            name_of=self.name_of,
        )

    def _read(self, path: Path) -> _Text:
        shown = self._project.display(path)
        try:
            content = read_regular(path)
        except FileNotFoundError:
            return _Text(Encoding(name="utf-8"), None, "", [])
        except OSError as error:
            raise RequirementsError(
                f"{shown} could not be read.",
                code="file-unreadable",
                path=shown,
                why=f"{error.strerror or error}.",
            ) from error
        text = decode(content, path=shown)
        return _Text(encoding_of(content), text, text, [])


def parse_lines(
    context: Context, requirements: Sequence[str], editables: Sequence[str]
) -> tuple[RequirementLine, ...]:
    """Lines as they are to be written, from words on a command line.

    Relative folders, which people type from where they stand, are rewritten to count from the
    project root, as those in files do.

    Raises:
        RequirementsError: one problem for each that is no requirement.
    """
    lines: list[RequirementLine] = []
    problems: list[Problem] = []
    words = [*((word, False) for word in requirements), *((word, True) for word in editables)]
    for word, editable in words:
        found, faults = _parsed(context, word, editable=editable)
        lines += found
        problems += faults
    if problems:
        message = problems[0].message if len(problems) == 1 else "These are no requirements."
        raise RequirementsError(message, code=problems[0].code, problems=problems)
    return tuple(lines)


def _place(line: RequirementLine) -> Source:
    """Where it comes from, editable or not."""
    source = line.requirement.source
    return replace(source, editable=False) if isinstance(source, DirectorySource) else source


def _parsed(
    context: Context, word: str, *, editable: bool
) -> tuple[list[RequirementLine], list[Problem]]:
    if editable and Path(word).is_absolute() and Path(word).is_relative_to(context.project.root):
        # A folder of the project is called there as it is on any machine.
        word = os.path.relpath(word, context.cwd)
    text = f"-e {word}" if editable else word
    parsed = parse(text, path="", variables=context.variables, cwd=str(context.cwd))
    faults = [replace(each, path=None, line=None) for each in parsed.errors]
    if not faults and (len(parsed.lines) != 1 or len(parsed.requirements) != 1):
        faults.append(
            Problem(
                code="requirement-invalid",
                message=f"{word!r} is not a requirement.",
                text=word,
                why="It takes names with specifiers, such as 'flask>=3', URLs and folders.",
            )
        )
    return [_from_root(context, each) for each in parsed.requirements], faults


def _from_root(context: Context, line: RequirementLine) -> RequirementLine:
    """``line`` with a relative folder or file counted from the project root."""
    requirement = line.requirement
    relative = requirement.raw.partition("[")[0].partition(" ;")[0].strip()
    local = line.url is not None and line.url.startswith("file:") and ":" not in relative
    if not local or "@" in relative or Path(relative).is_absolute():
        return line
    if context.cwd == context.project.root:
        return line
    absolute = os.path.normpath(context.cwd / relative)
    moved = os.path.relpath(absolute, context.project.root).replace(os.sep, "/")
    if moved != "." and not moved.startswith(".."):
        moved = f"./{moved}"
    return replace(
        line, requirement=replace(requirement, raw=moved + requirement.raw[len(relative) :])
    )


def _new_name(scan: Scan, root: Path, group: str) -> str:
    """Where a group that has no file yet gets one: beside the default's, named like it."""
    default = next(
        (each.path for each in scan.sources if each.group == DEFAULT and each.path), None
    )
    if group == DEFAULT:
        return "requirements.in"
    if default is None or not default.is_relative_to(root):
        return f"requirements-{group}.in"
    folder, stem, ending = stem_of(default.relative_to(root).as_posix())
    if folder:
        return f"{folder}/{group}.{ending}"
    neighbour = next(
        (each.path for each in scan.sources if each.group == DEV and each.path is not None), None
    )
    short = neighbour is not None and neighbour.stem == DEV and ending == "in"
    return f"{group}.{ending}" if short else f"{stem}-{group}.{ending}"


def _check_name(name: str, group: str) -> None:
    """Whether a file ``name`` would be read as the source of the new ``group``.

    Raises:
        ConfigurationError: it would not.
    """
    found = None if is_constraints(name) else group_of(name, beside=("requirements.in", name))
    letters = re.fullmatch(r"[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*", group, re.ASCII)
    if letters and group in (DEFAULT, found):
        return
    raise ConfigurationError(
        f"{group!r} is no name of a group.",
        code="group-name-invalid",
        why=f"Its file would be read as that of the group {found!r}."
        if letters and found
        else "It becomes the name of a file: letters, digits, and - _ . between them.",
    )


def _made_elsewhere(lock: str, group: str) -> LockError:
    return LockError(
        f"Group {group} has no requirements file: {lock} is made from something else.",
        code="lock-of-another-source",
        path=lock,
        why="Its header names what makes it; that is the place to edit.",
        fix=Advice("Edit what its header names."),
    )
