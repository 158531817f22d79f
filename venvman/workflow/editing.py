"""``add``, ``remove``, ``upgrade``: sources or pins changed, frozen, written, and synced."""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from venvman.lock.edges import build_graph
from venvman.model.errors import (
    Advice,
    Command,
    LockError,
    Problem,
    RequirementsError,
    Severity,
    VenvmanError,
)
from venvman.model.frozen import dataclass
from venvman.model.graph import Graph, chains_to, closure
from venvman.model.names import NormalizedName, canonical
from venvman.outcomes import EditOutcome, FileEdit, SyncOutcome, UpgradeOutcome
from venvman.requirements.edit import EditKind
from venvman.workflow import syncing
from venvman.workflow.forward import freeze_forward
from venvman.workflow.graphing import read_locked
from venvman.workflow.inputs import load_requirements, open_scan, with_groups
from venvman.workflow.location import find_location
from venvman.workflow.requests import FreezeRequest, LockPolicy, SyncRequest
from venvman.workflow.sourcetexts import SourceFiles, parse_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from venvman.project.project import Project
    from venvman.requirements.file import RequirementLine
    from venvman.workflow.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What follows an edit: ``freeze``, and then ``sync``; with ``dry_run`` not even the edit.

    ``confirm`` asks the person a question; None where there is nobody to ask.
    """

    freeze: bool = True
    sync: bool = True
    dry_run: bool = False
    yes: bool = False
    confirm: Callable[[str], bool] | None = None


def add(
    context: Context,
    requirements: Sequence[str],
    editables: Sequence[str],
    *,
    group: str,
    after: After,
) -> EditOutcome:
    """Puts lines into the source file of ``group``, then freezes and syncs.

    ``requirements`` and ``editables`` as typed; paths in them count from the working directory. A
    group that has no source file yet gets one beside the others'.

    Raises:
        RequirementsError: a requirement or a file that cannot be understood; all faults at once.
        VenvmanError: what freezing raises; nothing has been written then. Or syncing: the file and
            its lock then stay as they are now.
    """
    from venvman.requirements.edit import Wanted, add

    files = _files(context)
    lines = parse_lines(context, requirements, editables)
    _refuse_twice([files.name_of(line) for line in lines])
    home = files.source_of(group)
    for line in lines:
        wanted = Wanted(line=line, name=files.name_of(line))
        # A file that the source includes, and that nobody else has, is edited where the line is.
        path = files.place_of(wanted, group) or home
        files.refuse(wanted, path)
        files.edit(path, partial(add, wanted=wanted), group=group)
    outcome = EditOutcome(project=context.project, files=files.edits(), written=False)
    return _follow(context, outcome, files, after, groups=(group,))


def _refuse_twice(names: Sequence[NormalizedName | None]) -> None:
    """The last of two requirements for one package would win without a word."""
    twice = sorted({name for name in names if name is not None and names.count(name) > 1})
    if twice:
        raise RequirementsError(
            f"{_listed(twice)} {'is' if len(twice) == 1 else 'are'} asked for more than once.",
            code="requirement-twice",
            why="A requirements file has one line for a package.",
            fix=Advice("Say in one requirement all that it must meet, as in 'six>=1,<2'."),
        )


def remove(
    context: Context, names: Sequence[str], *, group: str | None, after: After
) -> EditOutcome:
    """Takes the lines of ``names`` out of their files, then freezes and syncs.

    ``names`` as typed: names, or the folders and URLs of lines that have none. ``group`` None takes
    them out of every group.

    Raises:
        RequirementsError: no source file has such a line; says which are alike, and what brings the
            package if it is locked all the same. Every name at once.
        VenvmanError: as :func:`add`.
    """
    from venvman.requirements.edit import remove

    files = _files(context)
    paths = files.all_of(group)
    wanted = [files.meaning_of(name) for name in names]
    graph = _graph(context)
    missing = [
        each.typed
        for each in wanted
        if not any(each.matches(*one) for one in files.lines(paths, group))
    ]
    if missing:
        known = sorted({name for _, name in files.lines(paths, group) if name is not None})
        problems = [_unknown(name, known, graph) for name in missing]
        raise RequirementsError(
            problems[0].message if len(problems) == 1 else "No source file asks for these.",
            code="requirement-unknown",
            problems=problems,
        )

    def gone(line: RequirementLine, name: NormalizedName | None) -> bool:
        return any(each.matches(line, name) for each in wanted)

    for path in paths:
        files.edit(path, lambda source: remove(source, gone), group=group)
    edits = tuple(each for each in files.edits() if each.changed)
    leaving, staying = _consequences(graph, edits, context.project)
    outcome = EditOutcome(
        project=context.project, files=edits, written=False, leaving=leaving, staying=staying
    )
    return _follow(context, outcome, files, after, groups=())


def upgrade(
    context: Context,
    names: Sequence[str],
    *,
    sync: bool,
    dry_run: bool,
    yes: bool,
    confirm: Callable[[str], bool] | None,
) -> UpgradeOutcome:
    """Moves the pins of ``names`` (as typed; none: of all) forward, then syncs if that is wanted.

    Raises:
        LockError: a name that no lock holds; says which are alike. Every name at once.
        VenvmanError: as freezing and syncing raise.
    """
    frozen = freeze_forward(context, FreezeRequest(dry_run=dry_run, yes=yes), names)
    if dry_run or not sync:
        return UpgradeOutcome(frozen=frozen)
    # It was frozen a moment ago: nothing is to be checked again.
    after = SyncRequest(locks=LockPolicy.FROZEN, yes=yes, confirm=confirm)
    return UpgradeOutcome(frozen=frozen, synced=syncing.sync(context, after))


def _files(context: Context) -> SourceFiles:
    """The project's source files, once all of them are understood as they are.

    Raises:
        RequirementsError: every fault that was there before.
    """
    scan = open_scan(context)
    load_requirements(context, scan)
    return SourceFiles(context, scan)


def _follow(
    context: Context,
    outcome: EditOutcome,
    files: SourceFiles,
    after: After,
    *,
    groups: tuple[str, ...],
) -> EditOutcome:
    """Freezes, writes and syncs, as far as ``after`` goes."""
    if after.dry_run:
        return outcome
    from venvman.workflow.freezing import freeze

    changed = [each for each in outcome.files if each.changed]
    # Nobody sees the files before the locks are there, too: a kill at any moment leaves both.
    drafted = replace(context, project=replace(context.project, drafts=files.contents(changed)))
    frozen = None
    if after.freeze:
        wanted = with_groups(context, groups)
        frozen = freeze(drafted, FreezeRequest(groups=wanted, yes=after.yes, confirm=after.confirm))
    else:
        drafted.project.write({})
    outcome = replace(outcome, written=bool(changed), frozen=frozen)
    if frozen is None or not after.sync:
        return outcome
    return replace(outcome, synced=_sync(context, outcome, after, groups))


def _sync(
    context: Context, outcome: EditOutcome, after: After, groups: tuple[str, ...]
) -> SyncOutcome:
    request = SyncRequest(
        groups=with_groups(context, groups),
        locks=LockPolicy.FROZEN,  # it was frozen a moment ago
        yes=after.yes or _emptied_on_purpose(context, outcome),
        confirm=after.confirm,
    )
    try:
        return syncing.sync(context, request)
    except VenvmanError:
        if outcome.written:
            names = ", ".join(context.project.display(each.path) for each in outcome.files)
            context.reporter.problem(
                Problem(
                    code="edited-not-synced",
                    severity=Severity.NOTE,
                    message=f"{names} and the lock are changed; the environment is not.",
                    fix=Advice("Once that is fixed, run `venvman sync`."),
                )
            )
        raise


def _emptied_on_purpose(context: Context, outcome: EditOutcome) -> bool:
    """Whether the last requirement was just removed: then nobody need ask about an empty lock."""
    kinds = {edit.kind for file in outcome.files for edit in file.edits}
    locks = outcome.frozen.locks if outcome.frozen else ()
    if kinds != {EditKind.REMOVED} or any(each.lock.entries for each in locks):
        return False
    location = find_location(context)
    return location.environment is not None and location.environment.made_by_venvman


def _graph(context: Context) -> Graph | None:
    """The graph of the locks; None where there is no lock, or one that cannot be read."""
    try:
        locked = read_locked(context)
    except LockError:
        return None
    return build_graph(
        locked.groups, target=locked.target, root=context.project.root, requires=lambda _: None
    )


def _unknown(typed: str, known: Sequence[str], graph: Graph | None) -> Problem:
    name = canonical(typed)
    message = f"No requirements file asks for {typed}."
    if graph is not None and name in graph.packages:
        parents = [str(edge.parent) for edge in graph.needed_by.get(name, ())] or ["something"]
        chains = chains_to(graph, name, limit=1).chains
        where = f" ({chains[0].asking.path}:{chains[0].asking.line})" if chains else ""
        return Problem(
            code="requirement-unknown",
            message=message,
            why=f"{_listed(parents)} {'bring' if len(parents) > 1 else 'brings'} it{where}.",
            fix=Command.venvman("why", name),
        )
    near = difflib.get_close_matches(name, known, n=3)
    return Problem(
        code="requirement-unknown",
        message=message,
        why=f"Those that are alike: {', '.join(near)}." if near else None,
        fix=None if near else Command.venvman("scan"),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _consequences(
    graph: Graph | None, edits: Sequence[FileEdit], project: Project
) -> tuple[
    tuple[NormalizedName, ...], tuple[tuple[NormalizedName, tuple[NormalizedName, ...]], ...]
]:
    """What leaves the lock with the removed lines, and what stays because others need it."""
    if graph is None:
        return (), ()
    lines = {(project.display(file.path), edit.line) for file in edits for edit in file.edits}
    names = {edit.name for file in edits for edit in file.edits if edit.name is not None}
    left = [each.name for each in graph.askings if (each.path, each.line) not in lines]
    alive = closure(graph, left)
    leaving = closure(graph, names & graph.packages.keys()) - alive
    staying = tuple(
        (name, tuple(edge.parent for edge in graph.needed_by.get(name, ()) if edge.parent in alive))
        for name in sorted(names & alive)
    )
    return tuple(sorted(leaving - names)), staying
