"""RequirementSet: every requirement of a project, each with the file and line it comes from.

Reads the scanned source files with what they include, merges them into groups, and reports all the
problems of all the files at once.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Problem, RequirementsError, Severity, VenvmanError
from venvman.model.frozen import dataclass
from venvman.project.scan import Library, not_a_constraint
from venvman.requirements.file import RequirementLine, parse
from venvman.requirements.includes import KEEP_A_COPY, UNREACHABLE, Follower, Visit, local_path
from venvman.system.secrets import is_broken

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from venvman.model.options import ConstraintsFile, FileOptions
    from venvman.project.project import Project
    from venvman.project.scan import Scan, SourceFile
    from venvman.requirements.declared import Compiled
    from venvman.requirements.file import ParsedFile, Requirement
    from venvman.requirements.header import LockHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What the sources of one lock bring, includes followed.

    ``sources`` and ``lock`` are absolute paths (``lock`` need not exist). ``folder`` is where the
    command in the lock's header is run, None where there is none; ``limits`` are the constraints
    files that it names. ``header`` is the lock's, also of one to come (``[tool.pip-tools]``).
    ``included`` and ``limiting`` are the locks of other groups that a ``-r``
    and only a ``-c`` names. ``requirements`` and ``constraints`` keep the order of the files;
    ``outside`` are the last of the constraints, those of files that no file of the group names.
    ``options`` has an entry for the lock's command and one per file read, in order. ``files`` are
    the absolute paths of every local file read, the first source first. ``declared``: the source is
    the entry of that name in pyproject.toml; ``compiled`` as pip-compile can make its lock.
    """

    name: str
    sources: tuple[Path, ...]
    lock: Path
    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...] = ()
    outside: tuple[Requirement, ...] = ()
    options: tuple[FileOptions, ...] = ()
    files: tuple[Path, ...] = ()
    folder: Path | None = None
    limits: tuple[Path, ...] = ()
    header: LockHeader | None = None
    included: tuple[Path, ...] = ()
    limiting: tuple[Path, ...] = ()
    declared: bool = False
    compiled: Compiled | None = None

    @property
    def named_locks(self) -> tuple[Path, ...]:
        """The locks of other groups that its files name."""
        return (*self.included, *self.limiting)

    @property
    def lines(self) -> tuple[Requirement, ...]:
        """The requirements and constraints of its own files: those that its lock's notes name."""
        own = len(self.constraints) - len(self.outside)
        return (*self.requirements, *self.constraints[:own])


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """All groups of a project, ``default`` and ``dev`` first, the others by name.

    ``left_out`` is what is wrong with the files of groups that were not asked for, and that are
    not among ``groups`` therefore. ``unreached`` are the constraints on servers that do not answer:
    what is locked already can do without.
    """

    groups: tuple[Group, ...]
    left_out: tuple[Problem, ...] = ()
    unreached: tuple[Problem, ...] = ()

    def require_reached(self) -> None:
        """Whether all that limits what is to be frozen is known.

        Raises:
            RequirementsError: constraints on a server could not be had.
        """
        if self.unreached:
            raise RequirementsError.of(self.unreached)


