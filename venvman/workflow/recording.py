"""An environment's history: what syncs and rollbacks came to, written down after them and read."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.environment.history import (
    Beside,
    History,
    RecordedLock,
    SnapshotEntry,
    State,
    WayBack,
    text_digest,
)
from venvman.environment.inventory import Installed, take_inventory
from venvman.environment.ledger import read_ledger
from venvman.lock.io import lock_files
from venvman.model.errors import InstallError
from venvman.model.frozen import dataclass
from venvman.model.sources import DirectorySource
from venvman.system.reading import read_regular
from venvman.system.repository import head_of
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from venvman.environment.inspection import Environment
    from venvman.lock.file import Lock, LockEntry
    from venvman.model.names import NormalizedName
    from venvman.outcomes import HistoryReport
    from venvman.project.project import Project
    from venvman.workflow.context import Context

FOUND = "found"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockText:
    """A lock that was chosen: ``path`` as recorded (see :class:`RecordedLock`), and its bytes."""

    group: str
    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What the chosen locks say that this interpreter installs.

    ``texts`` are the locks as they were read. ``keep`` names what else stays, besides the setting.
    ``target`` is the sequence of the recorded state that this is, where it is one.
    """

    groups: tuple[str, ...]
    locks: tuple[Lock, ...]
    entries: tuple[LockEntry, ...]
    texts: tuple[LockText, ...]
    keep: frozenset[NormalizedName] = frozenset()
    target: int | None = None


def read_texts(context: Context, locks: Sequence[tuple[str, Path]]) -> tuple[LockText, ...]:
    """The bytes of ``locks`` (group and path) and of what they include.

    One that cannot be read is left out.
    """
    texts: dict[Path, LockText] = {}
    for group, path in locks:
        with suppress(OSError):
            for file, content in lock_files(path):
                shown = context.project.display(file)
                texts.setdefault(file, LockText(group=group, path=shown, content=content))
    return tuple(texts.values())


def record(context: Context, environment: Environment, selected: Selected) -> None:
    """Writes down what ``environment`` holds now, unless just that is written down already.

    The caller holds the environment's lock. Never an error: a sync that is done stays done, and
    what is missing here is noticed by :func:`bring_up_to_date`.
    """
    history = History(environment.root)
    newest = history.newest()
    ledger = read_ledger(environment.root)
    if _is_recorded(newest, ledger.sequence, selected):
        return
    try:
        state = State(
            sequence=ledger.sequence,
            when=time.time(),
            by="sync" if selected.target is None else "rollback",
            target=selected.target,
            python=str(environment.interpreter.version),
            groups=selected.groups,
            locks=_locks(selected),
            snapshot=ledger.snapshot,
            beside=_beside(context, environment, selected.entries),
            revision=head_of(str(context.project.root)),
        )
        if newest is not None and newest.sequence == ledger.sequence:
            # The environment is as it was; only its locks' text is another.
            state = state._replace(when=newest.when, by=newest.by, target=newest.target)
        history.record(state, [each.content for each in selected.texts])
    except OSError as error:
        context.reporter.detail(f"The history could not be written: {error}")


def record_unchanged(context: Context, environment: Environment, selected: Selected) -> None:
    """The same after nothing was to be done, and without the lock; skipped while others have it."""
    from venvman.install.environmentlock import locked

    newest = History(environment.root).newest()
    if _is_recorded(newest, _sequence(environment), selected):
        return
    with (
        suppress(InstallError),
        locked(environment.root, context.directories, wait=0, reporter=context.reporter),
    ):
        record(context, environment, selected)


def note_missed(context: Context, environment: Environment) -> None:
    """Writes down what the environment holds, before it is changed, if nobody has.

    The caller holds the environment's lock. Costs one line of history where all is well.
    """
    last = History(environment.root).newest()
    if last is None or last.sequence != _sequence(environment):
        bring_up_to_date(context, environment, held=True)


def bring_up_to_date(
    context: Context, environment: Environment, *, held: bool = False
) -> tuple[State, ...]:
    """The recorded states, the newest first; that of now is among them.

    A killed command, or one without time for it, may have left it out: then it is written down,
    with the locks of the last state that held the same. ``held`` says that the caller holds the
    environment's lock. Who only looks writes nothing down.

    Raises:
        InstallError: the environment's lock cannot be had.
    """
    from venvman.install.environmentlock import locked

    history = History(environment.root)
    states = history.states()
    if states[:1] and states[0].sequence == _sequence(environment):
        return states
    if not states and not held:  # nothing was changed yet
        return ()
    directories = None if held or context.looks else context.directories
    with locked(environment.root, directories, reporter=context.reporter):
        ledger = read_ledger(environment.root)
        alike = (each for each in states if each.snapshot and each.snapshot == ledger.snapshot)
        known = next(alike, None)
        if known is not None and known is states[0]:
            return states
        state = State(
            sequence=ledger.sequence,
            when=_changed_at(environment),
            by=FOUND,
            python=str(environment.interpreter.version),
            groups=known.groups if known else (),
            locks=known.locks if known else (),
            snapshot=ledger.snapshot,
            beside=known.beside if known else _beside(context, environment, ()),
            revision=head_of(str(context.project.root)),
        )
        if not context.looks:
            with suppress(OSError):
                history.record(state)
        return (history.with_held(state), *states)


