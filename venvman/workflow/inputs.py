"""What the project asks for: its files scanned and merged, its groups chosen, its indexes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvman.model.errors import (
    Command,
    ConfigurationError,
    LockError,
    Problem,
    ProjectNotFound,
    RequirementsError,
    Severity,
)
from venvman.model.names import canonical
from venvman.model.pep508 import parse_marker, parse_override
from venvman.project.settings import Origin
from venvman.requirements.file import ParsedFile, parse
from venvman.requirements.multiuse import EVERY
from venvman.requirements.naming import DEFAULT, DEV, is_pylock
from venvman.system import records, seal
from venvman.system.reading import text_of
from venvman.system.secrets import redact
from venvman.workflow.requests import GroupChoice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.markers import Marker
    from packaging.requirements import Requirement as Override

    from venvman.lock.file import Lock
    from venvman.model.names import NormalizedName
    from venvman.model.options import FileOptions, IndexOptions
    from venvman.model.target import Target
    from venvman.project.groups import RequirementSet
    from venvman.project.scan import Scan, ScannedFile
    from venvman.requirements.file import Requirement
    from venvman.resolve.demand import Dependency
    from venvman.workflow.context import Context


ALWAYS = ("default", "dev")
"""The groups that are installed unless something else is said."""


def open_scan(context: Context, choice: GroupChoice | None = None) -> Scan:
    """The project's files; faults in them are in the scan, not raised.

    What ``choice`` and the configuration name is a group, even if it is only shared lines.
    """
    from venvman.project.scan import scan

    asked = {*(context.settings.groups.value or ())}
    if choice is not None:
        asked |= {*choice.extra, *choice.only, *choice.without}
    return scan(
        context.project, variables=context.variables, asked=asked, pylock=wants_pylock(context)
    )


def wants_pylock(context: Context) -> bool | None:
    """Whether locks are in the format of PEP 751; None where that is not said."""
    said = context.settings.lock_format.value
    return None if said is None else said.value == "pylock"


def overridden(context: Context, target: Target) -> Mapping[NormalizedName, tuple[Dependency, ...]]:
    """What stands for every requirement of a name; nothing where no override of it applies.

    Raises:
        RequirementsError: one of them cannot be read.
    """
    if not context.overrides:
        return {}
    from packaging.markers import Marker

    from venvman.engines.demands import read_overrides

    return read_overrides(
        context.overrides, lambda marker: target.applies(Marker(marker), extra="")
    )


def require_sources(context: Context, scan: Scan) -> None:
    """A project may be no more than a ``[tool.venvman]`` table; there is nothing to do then.

    Raises:
        ProjectNotFound: it has no requirements file and no lock.
    """
    if scan.sources or scan.problems:
        for each in scan.problems:
            if each.code.endswith("-passed-over") and not scan.sources[0].lock.exists():
                context.reporter.problem(each)
        return
    from venvman.project.find import instead

    root = context.project.root
    why, fix = instead(root)
    raise ProjectNotFound(
        f"There is no requirements file in {root}.",
        code="requirements-missing",
        path=str(root),
        why=why,
        fix=fix,
    )


def scan_projects(contexts: Sequence[Context]) -> tuple[tuple[Scan, Path], ...]:
    """Each project's scan, locks included, with its environment's absolute path."""
    from venvman.project.scan import scan

    return tuple(
        (
            _with_pylocks(
                context,
                scan(
                    context.project,
                    variables=context.variables,
                    with_locks=True,
                    pylock=wants_pylock(context),
                ),
            ),
            context.environment_path,
        )
        for context in contexts
    )


def _with_pylocks(context: Context, scan: Scan) -> Scan:
    """``scan`` with the pins of locks that are no requirements files, on their lines."""
    from venvman.lock.io import read_lock
    from venvman.lock.render import requirement_text

    def parsed(file: ScannedFile) -> ScannedFile:
        if not is_pylock(file.path.name):
            return file
        shown, root = context.project.display(file.path), context.project.root
        try:
            lock = read_lock(file.path, root=root, display=shown, groups=EVERY)
        except LockError as error:
            return replace(file, parsed=ParsedFile(path=shown, errors=error.problems))
        rows: dict[int, str] = {}
        for entry in lock.entries if lock is not None else ():
            hashes = "".join(f" --hash={each}" for each in entry.hashes)
            rows[entry.origin.line if entry.origin else 0] = requirement_text(entry) + hashes
        text = "\n".join(rows.get(number, "") for number in range(1, max(rows, default=0) + 1))
        return replace(file, parsed=parse(text, path=shown, variables={}, cwd=str(root)))

    files = tuple(map(parsed, scan.files))
    errors = [
        error
        for file in files
        if is_pylock(file.path.name) and file.parsed
        for error in file.parsed.errors
    ]
    return replace(scan, files=files, problems=(*scan.problems, *errors))


def load_requirements(
    context: Context, scan: Scan, asked: Collection[str] | None = None
) -> RequirementSet:
    """All groups of ``scan`` with what they include; files on servers are read through the index.

    Those that are not ``asked`` for (None: all are) are left out where something is wrong with
    them.

    Raises:
        RequirementsError: every faulty line of every file.
    """
    from venvman.project.groups import read_requirements

    found = read_requirements(
        scan,
        variables=context.variables,
        fetch=context.fetch,
        limits=context.constraint_files,
        asked=asked,
    )
    if not context.overrides:
        return found
    groups = tuple(
        replace(group, requirements=tuple(_in_place(context, group.requirements)))
        for group in found.groups
    )
    return replace(found, groups=groups)


def _in_place(context: Context, lines: Iterable[Requirement]) -> Iterator[Requirement]:
    """``lines`` less what is left out, with what takes the place of others."""
    instead: dict[NormalizedName, list[Override]] = {}
    for text in context.overrides:
        name, other = parse_override(text)
        instead.setdefault(name, []).extend([] if other is None else [other])
    for line in lines:
        if line.name is None or line.name not in instead:
            yield line
            continue
        for other in instead[line.name]:
            itself = canonical(other.name) == line.name
            said = itself or other.specifier or other.url
            text = str(other) if said else f"{other}{line.specifier}"
            [read] = parse(text, path=line.origin.path, variables={}).requirements
            yield replace(
                line,
                name=read.requirement.name,
                spelled=read.requirement.spelled,
                extras=line.extras | read.requirement.extras,
                specifier=read.requirement.specifier,
                marker=_both(line.marker, read.requirement.marker),
                source=read.requirement.source,
                hashes=(),
                raw=read.requirement.raw if other.url else line.raw,
            )


def _both(one: Marker | None, other: Marker | None) -> Marker | None:
    return parse_marker(f"({one}) and ({other})") if one and other else one or other


def tell_left_out(context: Context, requirements: RequirementSet) -> None:
    """Warns of what is wrong with groups that nobody asked for, and of unknown limits."""
    for problem in (*requirements.left_out, *requirements.unreached):
        context.reporter.problem(replace(problem, severity=Severity.WARNING))


def limits_of(context: Context) -> Iterator[str]:
    """The constraints files that no file of the project names, with what they include."""
    from venvman.project.scan import Library
    from venvman.requirements.includes import Follower

    library = Library(context.project, variables=context.variables)
    for file in context.constraint_files:
        yield file.location
        with suppress(RequirementsError):
            for visit in Follower(library.load, stand_ins={}).follow(file.location):
                yield visit.location


def choose_groups(context: Context, scan: Scan, choice: GroupChoice) -> tuple[str, ...]:
    """The names of the groups to install, in the order of the scan; each has a lock of its own.

    Raises:
        ConfigurationError: a group that the project does not have.
    """
    known, configured = scan.groups, context.settings.groups.value
    wanted = _wanted(scan, choice, configured)
    unknown = sorted({*wanted, *choice.without} - {*known})
    if choice.recalled:
        wanted = wanted.intersection(known) or _wanted(scan, GroupChoice(), configured)
    elif unknown:
        raise ConfigurationError(
            f"The project has no group {', '.join(map(repr, unknown))}.",
            code="group-unknown",
            why=f"Its groups are {', '.join(known) or 'none'}.",
            fix=Command.venvman("scan"),
        )
    wanted = wanted.difference(choice.without)
    members = {member for group in wanted for member in scan.members(group)}
    return tuple(source.group for source in scan.sources if source.group in members)


def none_chosen(scan: Scan, chosen: Sequence[str]) -> tuple[Problem, ...]:
    """That there are groups, and none of them is ``chosen``: an empty environment surprises."""
    if chosen or not scan.groups:
        return ()
    named = ", ".join(scan.groups)
    return (
        Problem(
            code="no-group-chosen",
            message=f"No group is chosen, so nothing is installed; there are: {named}.",
            severity=Severity.NOTE,
            why=f"Only {' and '.join(ALWAYS)} are installed unasked.",
            fix=Command.venvman("sync", "--group", scan.groups[0]),
        ),
    )


def _wanted(scan: Scan, choice: GroupChoice, configured: Sequence[str] | None) -> set[str]:
    if choice.everything:
        return set(scan.groups) - ({DEV} if not choice.dev else set())
    if choice.only:
        return set(choice.only)
    usual = set(configured or ())
    inner = [each.inner for each in scan.sources if each.inner is not None]
    if configured is None:
        usual = {*ALWAYS}.intersection(scan.groups) - {each.name for each in inner}
        # Of a lock with several groups the file says which are its default groups.
        lock_of = usual | {*choice.extra}
        usual |= {each.name for each in inner if each.unasked and each.beside in lock_of}
    if not choice.dev:
        usual.discard(DEV)
    return usual | set(choice.extra)


def sync_options(context: Context, scan: Scan, locks: Sequence[Lock]) -> IndexOptions:
    """Where sync fetches from: this machine's configuration, then what sources and locks say."""
    from venvman.project.roles import Role

    said = [
        file.parsed.options
        for file in scan.files
        if file.parsed is not None and file.role is not Role.LOCK
    ]
    said += [_options_of(lock, context, scan) for lock in locks]
    return context.index_options(tuple(said))


