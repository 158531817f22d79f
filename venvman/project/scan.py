"""Scan: the requirements files of one project, read and understood.

Reads the disk once; what the names and headers mean is decided in :mod:`venvman.project.roles`,
what is included in :mod:`venvman.requirements.includes`.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Problem, RequirementsError, Severity
from venvman.model.frozen import dataclass
from venvman.model.sources import DirectorySource
from venvman.project.pipconfig import configured_words
from venvman.project.project import leaves_tree, names_below, requirement_names, unseen
from venvman.project.roles import Facts, Role, assign, members_of
from venvman.requirements.declared import OF_UV, PYPROJECT, read_declared
from venvman.requirements.file import ParsedFile, RequirementLine, parse
from venvman.requirements.header import LockHeader
from venvman.requirements.includes import Follower, local_path
from venvman.requirements.lines import decode
from venvman.requirements.naming import DEFAULT, is_pylock
from venvman.system.secrets import line_of, redact

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from venvman.project.project import Project
    from venvman.project.roles import Gathering, Part
    from venvman.requirements.declared import Compiled, Declared
    from venvman.requirements.file import ParsedLine
    from venvman.requirements.multiuse import InnerGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedFile:
    """One file and what it is to the project.

    ``path`` and ``lock`` are absolute; ``lock`` is where a source is frozen to, whether it exists
    or not. ``group`` is None for constraints. ``constraint`` says that its lines are constraints.
    ``parsed`` is None for a lock that :func:`scan` was not asked to parse.
    """

    path: Path
    role: Role
    group: str | None = None
    lock: Path | None = None
    header: LockHeader | None = None
    constraint: bool = False
    parsed: ParsedFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One group: ``paths`` are its sources, ``lock`` where they are frozen to (absolute).

    There are no ``paths`` where the lock was made from something that is no requirements file
    (pyproject.toml, say): such a lock is synced as it is, and ``header.command`` says what makes
    it. ``header`` is that of the existing lock, or what pip-compile is configured to write; its
    ``is_lock`` says whether venvman may overwrite the file without being told ``--yes``. ``folder``
    is where the header's command is run, None where that cannot be told. ``declared``: the source
    is the entry of the group's name in pyproject.toml; ``compiled`` as pip-compile can make its
    lock; ``former`` is its lock in another format, whose pins count until it is frozen; ``inner``
    is what the group is in a lock that other groups have, too.
    """

    group: str
    paths: tuple[Path, ...]
    lock: Path
    header: LockHeader | None = None
    folder: Path | None = None
    declared: bool = False
    compiled: Compiled | None = None
    former: Path | None = None
    inner: InnerGroup | None = None

    def chosen(self, groups: Collection[str]) -> Collection[str] | None:
        """What of its lock is used where ``groups`` are; of one made for a source all there is."""
        return None if self.paths else groups

    @property
    def path(self) -> Path | None:
        """The first source."""
        return self.paths[0] if self.paths else None

    @property
    def limits(self) -> tuple[Path, ...]:
        """The files of the ``-c`` in the header's command, as far as they are there."""
        if self.header is None or self.folder is None:
            return ()
        paths = [Path(os.path.normpath(self.folder / name)) for name in self.header.constraints]
        return tuple(path for path in paths if path.is_file())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Everything found. ``sources`` are ``default``, ``dev``, the others by name.

    ``gatherings`` are groups that stand for some of those.

    ``problems`` holds the errors of every file of the project (each file's own are also in its
    ``parsed.errors``) and notes about names.
    """

    project: Project
    files: tuple[ScannedFile, ...]
    sources: tuple[SourceFile, ...]
    problems: tuple[Problem, ...] = ()
    gatherings: tuple[Gathering, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group's name, those that stand for others among them."""
        names = {each.group for each in self.sources} | {each.group for each in self.gatherings}
        usual = [name for name in ("default", "dev") if name in names]
        return (*usual, *sorted(names - {*usual}))

    def members(self, group: str) -> tuple[str, ...]:
        """The groups of ``sources`` that ``group`` stands for: itself, unless it gathers others."""
        return members_of(group, self.gatherings)

    def file(self, path: Path) -> ScannedFile | None:
        """What is known of ``path``, None where it plays no part."""
        return next((file for file in self.files if file.path == path), None)

    @property
    def stand_ins(self) -> dict[str, tuple[str, ...]]:
        """Every lock with the sources that a ``-r`` or ``-c`` naming it means."""
        return {str(each.lock): tuple(map(str, each.paths)) for each in self.sources if each.paths}


