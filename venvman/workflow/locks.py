"""The project's locks as they are: read, and checked against their requirements."""

from __future__ import annotations

import contextlib
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from venvman.lock.file import applicable
from venvman.lock.freshness import (
    CachedCheck,
    Fresh,
    Stale,
    cached_of,
    check,
    elsewhere,
    read_cached,
    write_cached,
)
from venvman.lock.io import OVERWRITABLE, lock_bytes, read_lock, salvage_lock
from venvman.model.errors import Command, LockError, Problem, Severity, VenvmanError
from venvman.python.targets import is_covered
from venvman.system.secrets import line_of
from venvman.workflow.agreement import CheckedLock, in_agreement
from venvman.workflow.inputs import ALWAYS
from venvman.workflow.targeting import other_targets, wanted_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from venvman.environment.inventory import Installed
    from venvman.index.candidates import Candidate
    from venvman.index.client import Index
    from venvman.lock.file import Lock, LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.project.groups import Group, RequirementSet
    from venvman.workflow.context import Context


def read_group_lock(
    context: Context, path: Path, groups: Collection[str] | None = None
) -> Lock | None:
    """The lock at ``path``, parsed once for as long as its bytes are the same.

    Of one with several groups what ``groups`` install; None: its default groups.

    Raises:
        LockError: it cannot be read.
    """
    before = _bytes_of(path)
    key = path, None if groups is None else tuple(groups)
    known = context.parsed.get(key)
    if known is not None and known[0] == before:
        return known[1]
    root = context.project.root
    lock = read_lock(path, root=root, display=context.project.display(path), groups=groups)
    if lock is not None and before is not None and before == _bytes_of(path):
        context.parsed[key] = (before, lock)
    return lock


def readable_lock(context: Context, path: Path) -> Lock | None:
    """The same, for those to whom a lock that cannot be read is none."""
    try:
        return read_group_lock(context, path)
    except LockError:
        return None


def require_lock(context: Context, path: Path, groups: Collection[str] | None = None) -> Lock:
    """The lock at ``path``, which must be there, as :func:`read_group_lock` gives it.

    Raises:
        LockError: it is not, or cannot be read.
    """
    lock = read_group_lock(context, path, groups)
    if lock is None:
        raise LockError(
            f"There is no lock {context.project.display(path)}.",
            code="lock-missing",
            path=context.project.display(path),
            why="--frozen uses the lock as it is and never makes one.",
            fix=Command.venvman("freeze"),
        )
    return lock


def check_locks(
    context: Context,
    requirements: RequirementSet,
    target: Target,
    *,
    together: Collection[str] = ALWAYS,
    overwrite: bool = False,
    ask: bool = False,
    asked: Collection[str] | None = None,
) -> tuple[CheckedLock, ...]:
    """Every group's lock and whether it is fresh for ``target``; those ``together`` have to agree.

    Of groups that are neither ``asked`` for (None: all are) nor named by a ``-r`` or ``-c`` of
    those that are, only the fresh locks are given.

    An answer that is remembered for exactly these requirements and this lock is taken as it is.
    What the pins need is told by what is installed and by the caches, with ``ask`` by the index.
    With ``overwrite`` a lock that cannot be read is stale, and what it still says is a preference.

    Raises:
        LockError: a lock cannot be read; all problems of all locks at once.
    """
    if asked is not None:
        asked = _with_named(requirements.groups, asked)
    groups = [
        each
        for each in requirements.groups
        if asked is None or each.name in asked or readable_lock(context, each.lock) is not None
    ]
    locks, faulty = _read_all(context, groups, overwrite=overwrite)
    cached = read_cached(context.fresh_locks)
    targets = wanted_targets(context, locks.values(), target)
    checked = tuple(
        CheckedLock(
            group=group, lock=locks[group.name], freshness=Stale(reasons=faulty[group.name])
        )
        if group.name in faulty
        else _checked(context, group, locks[group.name], target, targets, cached, requirements, ask)
        for group in groups
    )
    known = [
        replace(each, asked=asked is None or each.group.name in asked)
        for each in in_agreement(context, checked, target, together)
    ]
    return tuple(each for each in known if each.asked or not isinstance(each.freshness, Stale))


