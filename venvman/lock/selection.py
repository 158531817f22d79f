"""Selection: the entries of chosen locks that one target installs. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.model.errors import Command, LockError, Problem
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvman.lock.file import Lock, LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target


def applicable(lock: Lock, target: Target) -> tuple[LockEntry, ...]:
    """The entries of ``lock`` whose marker holds on ``target``, in its order."""
    return tuple(entry for entry in lock.entries if target.applies(entry.marker))


def select(locks: Sequence[tuple[str, Lock]], target: Target) -> tuple[LockEntry, ...]:
    """What ``locks`` (each with its path for messages) say that ``target`` installs, by name.

    A name may stand on several lines with markers that exclude each other, and in several locks;
    what applies must agree in version and source. Extras, hashes and ``via`` are then united.

    Raises:
        LockError: ``lock-disagreement``, one problem for each name, with both places;
            ``lock-for-others``: a lock says that it is not for ``target``.
    """
    for path, lock in locks:
        for problem in not_for(target, lock, path):
            raise LockError.of([problem])
    chosen: dict[NormalizedName, list[tuple[str, LockEntry]]] = defaultdict(list)
    for path, lock in locks:
        for entry in applicable(lock, target):
            chosen[entry.name].append((path, entry))
    problems = [problem for rows in chosen.values() for problem in _disagreements(rows)]
    if problems:
        raise LockError("The locks disagree.", code="lock-disagreement", problems=problems)
    return tuple(_united([entry for _, entry in chosen[name]]) for name in sorted(chosen))


def not_for(target: Target, lock: Lock, path: str) -> Iterator[Problem]:
    """That ``lock`` says that it is for others than ``target``."""
    if lock.environments and not any(map(target.applies, lock.environments)):
        yield Problem(
            code="lock-for-others",
            message=f"{path} is not for Python {target.python} here.",
            path=path,
            why=f"It says what it is for: {' or '.join(map(str, lock.environments))}.",
            fix=lock.header.remake,
        )


def _disagreements(rows: list[tuple[str, LockEntry]]) -> list[Problem]:
    first_path, first = rows[0]
    return [
        Problem(
            code="lock-pins-twice" if path == first_path else "lock-disagreement",
            message=(
                f"{_at(path, entry)} pins {entry}, but {_at(first_path, first)} pins {first}."
            ),
            path=path,
            line=entry.origin.line if entry.origin else None,
            text=redact(entry.origin.text) if entry.origin else None,
            why="One environment holds one version of a distribution"
            + (
                "."
                if path == first_path
                else ": groups that cannot live together are synced apart."
            ),
            fix=Command.venvman("freeze"),
        )
        for path, entry in rows[1:]
        if (entry.version, entry.source) != (first.version, first.source)
    ]


def _at(path: str, entry: LockEntry) -> str:
    return f"{path}:{entry.origin.line}" if entry.origin else path


def _united(entries: list[LockEntry]) -> LockEntry:
    if len(entries) == 1:
        return entries[0]
    # Where the hashes stand: a lock that has none does not have them now.
    first = next((each for each in entries if each.hashes), entries[0])
    return replace(
        first,
        extras=frozenset().union(*(entry.extras for entry in entries)),
        hashes=tuple(sorted({value for entry in entries for value in entry.hashes})),
        via=tuple(sorted({name for entry in entries for name in entry.via})),
    )