class Library:
    """The files of a project, each read and parsed once.

    ``declared``: its pyproject.toml is a source; else, included by a requirements file, it is as
    pip reads it: lines that are no requirements.
    """

    def __init__(
        self, project: Project, *, variables: Mapping[str, str], declared: bool = False
    ) -> None:
        self._project = project
        self._declared = declared
        self._variables = variables
        self._known: dict[str, ParsedFile | RequirementsError] = {}

    def load(self, location: str) -> ParsedFile:
        """The file at ``location`` (an absolute path or a URL), parsed.

        An ``http:`` URL is an empty file here: a scan asks no network.

        Raises:
            RequirementsError: it cannot be opened.
        """
        known = self._known.get(location)
        if known is None:
            try:
                known = self._read(location)
            except RequirementsError as error:
                known = error
            self._known[location] = known
        if isinstance(known, RequirementsError):
            raise known
        return known

    def declared(self, group: str) -> ParsedFile:
        """What pyproject.toml says of ``group``.

        Raises:
            RequirementsError: it cannot be opened, or has no such group any more.
        """
        path = self._project.root / PYPROJECT
        self.load(str(path))
        text = decode(self._project.read(path), path=PYPROJECT)
        said = read_declared(text, cwd=str(self._project.root))
        return ParsedFile(path=PYPROJECT) if said is None else said.groups[group]

    def add(self, location: str, content: bytes) -> ParsedFile:
        """Takes ``content`` for what is at ``location``; gives it parsed.

        Bytes that are no text make a file with one error and no lines.
        """
        shown = self.display(location)
        try:
            text = decode(content, path=shown)
        except RequirementsError as error:
            parsed = ParsedFile(path=shown, errors=error.problems)
        else:
            root = str(self._project.root)
            if self._declared and shown == PYPROJECT:
                parsed = _all_of(read_declared(text, cwd=root))
            else:
                parsed = parse(text, path=shown, variables=self._variables, cwd=root)
        links = parsed.options.find_links
        if links:
            links = tuple(self._found(link, location) for link in links)
            parsed = replace(parsed, options=replace(parsed.options, find_links=links))
        path = local_path(location)
        if parsed.errors and path is not None and leaves_tree(Path(path), self._project.root):
            parsed = replace(parsed, errors=tuple(map(unseen, parsed.errors)))
        self._known[location] = parsed
        return parsed

    def display(self, location: str) -> str:
        """``location`` as people see it."""
        path = local_path(location)
        return redact(location) if path is None else self._project.display(Path(path))

    def _found(self, link: str, location: str) -> str:
        """A ``--find-links`` folder, absolute: beside the file if there, else in the root."""
        if "://" in link or link.startswith("file:"):
            return link
        path = local_path(location)
        folders = [Path(path).parent] if path is not None else []
        found = [folder / link for folder in (*folders, self._project.root)]
        return next((os.path.normpath(each) for each in found if each.exists()), link)

    def _read(self, location: str) -> ParsedFile:
        path = local_path(location)
        if path is None:
            return ParsedFile(path=self.display(location))
        try:
            content = self._project.read(Path(path))
        except OSError as error:
            shown = self.display(location)
            message, why = (
                f"{shown} could not be read: {error.strerror}.",
                f"{path}: {error.strerror}.",
            )
            raise RequirementsError(message, code="include-missing", path=shown, why=why) from None
        return self.add(location, content)


def scan(
    project: Project,
    *,
    variables: Mapping[str, str],
    with_locks: bool = False,
    asked: Collection[str] = (),
    pylock: bool | None = None,
) -> Scan:
    """Finds and parses the requirements files of ``project``.

    ``with_locks`` parses the locks too; without it only their headers are read, because the stages
    that need a lock parse it for themselves. ``asked`` are groups that somebody asks for by name: a
    file of lines that others share is one only then. ``pylock`` is as for
    :func:`venvman.project.roles.assign`; of such locks only the header is read here. Never raises
    for what is in a file: faults are in the result.
    """
    root = project.root
    facts = Facts(lambda name, size: _text(project, root / name, size))
    names = requirement_names(root, drafts=project.drafts)
    if any(name.endswith(".in") and f"{name[:-3]}.txt" not in names for name in names):
        names = (*names, *(name for name in names_below(root) if facts.is_written_afar(name)))
    assignment = assign(names, facts, asked=asked, pylock=pylock)
    declared = any(part.declared for part in assignment.parts)
    finder = _Finder(project, Library(project, variables=variables, declared=declared))
    for part in assignment.parts:
        coming = _to_come(part, facts)
        known = part if coming is None else replace(part, folder="")
        finder.add_part(known, header=coming or facts.header(part.lock))
    if declared:
        said = read_declared(facts.text(PYPROJECT) or "")
        if said is not None and said.dynamic:
            finder.problems.append(_DYNAMIC)
        finder.problems += _of_another_tool(said)
    for gathering in assignment.gatherings:
        finder.add_gathering(gathering)
    for name in assignment.constraints:
        finder.add(name, role=Role.CONSTRAINTS, constraint=True)
    for part in assignment.parts:
        for name in facts.reached(part.lock):
            finder.add(name, role=Role.INCLUDED, group=part.group)
    finder.add_included()
    finder.parse(with_locks=with_locks)
    found = finder.result()
    if not declared:
        found = replace(found, problems=(*found.problems, *_passed_over(found, facts)))
    return found