def read_requirements(
    scan: Scan,
    *,
    variables: Mapping[str, str],
    fetch: Callable[[str], bytes] | None = None,
    limits: Sequence[ConstraintsFile] = (),
    asked: Collection[str] | None = None,
) -> RequirementSet:
    """Merges the sources of ``scan`` with all they include into groups.

    A ``-r`` or ``-c`` that names a lock of the project reads that lock's source instead; where the
    source is read as constraints, what cannot be one (an editable, a nameless URL, an extra) is
    left out. Groups whose lock was made from something else than a requirements file are not here.

    Args:
        scan: of one project; its root is the folder that ``-e .`` and ``./x`` count from.
        variables: what ``${NAME}`` may stand for.
        fetch: reads the ``http:`` URL of an included file; None refuses such includes. It may raise
            any :class:`VenvmanError`.
        limits: files of constraints for every group, which no file names.
        asked: the groups that have to be good; None for all. Others are left out if they are not.

    Raises:
        RequirementsError: one problem for every faulty line of every file read.
    """
    declared = any(source.declared for source in scan.sources)
    reader = _Reader(
        scan.project, scan.stand_ins, variables=variables, fetch=fetch, limits=limits,
        declared=declared,
    )  # fmt: skip
    sources = [source for source in scan.sources if source.paths]
    first = [each for each in sources if asked is None or each.group in asked]
    read = {source.group: reader.group(source) for source in first}
    reader.check()
    left_out: dict[Problem, None] = {}
    for source in sources:
        if source not in first:
            group = reader.group(source)
            problems = reader.taken()
            left_out.update(dict.fromkeys(problems))
            if not problems:
                read[source.group] = group
    groups = tuple(read[each.group] for each in sources if each.group in read)
    return RequirementSet(
        groups=groups, left_out=tuple(left_out), unreached=tuple(reader.unreached)
    )


def read_constraints(
    project: Project,
    files: Iterable[ConstraintsFile],
    *,
    variables: Mapping[str, str],
    fetch: Callable[[str], bytes] | None,
) -> tuple[Requirement, ...]:
    """The lines of files of constraints that no requirements file names.

    Raises:
        RequirementsError: one problem for every faulty line, and every file that is not there.
    """
    reader = _Reader(project, {}, variables=variables, fetch=fetch)
    found = tuple(reader.outside(files))
    reader.check()
    return found