def _changed_at(environment: Environment) -> float:
    """When packages last came or went, however: the same for whoever looks, and whenever."""
    try:
        return max(folder.stat().st_mtime for folder in environment.site_folders)
    except (OSError, ValueError):
        return time.time()


def _is_recorded(newest: State | None, sequence: int, selected: Selected) -> bool:
    return newest is not None and (newest.sequence, newest.locks) == (sequence, _locks(selected))


def _locks(selected: Selected) -> tuple[RecordedLock, ...]:
    return tuple(
        RecordedLock(group=each.group, path=each.path, digest=text_digest(each.content))
        for each in selected.texts
    )


def _sequence(environment: Environment) -> int:
    return read_ledger(environment.root).sequence


def _beside(context: Context, environment: Environment, entries: Sequence[LockEntry]) -> Beside:
    """What the ledger does not know of all that is installed."""
    from venvman.drift import Extra, compare

    inventory = take_inventory(environment, seen=context.seen)
    ledger = read_ledger(environment.root)
    drift = compare(entries, inventory, root=context.project.root)
    extra = {each.name for each in drift.differences if isinstance(each, Extra)}
    locked = {entry.name for entry in entries}
    found: list[SnapshotEntry] = []
    sources: dict[str, str] = {}
    present: set[str] = set()
    for each in inventory.distributions:
        if each.name not in locked and each.name not in extra:
            continue  # pip, say, which is never drift
        source = _source(context, each)
        if ledger.known(ledger.info_of(each.metadata)) is not None:
            present.add(each.name)
            if source != "index":
                sources[each.name] = source
        else:
            version = None if each.version is None else str(each.version)
            found.append(SnapshotEntry(each.name, version, source, None, each.name in locked))
    known = {row.name for row in ledger.distributions.values()}
    return Beside(
        found=tuple(found),
        sources=sources,
        unlocked=tuple(sorted(present - locked)),
        left_out=tuple(sorted(known - present)),
    )


def _source(context: Context, installed: Installed) -> str:
    source = installed.source
    if isinstance(source, DirectorySource):
        shown = context.project.display(Path(source.path))
        return f"-e {shown}" if source.editable else shown
    return redact(str(source))


def history(context: Context) -> HistoryReport:
    """The states of the environment.

    Raises:
        EnvironmentUnusable: something that is no environment, or a broken one, is at its path.
    """
    from venvman.outcomes import HistoryReport, HistoryRow
    from venvman.workflow.location import tell_unfinished

    context = context.looking()
    path = context.environment_path
    tell_unfinished(context)
    environment = context.environment()
    if environment is None:
        return HistoryReport(project=context.project, environment=path, states=())
    states = bring_up_to_date(context, environment)
    numbers = {state.sequence: number for number, state in enumerate(states)}
    with context.open_store() as store:
        ways = _Ways(environment, holds=store.holds)
        row = tuple(
            HistoryRow(
                number=number,
                state=state,
                before=states[number + 1] if number + 1 < len(states) else None,
                target=None if state.target is None else numbers.get(state.target),
                ways=ways.of(state),
                on_disk=is_on_disk(context.project, state),
            )
            for number, state in enumerate(states)
        )
    return HistoryReport(project=context.project, environment=path, states=row)


class _Ways:
    """What the environment, its attic and the store have, asked once for each wheel."""

    def __init__(self, environment: Environment, *, holds: Callable[[str], bool]) -> None:
        from venvman.install.attic import Attic

        self._holds = holds
        found = take_inventory(environment).distributions
        self._present = {(each.name, str(each.version)) for each in found}
        entries = list(Attic(os.path.realpath(environment.root)).entries())
        self._attic = {(each.name, each.provenance.sha256) for each in entries}
        self._as_found = {
            (each.name, each.version) for each in entries if not each.provenance.sha256
        }
        self._store: dict[str, bool] = {}

    def of(self, state: State) -> dict[WayBack, int]:
        """Each way with how many distributions of ``state`` would take it, none left out."""
        ways = [self._way(each) for each in state.held]
        return {way: ways.count(way) for way in WayBack}

    def _way(self, held: SnapshotEntry) -> WayBack:
        if (held.name, str(held.version)) in self._present:
            return WayBack.PRESENT
        if held.wheel is None and (held.name, held.version) in self._as_found:
            return WayBack.ATTIC
        if held.wheel is None:
            return WayBack.FETCH if held.locked else WayBack.BY_HAND
        if (held.name, held.wheel) in self._attic:
            return WayBack.ATTIC
        if held.wheel not in self._store:
            self._store[held.wheel] = self._holds(held.wheel)
        return WayBack.STORE if self._store[held.wheel] else WayBack.FETCH


def is_on_disk(project: Project, state: State) -> bool:
    """Whether the locks that ``state`` was made from are those of the project now."""

    def digest(path: Path) -> str | None:
        try:
            return text_digest(read_regular(path))
        except OSError:
            return None

    return bool(state.locks) and all(
        digest(project.root / lock.path) == lock.digest for lock in state.locks
    )