def _passed_over(scan: Scan, facts: Facts) -> Iterator[Problem]:
    """That dependencies of a pyproject.toml are not read, where no requirement brings them either.

    The file that wins may name the project itself, by ``-e .`` say.
    """
    text = facts.text(PYPROJECT) or ""
    winner = next((each for each in scan.sources if each.group == DEFAULT and each.paths), None)
    if winner is None or "dependencies" not in text:
        return
    said = read_declared(text)
    root = str(scan.project.root)
    named = [
        line.requirement.source
        for file in scan.files
        for line in (file.parsed.requirements if file.parsed else ())
    ]
    itself = any(isinstance(each, DirectorySource) and each.path == root for each in named)
    if said is None or itself or not said.groups.get(DEFAULT, ParsedFile(path="")).requirements:
        return
    shown = scan.project.display(winner.paths[0])
    yield Problem(
        code="pyproject-passed-over",
        message=f"{shown} says what the project needs, and [project] dependencies are not read.",
        severity=Severity.NOTE,
        path=PYPROJECT,
        why="A requirements file wins. A line -e . in it brings them, too.",
    )


def _to_come(part: Part, facts: Facts) -> LockHeader | None:
    """The header of a lock that is not there yet, where pip-compile is configured to write one."""
    if part.declared or facts.exists(part.lock) or not part.lock.endswith(".txt"):
        return None
    words = configured_words(facts.text)
    if not words:
        return None
    options = sorted([*words, f"--output-file={part.lock}"])
    command = shlex.join(["pip-compile", *options, *part.sources])
    return LockHeader(text="", tool="pip-compile", command=command)


def _of_another_tool(said: Declared | None) -> list[Problem]:
    return [
        Problem(
            code="table-passed-over",
            message=f"[tool.uv] {key} is not read: uv may pin other versions.",
            severity=Severity.NOTE,
            why=OF_UV[key],
            **line_of(at),
        )
        for key, at in (said.passed_over.items() if said is not None else ())
    ]


_DYNAMIC = Problem(
    code="dependencies-dynamic",
    message="The dependencies are dynamic: only a build tells them, so that there is no default.",
    severity=Severity.NOTE,
    path=PYPROJECT,
    why='[project] dynamic has "dependencies". A requirements.in with the line -e . brings them.',
)


def _all_of(said: Declared | None) -> ParsedFile:
    """All groups of a pyproject.toml as one file."""
    groups = said.groups.values() if said is not None else ()
    return ParsedFile(
        path=PYPROJECT,
        lines=tuple(dict.fromkeys(line for group in groups for line in group.lines)),
        errors=tuple(dict.fromkeys(error for group in groups for error in group.errors)),
    )


def _text(project: Project, path: Path, size: int) -> str | None:
    """The first ``size`` bytes of a file, all where that is negative; None where it is none."""
    try:
        content = project.read(path, first=None if size < 0 else size)
        return content.decode("utf-8", errors="replace")
    except OSError:
        return None


def _under(root: Path, name: str) -> Path:
    """``name`` below ``root``, or beside it where it begins with ``..``."""
    return Path(os.path.normpath(root / name))