def _with_named(groups: Sequence[Group], asked: Collection[str]) -> Collection[str]:
    """``asked``, and the groups whose locks their files name by ``-r`` or ``-c``."""
    found = {*asked}
    named = {lock for each in groups if each.name in found for lock in each.named_locks}
    more = {each.name for each in groups if each.lock in named} - found
    return _with_named(groups, found | more) if more else found


def stale_reasons(checked: Iterable[CheckedLock]) -> tuple[Problem, ...]:
    """Why locks are stale, as errors, all groups together."""
    return tuple(
        replace(reason, severity=Severity.ERROR)
        for each in checked
        if isinstance(each.freshness, Stale)
        for reason in each.freshness.reasons
    )


def remember(context: Context, groups: Iterable[Group], target: Target) -> None:
    """Keeps in the state folder that the groups' locks on disk are fresh; never an error."""
    known = read_cached(context.fresh_locks)
    found_fresh: dict[str, CachedCheck] = dict(known)
    root = context.project.root
    with contextlib.suppress(OSError, LockError):
        found = [(group, lock_bytes(group.lock)) for group in groups]
        locks = [read_group_lock(context, group.lock) for group, _ in found]
        targets = wanted_targets(context, locks, target)
        for group, content in found:
            record = cached_of(
                group,
                content,
                target,
                root=root,
                targets=targets,
                others=[other for other, _ in found if other is not group],
                overrides=context.overrides,
            )
            found_fresh[group.name] = record
        if found_fresh != known:
            write_cached(context.fresh_locks, found_fresh)


def _bytes_of(path: Path) -> bytes | None:
    try:
        return lock_bytes(path)
    except OSError:
        return None


def _read_all(
    context: Context, groups: Iterable[Group], *, overwrite: bool
) -> tuple[Mapping[str, Lock | None], Mapping[str, tuple[Problem, ...]]]:
    """Each group's lock, and of those that cannot be read, but may be overwritten, why not."""
    locks: dict[str, Lock | None] = {}
    faulty: dict[str, tuple[Problem, ...]] = {}
    errors: list[LockError] = []
    for group in groups:
        try:
            locks[group.name] = read_group_lock(context, group.lock)
        except LockError as error:
            if overwrite and error.code in OVERWRITABLE:
                locks[group.name] = salvage_lock(group.lock)
                faulty[group.name] = error.problems
            else:
                errors.append(error)
    if errors:
        problems = [problem for error in errors for problem in error.problems]
        raise LockError(errors[0].message, code=errors[0].code, problems=problems)
    return locks, faulty


def _checked(
    context: Context,
    group: Group,
    lock: Lock | None,
    target: Target,
    targets: tuple[Target, ...],
    records: Mapping[str, CachedCheck],
    requirements: RequirementSet,
    ask: bool,
) -> CheckedLock:
    root = context.project.root
    record = records.get(group.name)
    others = tuple(other for other in requirements.groups if other.name != group.name)
    overrides = context.overrides
    if lock is not None and record is not None:
        current = cached_of(
            group,
            lock_bytes(group.lock),
            target,
            root=root,
            targets=targets,
            others=others,
            overrides=overrides,
        )
        if current.digest == record.digest:
            fresh = Fresh(notes=elsewhere(lock, target, targets))
            return CheckedLock(group=group, lock=lock, freshness=fresh)
    if lock is not None:
        other = other_targets(context, group, lock, targets, target)
        if other is not None:
            return CheckedLock(group=group, lock=lock, freshness=Stale(reasons=(other,)))
    quick = check(
        group, lock, target=target, targets=targets, root=root, others=others, record=record
    )
    if targets:
        # Of what is for several targets, the one at hand is asked, else any.
        target = next((each for each in targets if is_covered(target, [each])), targets[0])
    here = ".".join(map(str, target.minor))
    foreign = not targets and lock is not None and lock.header.python not in {None, here}
    if lock is None or isinstance(quick, Stale):
        return CheckedLock(group=group, lock=lock, freshness=quick)
    # Not the lock that was found fresh last time: ask the pins themselves.
    with pinned(context, group, target, lock, ask=foreign or ask) as pins:
        unusable = tuple(pins.unusable(lock)) if foreign else ()
        online = check(
            group,
            lock,
            target=target,
            targets=targets,
            root=root,
            others=others,
            requires=pins.requires,
            overrides=overrides,
        )
    if isinstance(online, Fresh):
        online = quick  # the same, with the notes for the target at hand
    return CheckedLock(
        group=group,
        lock=lock,
        freshness=Stale(reasons=unusable) if unusable else online,
        unsure=pins.unsure,
    )


