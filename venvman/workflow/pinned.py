"""What the pins of a lock themselves require, as far as it can be known without much ado.

A lock that was stripped of extras cannot tell that an extra was added since, and one made for
another Python cannot tell what that Python's markers left out: the packages' own metadata can.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from venvman.errors import Command, Problem, VenvmanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from venvman.candidates import Candidate
    from venvman.environment.inventory import Installed
    from venvman.index.client import Index
    from venvman.lock.file import Lock, LockEntry
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Group
    from venvman.target import Target
    from venvman.workflow.context import Context


class Pinned:
    """Answers about pins, for one target; None where the answer is not at hand.

    ``installed`` gives the distributions that are there as they are locked.
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

    @cached_property
    def _installed(self) -> Mapping[NormalizedName, Installed]:
        return self._find_installed()

    def requires(self, entry: LockEntry) -> Sequence[str] | None:
        """The ``Requires-Dist`` lines of ``entry``."""
        from venvman.environment.inventory import metadata_of

        there = self._installed.get(entry.name)
        known = None if there is None else metadata_of(there)
        return self._promised(entry) if known is None else known.requires

    def _promised(self, entry: LockEntry) -> Sequence[str] | None:
        try:
            best = self._best(entry)
            metadata = None if best is None else self._index.metadata(best.file)
        except VenvmanError:
            return None
        return None if metadata is None else metadata.requires

    def unusable(self, lock: Lock) -> Iterator[Problem]:
        """A problem for every pin of which an index has files, and none for the target."""
        from venvman.lock.selection import applicable

        for entry in applicable(lock, self._target):
            try:
                gone = self._best(entry) is None and self._index.files(entry.name)
            except VenvmanError:
                continue
            if gone and entry.source.is_index:
                yield _unusable(entry, self._target)

    def _best(self, entry: LockEntry) -> Candidate | None:
        from venvman.candidates import Candidates

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
        yield Pinned(index, target, partial(_as_locked, context, lock, target))
    finally:
        index.close()


def _as_locked(context: Context, lock: Lock, target: Target) -> Mapping[NormalizedName, Installed]:
    """What is installed and does not differ from its pin, by name."""
    from venvman.drift import Extra, compare
    from venvman.environment.inspection import Environment, inspect
    from venvman.environment.inventory import take_inventory
    from venvman.environment.lifecycle import locate
    from venvman.lock.selection import applicable

    location = locate(context.project, context.settings)
    environment = inspect(location, directories=context.directories)
    # A broken one says nothing; whoever makes it again need not hear that it is broken.
    if not isinstance(environment, Environment):
        return {}
    if environment.interpreter.target.minor != target.minor:
        return {}
    inventory = take_inventory(environment, seen=context.seen)
    entries = tuple(applicable(lock, target))
    drift = compare(entries, inventory, root=context.project.root)
    differing = {each.name for each in drift.differences if not isinstance(each, Extra)}
    locked = {entry.name for entry in entries} - differing
    return {each.name: each for each in inventory.distributions if each.name in locked}


def is_for_another_python(lock: Lock, target: Target) -> bool:
    """Whether the lock's header names another minor version than ``target``'s."""
    return lock.header.python not in {None, ".".join(map(str, target.minor))}


def _unusable(entry: LockEntry, target: Target) -> Problem:
    origin = entry.origin
    return Problem(
        code="lock-pin-unusable",
        message=f"{entry.name} {entry.version} has no file for Python {target.python} here.",
        path=origin.path if origin else None,
        line=origin.line if origin else None,
        text=origin.text if origin else None,
        why="The lock was made for another Python.",
        fix=Command.venvman("freeze"),
    )
