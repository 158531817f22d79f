"""``rollback``: the environment made what it was at a recorded state, as one transaction."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from packaging.version import Version

from venvman.environment.history import History, SnapshotEntry, State, text_digest
from venvman.environment.inventory import take_inventory
from venvman.install.attic import Attic
from venvman.lock.direct import parse_reference
from venvman.lock.file import LockEntry, select
from venvman.lock.io import check_writable, parse_text
from venvman.model.errors import (
    Advice,
    Command,
    ConfigurationError,
    LockError,
    Problem,
    Severity,
    VenvmanError,
)
from venvman.model.events import Stage, Stopwatch
from venvman.model.names import NormalizedName
from venvman.model.sources import IndexSource
from venvman.outcomes import RollbackOutcome
from venvman.system.files import write_atomically
from venvman.system.reading import read_regular
from venvman.workflow.inputs import load_requirements, open_scan
from venvman.workflow.location import Location, agree_on_location, find_location
from venvman.workflow.locks import check_locks, stale_reasons
from venvman.workflow.planning import OWN, plan_for
from venvman.workflow.recording import LockText, Selected, bring_up_to_date
from venvman.workflow.requests import SyncRequest
from venvman.workflow.syncing import SyncResult, SyncRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from venvman.workflow.context import Context


def rollback(
    context: Context,
    number: int,
    *,
    with_lock: bool,
    dry_run: bool,
    yes: bool,
    confirm: Callable[[str], bool] | None,
) -> RollbackOutcome:
    """Takes the environment back to a state of its history, which that becomes part of.

    ``number`` counts states back from now, which is 0. ``with_lock`` writes its locks, too.

    Raises:
        ConfigurationError: there is no such state.
        VenvmanError: anything that stops it; environment and locks are then as they were, but for
            a lock that cannot be written after the environment is done.
    """
    if dry_run:
        context = context.looking()
    watch = Stopwatch(context.reporter)
    with watch.stage(Stage.SCAN):
        scan = open_scan(context)
        if not context.looks:
            agree_on_location(context, yes=yes, confirm=confirm)
        location = find_location(context)
        states = bring_up_to_date(
            context, location.environment or context.require_environment("to take back")
        )
        state = _choose(context, states, number)
        texts = _texts(location, state)
        files = _files_to_write(context, texts, number, yes=yes) if with_lock else []
    with watch.stage(Stage.PLAN):
        selected = _selected(context, location, state, texts)
        wanted = SyncRequest(
            dry_run=dry_run, yes=yes, confirm=confirm, command=f"rollback {number}"
        )
        plan = plan_for(context, location, selected, wanted)
    result = SyncResult(location=location, plan=plan)
    if not dry_run:
        result = SyncRun(context, scan, wanted, watch).carry_out(location, selected, plan)
        _write(context, files)
    behind = tuple(path for path, content in _files(context, texts) if _differs(path, content))
    still = number if dry_run or not result.plan else 0
    return RollbackOutcome(
        project=context.project,
        environment=location.path,
        number=number,
        state=state,
        plan=result.plan,
        outcome=result.outcome,
        written=tuple(path for path, _ in files),
        behind=() if with_lock else behind,
        seconds=watch.seconds,
        problems=(
            *_by_hand(result, selected, state),
            *(() if with_lock else _undone(context, behind, still)),
            *(_stale(context, state) if files and not dry_run else ()),
        ),
    )


def _choose(context: Context, states: Sequence[State], number: int) -> State:
    if number < len(states):
        return states[number]
    shown = context.project.display(context.environment_path)
    if not states:
        raise ConfigurationError(
            f"{shown} has no history yet.",
            code="history-empty",
            path=shown,
            why="Every sync that changes something is recorded, from the first one on.",
            fix=Command.venvman("sync"),
        )
    lines = []
    for position, state in enumerate(states[:10]):
        when = datetime.fromtimestamp(state.when).astimezone().strftime("%Y-%m-%d %H:%M")
        now = " (now)" if position == 0 else ""
        lines.append(f"{position}{now}: {when}, {len(state.held)} packages")
    if len(states) > len(lines):
        lines.append(f"and so on to {len(states) - 1}")
    raise ConfigurationError(
        f"There is no state {number} in the history of {shown}.",
        code="history-no-such-state",
        path=shown,
        why="\n".join(["There are:", *lines]),
        fix=Command.venvman("history"),
    )


def _texts(location: Location, state: State) -> tuple[LockText, ...]:
    """The recorded locks of ``state``; all of them, or none where one is gone."""
    history = History(location.path)
    texts = []
    for lock in state.locks:
        content = history.text(lock.digest)
        if content is None:
            return ()
        texts.append(LockText(group=lock.group, path=lock.path, content=content))
    return tuple(texts)


def _selected(
    context: Context, location: Location, state: State, texts: Sequence[LockText]
) -> Selected:
    """What ``state`` had: by its locks, and else by the very files that it was installed from.

    What another tool had installed stays if it is still there, and comes back from the attic.
    """
    read = partial(parse_text, root=context.project.root, groups=state.groups)
    locks = [(each.path, read(each.content.decode(), path=each.path)) for each in texts]
    entries = select(locks, location.interpreter.target)
    locked = {entry.name for entry in entries}
    unlocked = [each for each in state.held if each.name not in locked]
    attic = Attic(os.path.realpath(location.path))
    entries = (*entries, *_entries_of(unlocked), *_as_found(unlocked, attic))
    return Selected(
        groups=state.groups,
        locks=tuple(lock for _, lock in locks),
        entries=entries,
        texts=tuple(texts),
        keep=frozenset(NormalizedName(each.name) for each in state.held)
        - {entry.name for entry in entries},
        target=state.sequence,
    )


def _entries_of(held: Sequence[SnapshotEntry]) -> tuple[LockEntry, ...]:
    """Pins of what came from an index, each by the one file that was installed; the project."""
    return tuple(
        LockEntry(
            name=NormalizedName(each.name),
            version=Version(each.version),
            hashes=(f"sha256:{each.wheel}",),
        )
        for each in held
        if each.source == "index" and each.wheel is not None and each.version is not None
    ) + tuple(
        LockEntry(name=NormalizedName(each.name), version=None, source=OWN)
        for each in held
        if each.locked and each.source == str(OWN)
    )


def _as_found(held: Sequence[SnapshotEntry], attic: Attic) -> Iterator[LockEntry]:
    """Pins of what another tool had installed and the attic has kept."""
    for each in held:
        if each.wheel is not None or each.version is None:
            continue
        if attic.as_found(each.name, each.version) is None:
            continue
        text = each.source.removeprefix("-e ")
        reference = parse_reference(text, editable=text != each.source)
        yield LockEntry(
            name=NormalizedName(each.name),
            version=Version(each.version),
            source=IndexSource() if reference is None else reference.source,
        )


def _files(context: Context, texts: Sequence[LockText]) -> list[tuple[Path, bytes]]:
    """Where the locks belong: inside the project, whatever the history says."""
    root = context.project.root
    named = [(root / each.path, each.content) for each in texts]
    return [
        (path, content) for path, content in named if path.resolve().is_relative_to(root.resolve())
    ]


def _files_to_write(
    context: Context, texts: Sequence[LockText], number: int, *, yes: bool
) -> list[tuple[Path, bytes]]:
    """The locks to put back, after a look at what lies there.

    Raises:
        LockError: none is recorded, or something else is in the way of one.
    """
    if not texts:
        raise LockError(
            f"State {number} has no lock to put back.",
            code="history-no-lock",
            why="It was found after a command that could not record it, or its lock is damaged.",
            fix=Command.venvman("rollback", str(number)),
        )
    files = [each for each in _files(context, texts) if _differs(*each)]
    for path, _ in files:
        if not _is_known(context, path):
            try:
                check_writable(path, display=context.project.display(path), yes=yes)
            except LockError as error:
                if error.code != "lock-in-the-way":
                    raise
                command = Command.venvman("rollback", str(number), "--with-lock", "--yes")
                problems = [replace(problem, fix=command) for problem in error.problems]
                raise LockError(error.message, code=error.code, problems=problems) from error
    return files


def _is_known(context: Context, path: Path) -> bool:
    """Whether what lies at ``path`` is in the history, so that it can be put back in turn."""
    history = History(context.environment_path)
    try:
        return history.text(text_digest(read_regular(path))) is not None
    except OSError:
        return False


def _write(context: Context, files: Sequence[tuple[Path, bytes]]) -> None:
    """Puts locks back in one step each; what is there keeps its line ends and mode."""
    for path, content in files:
        try:
            old = read_regular(path)
        except FileNotFoundError:
            old = content
        plain = content.replace(b"\r\n", b"\n")
        try:
            write_atomically(path, plain.replace(b"\n", b"\r\n") if b"\r\n" in old else plain)
        except OSError as error:
            shown = context.project.display(path)
            raise LockError(
                f"{shown} could not be written: {error.strerror}.",
                code="lock-unwritable",
                path=shown,
                why="The environment is taken back; its lock is not.",
                fix=Advice("Make it writable; `venvman rollback 0 --with-lock` then puts it back."),
            ) from error


def _differs(path: Path, content: bytes) -> bool:
    try:
        return text_digest(read_regular(path)) != text_digest(content)
    except OSError:
        return True


def _by_hand(result: SyncResult, selected: Selected, state: State) -> list[Problem]:
    """What somebody had installed beside the locks, and nothing knows how to bring back."""
    there = _versions(result)
    gone = [
        f"{each.name}=={each.version}"
        for each in state.held
        if each.name in selected.keep and there.get(each.name, "") != each.version
    ]
    if not gone:
        return []
    names = ", ".join(gone[:5]) + (", ..." if len(gone) > 5 else "")
    python = result.location.path / "bin" / "python"
    return [
        Problem(
            code="rollback-by-hand",
            message=f"Not brought back: {names}.",
            severity=Severity.WARNING,
            why="Installed by hand at that state: no lock says which file it was.",
            fix=Command.of(python, "-m", "pip", "install", *gone),
        )
    ]


def _versions(result: SyncResult) -> dict[str, str | None]:
    if result.location.environment is None:
        return {}
    found = take_inventory(result.location.environment).distributions
    return {each.name: None if each.version is None else str(each.version) for each in found}


def _undone(context: Context, behind: Sequence[Path], number: int) -> list[Problem]:
    if not behind:
        return []
    names = " and ".join(context.project.display(path) for path in behind)
    one = len(behind) == 1
    return [
        Problem(
            code="rollback-lock-differs",
            message=f"{names} {'is' if one else 'are'} not what that state was made from: "
            "the next sync would undo the rollback.",
            severity=Severity.WARNING,
            path=context.project.display(behind[0]),
            fix=Command.venvman("rollback", str(number), "--with-lock"),
        )
    ]


def _stale(context: Context, state: State) -> list[Problem]:
    """Whether requirements have moved on since: then the next sync freezes the locks anew."""
    try:
        requirements = load_requirements(context, open_scan(context))
        checked = check_locks(context, requirements, find_location(context).interpreter.target)
    except VenvmanError:
        return []
    names = {lock.group for lock in state.locks}
    reasons = stale_reasons([each for each in checked if each.group.name in names])
    if not reasons:
        return []
    return [
        Problem(
            code="rollback-requirements-differ",
            message="The requirements have changed since that state: "
            "the next sync would freeze its lock anew.",
            severity=Severity.WARNING,
            path=reasons[0].path,
            line=reasons[0].line,
            text=reasons[0].text,
            why=reasons[0].message,
            fix=Command.venvman("sync", "--frozen"),
        )
    ]
