"""``tree`` and ``why``: the dependency graph of the locks; no network, no environment needed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.environment.inventory import Installed, metadata_of, take_inventory
from venvman.index.cache import Entries
from venvman.index.metadata import METADATA_FOLDER, remembered
from venvman.lock.edges import LockedGroup, build_graph
from venvman.model.errors import Command, EnvironmentUnusable, LockError, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.model.graph import Graph, chains_to, closure, forest, part_of
from venvman.model.metadata import parse_metadata
from venvman.model.names import NormalizedName, canonical
from venvman.model.pep508 import parse_override
from venvman.outcomes import TreeOutcome, WhyOutcome
from venvman.project.localproject import project_name
from venvman.system.reading import read_regular
from venvman.workflow.inputs import choose_groups, load_requirements, open_scan, tell_left_out
from venvman.workflow.locks import check_locks, read_group_lock, stale_reasons
from venvman.workflow.requests import GroupChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

    from venvman.lock.file import LockEntry
    from venvman.model.target import Target
    from venvman.project.groups import RequirementSet
    from venvman.project.scan import Scan
    from venvman.store.store import Store
    from venvman.workflow.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """The locks as they are, with the requirements they were made from.

    ``problems`` are warnings: a lock that is missing while others are there, or stale.
    """

    scan: Scan
    requirements: RequirementSet
    target: Target
    groups: tuple[LockedGroup, ...]
    problems: tuple[Problem, ...] = ()


def tree(
    context: Context,
    names: Sequence[str] = (),
    *,
    groups: Sequence[str] = (),
    invert: bool = False,
    depth: int | None = None,
) -> TreeOutcome:
    """The graph, and the trees to draw of it, of ``groups`` (none: of all that have a lock).

    ``names`` (as typed) are the roots, all lines of source files without; ``depth`` counts levels
    of packages from 1, None is all of them.

    Raises:
        LockError: there is no lock, it cannot be read, or it has no package of that name.
        VenvmanError: requirements that cannot be read, a group that does not exist.
    """
    context = context.looking()
    locked, graph = _open_graph(context, groups)
    roots = tuple(known_name(graph, name, locked) for name in names)
    branches = forest(graph, roots, invert=invert, depth=depth)
    if roots:
        graph = part_of(graph, closure(graph, roots, invert=invert))
    return TreeOutcome(
        project=context.project,
        graph=graph,
        branches=branches,
        invert=invert,
        problems=locked.problems,
    )


def why(
    context: Context, names: Sequence[str], *, groups: Sequence[str] = (), limit: int = 100
) -> WhyOutcome:
    """Every chain of requirements that brings each of ``names`` in, at most ``limit`` for each.

    Raises:
        VenvmanError: as :func:`tree`.
    """
    context = context.looking()
    locked, graph = _open_graph(context, groups)
    wanted = tuple(dict.fromkeys(known_name(graph, name, locked) for name in names))
    return WhyOutcome(
        project=context.project,
        graph=part_of(graph, closure(graph, wanted, invert=True)),
        reasons=tuple(chains_to(graph, name, limit=limit) for name in wanted),
        limits=tuple(
            dict.fromkeys(
                line
                for group in locked.requirements.groups
                for line in group.constraints
                if line.name in wanted and locked.target.applies(line.marker)
            )
        ),
        problems=locked.problems,
    )


def read_locked(context: Context, groups: Sequence[str] = ()) -> Locked:
    """Reads requirements and locks of ``groups`` (none named: of all that have a lock).

    Raises:
        LockError: none of them has a lock, or one cannot be read.
        VenvmanError: as :func:`tree`.
    """
    choice = GroupChoice(only=tuple(groups))
    scan = open_scan(context, choice)
    asked = choose_groups(context, scan, choice)
    requirements = load_requirements(context, scan, asked)
    tell_left_out(context, requirements)
    by_name = {group.name: group for group in requirements.groups}
    target = _target(context)
    found: list[LockedGroup] = []
    absent: list[Path] = []
    for source in scan.sources:
        if groups and source.group not in asked:
            continue
        used = source.chosen(asked if groups else (source.group,))
        lock = read_group_lock(context, source.lock, used)
        if lock is not None:
            group = by_name.get(source.group)
            found.append(LockedGroup(name=source.group, lock=lock, requirements=group))
        elif source.group in asked:  # nobody makes locks of the others
            absent.append(source.lock)
    missing = [_missing(context, absent, groups)] if absent else []
    if missing and not found:
        raise LockError(missing[0].message, code="lock-missing", problems=missing)
    here = {group.name for group in found}
    part = replace(
        requirements, groups=tuple(each for each in requirements.groups if each.name in here)
    )
    stale = _stale(context, part, target)
    warnings = [replace(each, severity=Severity.WARNING) for each in (*missing, *stale)]
    return Locked(
        scan=scan,
        requirements=requirements,
        target=target,
        groups=tuple(found),
        problems=tuple(warnings),
    )


def known_name(graph: Graph, name: str, locked: Locked) -> NormalizedName:
    """The package of ``graph`` that ``name`` means.

    Raises:
        LockError: there is none; names that look like it are proposed.
    """
    import difflib

    wanted = canonical(name.partition("[")[0])
    if wanted in graph.packages:
        return wanted
    if wanted == project_name(locked.scan.project.root):
        raise LockError(
            f"{wanted} is this project itself: nothing asks for it.",
            code="package-is-project",
            path="pyproject.toml",
            why="What it asks for, `venvman tree` shows.",
            fix=Command.venvman("tree"),
        )
    groups = ", ".join(group.name for group in locked.groups)
    near = difflib.get_close_matches(wanted, list(graph.packages), n=3)
    raise LockError(
        f"{wanted} is not locked.",
        code="package-not-locked",
        why=f"Similar names that are: {', '.join(near)}."
        if near
        else f"The locks of {groups} have no such package.",
        fix=None if near else Command.venvman("tree"),
    )


class KnownMetadata:
    """``Requires-Dist`` lines of pins: from the environment, the store, or an index's metadata.

    Asks no network. A callable for :func:`venvman.lock.edges.build_graph`; a context manager.
    """

    def __init__(self, context: Context) -> None:
        self._known: dict[LockEntry, tuple[str, ...] | None] = {}
        self._installed = _installed(context)
        self._store: Store = context.open_store()
        folder = context.directories.cache / METADATA_FOLDER
        self._entries: Entries = Entries(folder, reporter=context.reporter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def __call__(self, entry: LockEntry) -> tuple[str, ...] | None:
        """The lines; None where nothing is known."""
        if entry not in self._known:
            self._known[entry] = self._find(entry)
        return self._known[entry]

    def _find(self, entry: LockEntry) -> tuple[str, ...] | None:
        installed = self._installed.get(entry.name)
        if installed is not None and entry.version in {None, installed.version}:
            found = metadata_of(installed)
            if found is not None:
                return found.requires
        stored = self._stored(entry.hashes)
        if stored is not None:
            return stored
        found = remembered(self._entries, entry.hashes)
        return None if found is None else found.requires

    def _stored(self, hashes: Iterable[str]) -> tuple[str, ...] | None:
        """From an unpacked wheel: any file of a release has the same dependencies, mostly."""
        for each in hashes:
            wheel = self._store.get(each.removeprefix("sha256:"))
            for path in sorted(wheel.folder.glob("*.dist-info/METADATA")) if wheel else ():
                return parse_metadata(read_regular(path)).requires
        return None


def _open_graph(context: Context, groups: Sequence[str]) -> tuple[Locked, Graph]:
    locked = read_locked(context, groups)
    with KnownMetadata(context) as requires:
        graph = build_graph(
            locked.groups,
            target=locked.target,
            root=context.project.root,
            requires=_with_replacements(context, requires),
        )
    return locked, graph


def _with_replacements(
    context: Context, requires: Callable[[LockEntry], Sequence[str] | None]
) -> Callable[[LockEntry], Sequence[str] | None]:
    """``requires`` with what takes the place of others, and without what is left out."""
    instead = dict(map(parse_override, (each for each in context.overrides if "->" in each)))
    if not instead:
        return requires

    def replaced(line: str) -> str | None:
        match = re.match(r"\s*([A-Za-z0-9._-]+)", line)
        name = canonical(match[1]) if match else None
        if match is None or name is None or name not in instead:
            return line
        other = instead[name]
        if other is None or other.specifier or other.url:
            return None if other is None else str(other)
        return f"{other.name}{line[match.end() :]}"

    def lines(entry: LockEntry) -> Sequence[str] | None:
        found = requires(entry)
        return None if found is None else [each for each in map(replaced, found) if each]

    return lines


def _target(context: Context) -> Target:
    """Whose markers count: the environment's Python, or the one that it would get."""
    from venvman.python.interpreters import running
    from venvman.workflow.location import interpreter_to_be

    there = context.sound_environment()
    if there is not None:
        return there.interpreter.target
    try:
        return interpreter_to_be(context).target
    except EnvironmentUnusable:
        return running(directories=context.directories).target


def _missing(context: Context, locks: Sequence[Path], groups: Sequence[str]) -> Problem:
    shown = [context.project.display(each) for each in locks]
    named = [word for group in groups for word in ("--group", group)]
    return Problem(
        code="lock-missing",
        message=f"There is no lock {' nor '.join(shown)} yet.",
        path=shown[0],
        fix=Command.venvman("freeze", *named),
    )


def _stale(context: Context, requirements: RequirementSet, target: Target) -> list[Problem]:
    """One warning for all stale locks: what is shown is what they say, not what they should."""
    reasons = stale_reasons(check_locks(context, requirements, target))
    if not reasons:
        return []
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return [
        Problem(
            code="lock-stale",
            message="The lock is out of date with its requirements.",
            why=f"{reasons[0].message.removesuffix('.')}{more}.",
            fix=Command.venvman("freeze"),
        )
    ]


def _installed(context: Context) -> Mapping[NormalizedName, Installed]:
    """What the environment holds; nothing where there is none that can be read."""
    found = context.sound_environment()
    if found is None:
        return {}
    return {each.name: each for each in take_inventory(found).distributions}