class _Reader:
    """Reads groups one after the other, keeps every fault once."""

    def __init__(
        self, project: Project, stand_ins: Mapping[str, tuple[str, ...]], *,
        variables: Mapping[str, str],
        fetch: Callable[[str], bytes] | None, limits: Sequence[ConstraintsFile] = (),
        declared: bool = False,
    ) -> None:  # fmt: skip
        self._limits = limits
        self._library = Library(project, variables=variables, declared=declared)
        self._stand_ins = stand_ins
        self._variables = variables
        self._fetch = fetch
        self._fetched: set[str] = set()
        self._problems: dict[Problem, None] = {}
        self.unreached: dict[Problem, None] = {}

    def group(self, source: SourceFile) -> Group:
        """The group of ``source``, with the constraints that its lock's command names."""
        follower = Follower(self._load, stand_ins=self._stand_ins)
        requirements: list[Requirement] = []
        constraints: list[Requirement] = []
        options: list[FileOptions] = []
        # What the command of the lock says about indexes; the files come after it.
        said = source.header.index_lines if source.header is not None else ()
        if said:
            shown, folder = self._library.display(str(source.lock)), source.folder
            cwd = str(folder or source.lock.parent)
            command = parse("\n".join(said), path=shown, variables=self._variables, cwd=cwd)
            options.append(command.options)
        files: dict[Path, None] = {}
        for visit in self._visits(follower, source):
            if visit.line is None:
                options.append(visit.parsed.options)
                self._note(visit.parsed.errors)
                here = local_path(visit.location)
                if here is not None:
                    files[Path(here)] = None
            elif isinstance(visit.line, RequirementLine):
                if not visit.constraint:
                    requirements.append(visit.line.requirement)
                elif (constraint := self._constraint(visit.line, visit)) is not None:
                    constraints.append(constraint)
        locks = {
            Path(each): whole for each, whole in follower.locks.items() if Path(each) != source.lock
        }
        outside = tuple(self.outside(self._limits))
        self._note(follower.problems)
        return Group(
            name=source.group,
            sources=source.paths,
            lock=source.lock,
            requirements=tuple(requirements),
            constraints=(*constraints, *outside),
            outside=outside,
            options=tuple(options),
            files=tuple(files),
            folder=source.folder,
            limits=source.limits,
            header=source.header,
            declared=source.declared,
            compiled=source.compiled,
            included=tuple(path for path, whole in locks.items() if whole),
            limiting=tuple(path for path, whole in locks.items() if not whole),
        )

    def outside(self, files: Iterable[ConstraintsFile]) -> Iterator[Requirement]:
        """The lines of ``files``, which are no files of a group: no lock names them."""
        for file in files:
            try:
                self._load(file.location)
            except RequirementsError as error:
                self._note(_named_by(file, each) for each in error.problems)
                continue
            follower = Follower(self._load, stand_ins={})
            for visit in self._followed(follower, file.location):
                if visit.line is None:
                    self._note(visit.parsed.errors)
                elif isinstance(visit.line, RequirementLine):
                    limit = self._constraint(visit.line, replace(visit, constraint=True))
                    if limit is not None:
                        yield limit
            self._note(follower.problems)

    def check(self) -> None:
        """Raises :class:`RequirementsError` if anything was wrong."""
        errors = self.taken()
        if len(errors) == 1 and errors[0].line is None:
            raise RequirementsError.of(errors)
        if errors:
            count = "One line" if len(errors) == 1 else f"{len(errors)} lines"
            raise RequirementsError(
                f"{count} of the requirements files cannot be understood.",
                code="requirements-invalid",
                problems=errors,
            )

    def taken(self) -> list[Problem]:
        """The errors so far, which are then forgotten."""
        errors = [fault for fault in self._problems if fault.severity is Severity.ERROR]
        self._problems.clear()
        return errors

    def _visits(self, follower: Follower, source: SourceFile) -> Iterator[Visit]:
        if source.declared:
            parsed, place = self._library.declared(source.group), str(source.paths[0])
            begin = Visit(location=place, parsed=parsed, line=None, constraint=False, lenient=False)
            yield begin
            yield from (replace(begin, line=line) for line in parsed.lines)
            return
        for path in source.paths:
            yield from self._followed(follower, str(path))
        for path in source.limits:
            for visit in self._followed(follower, str(path)):
                yield replace(visit, constraint=True)

    def _followed(self, follower: Follower, location: str) -> list[Visit]:
        try:
            return list(follower.follow(location))
        except RequirementsError as error:
            self._note(error.problems)
            return []

    def _load(self, location: str) -> ParsedFile:
        if local_path(location) is not None or location in self._fetched:
            return self._library.load(location)
        shown = self._library.display(location)
        message = f"{shown} is included, but cannot be fetched."
        if self._fetch is None:
            why = "Nothing is fetched from the network here."
            raise RequirementsError(message, code="include-missing", path=shown, why=why)
        try:
            content = self._fetch(location)
        except VenvmanError as error:
            why = error.message
            raise RequirementsError(message, code=UNREACHABLE, path=shown, why=why) from error
        self._fetched.add(location)
        return self._library.add(location, content)

    def _constraint(self, line: RequirementLine, visit: Visit) -> Requirement | None:
        """``line`` as a constraint; None, with a fault where it was meant as one, if it is none.

        https://pip.pypa.io/en/stable/user_guide/#constraints-files: named, not editable, no extras.
        """
        requirement = replace(line.requirement, constraint=True)
        fault = not_a_constraint(line)
        if fault is None:
            return requirement
        if not visit.lenient:
            self._note([fault])
            return None
        if line.editable or requirement.name is None:
            return None
        return replace(requirement, extras=frozenset())

    def _note(self, problems: Iterable[Problem]) -> None:
        for each in problems:
            kept = self.unreached if each.code == "constraints-unreachable" else self._problems
            kept[each] = None


def _named_by(file: ConstraintsFile, problem: Problem) -> Problem:
    """``problem`` of the whole of ``file``, with who wants it."""
    if is_broken(file.location):
        return replace(
            problem,
            code="url-invalid",
            why=f"{file.where} names it; a user name or password in it must be "
            "percent-encoded, a port be a number.",
            fix=Advice(f"Correct {file.where}."),
        )
    if problem.code == UNREACHABLE:
        why = f"{file.where} names it as a file of constraints. {problem.why}"
        return replace(problem, code="constraints-unreachable", why=why, fix=KEEP_A_COPY)
    return replace(
        problem,
        code="constraints-missing",
        why=f"{file.where} names it as a file of constraints.",
        fix=Advice(f"Write the file, or correct {file.where}."),
    )