def _options_of(lock: Lock, context: Context, scan: Scan) -> FileOptions:
    parsed = parse("\n".join(lock.options), path="lock", variables=context.variables)
    broken = [each for each in parsed.errors if each.code == "url-invalid"]
    if broken:
        raise LockError(
            broken[0].message,
            code="url-invalid",
            problems=[_at_its_line(each, context, scan) for each in broken],
        )
    return parsed.options


def _at_its_line(problem: Problem, context: Context, scan: Scan) -> Problem:
    """``problem`` of an option, at the line of the lock that has it."""
    for source in scan.sources:
        for number, line in enumerate(text_of(source.lock).splitlines(), start=1):
            if redact(line.strip()) == problem.text:
                return replace(problem, path=context.project.display(source.lock), line=number)
    return replace(problem, path=None, line=None)


_FILE, _KIND = "groups.json", "groups 1"
_SAID = ("extra", "only", "without", "everything", "dev")


def choice_file(context: Context) -> Path:
    """Where the choice is kept: it goes with the environment."""
    return context.environment_path / seal.STATE / _FILE


def recall_groups(context: Context, choice: GroupChoice) -> GroupChoice:
    """``choice``, or where it says nothing the one that was made last.

    Not where the variable VENVMAN_GROUPS says what is wanted this time.
    """
    if choice != GroupChoice() or context.settings.groups.origin is Origin.VARIABLE:
        return choice
    known = _kept(context)
    return choice if known is None else GroupChoice(**known, recalled=True)


def keep_groups(context: Context, choice: GroupChoice) -> None:
    """Remembers ``choice`` where it says something; never an error."""
    said = {name: getattr(choice, name) for name in _SAID}
    with suppress(OSError):
        if choice.usual:
            choice_file(context).unlink()
        elif choice not in (GroupChoice(), GroupChoice(recalled=True)) and _kept(context) != said:
            records.write(str(context.environment_path), _FILE, _KIND, said)


def _kept(context: Context) -> dict[str, Any] | None:
    known: dict[str, Any] | None = records.read(str(context.environment_path), _FILE, _KIND)
    return known


def with_groups(context: Context, groups: Sequence[str]) -> GroupChoice:
    """The choice that was made last, and ``groups`` too."""
    base = recall_groups(context, GroupChoice())
    configured = context.settings.groups.value
    usual = {DEFAULT, *((DEV,) if base.dev else ())} if configured is None else {*configured}
    held = {*base.only} if base.only else {*base.extra, *usual} - {*base.without}
    new = tuple(each for each in groups if each not in held and not base.everything)
    without = tuple(each for each in base.without if each not in groups)
    if base.only:
        return replace(base, without=without, only=(*base.only, *new))
    return replace(base, without=without, extra=(*base.extra, *new))
