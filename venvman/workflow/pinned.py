"""What the pins of a lock themselves require, as far as it can be known without much ado.

A lock that was stripped of extras cannot tell that an extra was added since, and one made for
another Python cannot tell what that Python's markers left out: the packages' own metadata can.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.errors import Command, Problem, VenvmanError
from venvman.sources import IndexSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvman.candidates import Candidate
    from venvman.index.client import Index
    from venvman.lock.file import Lock, LockEntry
    from venvman.requirements.groups import Group
    from venvman.target import Target
    from venvman.workflow.context import Context

__all__ = ["Pinned", "is_for_another_python", "pinned"]


class Pinned:
    """Answers about index pins, for one target; None where the answer is not at hand."""

    def __init__(self, index: Index, target: Target) -> None:
        self._index = index
        self._target = target

    def requires(self, entry: LockEntry) -> Sequence[str] | None:
        """The ``Requires-Dist`` lines of ``entry``."""
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
            if gone and isinstance(entry.source, IndexSource):
                yield _unusable(entry, self._target)

    def _best(self, entry: LockEntry) -> Candidate | None:
        from venvman.candidates import Candidates

        if entry.version is None:
            return None
        project = self._index.project(entry.name)
        found = Candidates(project, target=self._target, options=self._index.options)
        return next(iter(found.at(entry.version)), None)


@contextmanager
def pinned(context: Context, group: Group, target: Target, *, ask: bool) -> Iterator[Pinned]:
    """Answers from this machine's caches; with ``ask`` from the index too, unless offline."""
    options = context.index_options(group.options)
    index = context.open_index(replace(options, offline=options.offline or not ask))
    try:
        yield Pinned(index, target)
    finally:
        index.close()


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