class _Finder:
    """Collects the files of one project in the order they are reported."""

    def __init__(self, project: Project, library: Library) -> None:
        self._project = project
        self._library = library
        self._files: dict[Path, ScannedFile] = {}
        self._sources: list[SourceFile] = []
        self._gatherings: list[Gathering] = []
        self.problems: list[Problem] = []
        self._faults: dict[str, list[Problem]] = {}

    def add(
        self, name: str, *, role: Role, group: str | None = None, lock: Path | None = None,
        header: LockHeader | None = None, constraint: bool = False,
    ) -> None:  # fmt: skip
        """Adds one file, unless it is there already."""
        path = _under(self._project.root, name)
        file = ScannedFile(
            path=path, role=role, group=group, lock=lock, header=header, constraint=constraint
        )
        self._files.setdefault(path, file)

    def add_part(self, part: Part, *, header: LockHeader | None) -> None:
        """Adds a group's source, and its lock where that exists."""
        root = self._project.root
        lock = root / part.lock
        for source in part.sources:
            self.add(source, role=Role.SOURCE, group=part.group, lock=lock)
        if lock.is_file():
            self.add(part.lock, role=Role.LOCK, group=part.group, header=header)
        self._sources.append(
            SourceFile(
                group=part.group,
                paths=tuple(_under(root, source) for source in part.sources),
                lock=lock,
                header=header,
                folder=None if part.folder is None else _under(root, part.folder),
                declared=part.declared,
                compiled=part.compiled,
                former=root / part.former if part.former else None,
                inner=part.inner,
            )
        )
        self._tell(part.note, part.sources[0] if part.sources else part.lock)

    def add_gathering(self, gathering: Gathering) -> None:
        """Adds a file that only includes others."""
        self.add(gathering.source, role=Role.SOURCE, group=gathering.group)
        self._gatherings.append(gathering)
        self._tell(gathering.note, gathering.source)

    def _tell(self, note: str | None, path: str) -> None:
        if note:
            renamed = Problem(code="group-renamed", message=note, severity=Severity.NOTE, path=path)
            self.problems.append(renamed)

    def add_included(self) -> None:
        """Adds what the files so far include, and gathers the faults of the includes."""
        for source in self._sources:
            for limit in source.limits:
                self.add(str(limit), role=Role.INCLUDED, group=source.group, constraint=True)
        to_come = {
            str(source.lock): tuple(map(str, source.paths))
            for source in self._sources
            if source.paths and not source.lock.exists()
        }
        for start in [file for file in self._files.values() if file.role is not Role.LOCK]:
            # Here every file that is named counts, locks included; those to come stand for sources.
            follower = Follower(self._library.load, stand_ins=to_come)
            try:
                for visit in follower.follow(str(start.path)):
                    path = local_path(visit.location)
                    if path is not None and visit.line is None:
                        constraint = visit.constraint
                        self.add(path, role=Role.INCLUDED, group=start.group, constraint=constraint)
                    elif visit.constraint and visit.line is not None:
                        self._check_constraint(visit.location, visit.line)
            except RequirementsError as error:
                self._note(error.problems)
            self._note(follower.problems)

    def parse(self, *, with_locks: bool) -> None:
        """Puts its contents into every file."""
        for path, file in self._files.items():
            if is_pylock(path.name):
                parsed = ParsedFile(path=self._project.display(path))
                self._files[path] = replace(file, parsed=parsed if with_locks else None)
            elif file.role is not Role.LOCK or with_locks:
                self._files[path] = replace(file, parsed=self._complete(path))

    def result(self) -> Scan:
        """The scan."""
        errors = [
            error for file in self._files.values() if file.parsed for error in file.parsed.errors
        ]
        return Scan(
            project=self._project,
            files=tuple(self._files.values()),
            sources=tuple(self._sources),
            problems=(*errors, *self.problems),
            gatherings=tuple(self._gatherings),
        )

    def _complete(self, path: Path) -> ParsedFile:
        """The file with the faults that only following its includes could show."""
        shown = self._project.display(path)
        try:
            parsed = self._library.load(str(path))
        except RequirementsError as error:
            return ParsedFile(path=shown, errors=error.problems)
        faults = dict.fromkeys([*parsed.errors, *self._faults.get(shown, ())])
        bad = {fault.line for fault in faults if fault.code == "constraint-editable"}
        lines = tuple(line for line in parsed.lines if line.origin.line not in bad)
        errors = tuple(sorted(faults, key=lambda fault: fault.line or 0))
        return replace(parsed, lines=lines, errors=errors)

    def _check_constraint(self, location: str, line: ParsedLine) -> None:
        """Notes an editable in a file of constraints only; in a source it is a good line."""
        file = self._files.get(Path(local_path(location) or location))
        if file is None or not file.constraint:
            return
        if isinstance(line, RequirementLine) and line.editable:
            self._note(filter(None, [not_a_constraint(line)]))

    def _note(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._faults.setdefault(problem.path or "", []).append(problem)


def not_a_constraint(line: RequirementLine) -> Problem | None:
    """Why ``line`` can be no constraint, as pip has it; None if it can."""
    requirement = line.requirement
    if line.editable:
        code, message = "constraint-editable", "A constraint cannot be editable."
    elif requirement.name is None:
        code, message = "constraint-nameless", "A constraint must say a name."
    elif requirement.extras:
        code, message = "constraint-extras", "A constraint cannot have extras."
    else:
        return None
    why = "A -c names this file."
    return Problem(code=code, message=message, **line_of(line.origin), why=why)