class Pinned:
    """Answers about pins, for one target; None where the answer is not at hand.

    ``installed`` gives the distributions that are there as they are locked. It is ``unsure`` once
    it had no answer.
    """

    def __init__(
        self,
        index: Index,
        target: Target,
        installed: Callable[[], Mapping[NormalizedName, Installed]],
    ) -> None:
        self._index = index
        self._target = target
        self._find_installed = installed
        self.unsure = False

    @cached_property
    def _installed(self) -> Mapping[NormalizedName, Installed]:
        return self._find_installed()

    def requires(self, entry: LockEntry) -> Sequence[str] | None:
        """The ``Requires-Dist`` lines of ``entry``."""
        from venvman.environment.inventory import metadata_of

        there = self._installed.get(entry.name)
        known = None if there is None else metadata_of(there)
        found = self._promised(entry) if known is None else known.requires
        self.unsure = self.unsure or found is None
        return found

    def _promised(self, entry: LockEntry) -> Sequence[str] | None:
        try:
            best = self._best(entry)
            metadata = None if best is None else self._index.metadata(best.file)
        except VenvmanError:
            return None
        return None if metadata is None else metadata.requires

    def unusable(self, lock: Lock) -> Iterator[Problem]:
        """A problem for every pin of which an index has files, and none for the target."""
        for entry in applicable(lock, self._target):
            try:
                gone = self._best(entry) is None and self._index.files(entry.name)
            except VenvmanError:
                continue
            if gone and entry.source.is_index:
                python = self._target.python
                yield Problem(
                    code="lock-pin-unusable",
                    message=f"{entry.name} {entry.version} has no file for Python {python} here.",
                    **line_of(entry.origin),
                    why="The lock was made for another Python.",
                    fix=Command.venvman("freeze"),
                )

    def _best(self, entry: LockEntry) -> Candidate | None:
        from venvman.index.candidates import Candidates

        if entry.version is None:
            return None
        project = self._index.project(entry.name)
        found = Candidates(project, target=self._target, options=self._index.options)
        return next(iter(found.at(entry.version)), None)


@contextmanager
def pinned(
    context: Context, group: Group, target: Target, lock: Lock, *, ask: bool
) -> Iterator[Pinned]:
    """Answers from the environment and this machine's caches; with ``ask`` from the index too."""
    options = context.index_options(group.options)
    index = context.open_index(replace(options, offline=options.offline or not ask))
    try:
        yield Pinned(index, target, partial(as_locked, context, lock, target))
    finally:
        index.close()


def as_locked(context: Context, lock: Lock, target: Target) -> Mapping[NormalizedName, Installed]:
    """What is installed and does not differ from its pin, by name."""
    from venvman.drift import Extra, compare
    from venvman.environment.inventory import take_inventory

    # A broken one says nothing; whoever makes it again need not hear that it is broken.
    environment = context.sound_environment()
    if environment is None or environment.interpreter.target.minor != target.minor:
        return {}
    inventory = take_inventory(environment, seen=context.seen)
    entries = tuple(applicable(lock, target))
    drift = compare(entries, inventory, root=context.project.root)
    differing = {each.name for each in drift.differences if not isinstance(each, Extra)}
    locked = {entry.name for entry in entries} - differing
    return {each.name: each for each in inventory.distributions if each.name in locked}
