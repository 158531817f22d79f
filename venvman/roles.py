"""Which part each file of a project plays (the table in DESIGN 4.1, row by row). Pure.

Takes the names found and a function that reads a file's header; gives every source with its group
and its lock, and the files that are locks or constraints. Paths are relative to the root, POSIX.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from venvman.frozen import dataclass
from venvman.lock.header import named_sources
from venvman.naming import DEFAULT, DEV, FOLDER, group_of, is_constraints, is_default, stem_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from venvman.lock.header import LockHeader

__all__ = ["Assignment", "Part", "Role", "assign", "in_order"]


class Role(str, Enum):
    """What a file is to its project."""

    SOURCE = "source"
    LOCK = "lock"
    CONSTRAINTS = "constraints"
    INCLUDED = "included"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One group: its source (None for a lock made from something else) and its lock.

    ``lock`` need not exist. ``note`` says what about the name was not plain, for people.
    """

    group: str
    source: str | None
    lock: str
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Every group, ``default`` and ``dev`` first, and the constraints files."""

    parts: tuple[Part, ...]
    constraints: tuple[str, ...]


def assign(
    names: Sequence[str],
    *,
    header_of: Callable[[str], LockHeader | None],
    exists: Callable[[str], bool],
) -> Assignment:
    """Gives each of ``names`` (the ``.in`` and ``.txt`` files of a root) its part.

    Args:
        names: relative paths, of the root and of its ``requirements`` folder.
        header_of: reads the header of one of them.
        exists: whether a relative path is a file.
    """
    table = _Table()
    rest: list[str] = []
    for name in names:
        (table.constraints if is_constraints(name) else rest).append(name)
    inputs = {name for name in rest if name.endswith(".in") and group_of(name, beside=names)}
    for name in [each for each in rest if each.endswith(".txt")]:
        if f"{name[:-4]}.in" in inputs:
            table.locks[name] = f"{name[:-4]}.in"
        elif (header := header_of(name)) is not None and header.is_compiled:
            table.locks[name] = _made_from(name, header, exists=exists)
    table.sources = [each for each in rest if each not in table.locks]
    return Assignment(
        parts=in_order(_parts(table, names)), constraints=tuple(sorted(table.constraints))
    )


def in_order(parts: Sequence[Part]) -> tuple[Part, ...]:
    """``default``, ``dev``, the others by name."""
    return tuple(sorted(parts, key=lambda part: _rank(part.group)))


@dataclass(slots=True)
class _Table:
    """The rows filled so far; ``locks`` maps each lock to its source, None for another kind."""

    constraints: list[str] = field(default_factory=list)
    locks: dict[str, str | None] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)


def _rank(group: str) -> tuple[bool, bool, str]:
    return group != DEFAULT, group != DEV, group


def _made_from(lock: str, header: LockHeader, *, exists: Callable[[str], bool]) -> str | None:
    """The one requirements file that the header's command names, if it is there.

    Commands run in the root as a rule, some in the lock's folder. Several sources, or
    pyproject.toml, make a lock that is synced as it is.
    """
    named = [name.removeprefix("./") for name in named_sources(header)]
    if len(named) != 1 or not named[0].endswith((".in", ".txt")) or named[0].startswith("/"):
        return None
    folder = lock.rpartition("/")[0]
    beside = f"{folder}/{named[0]}" if folder else named[0]
    for candidate in (named[0], beside):
        if candidate != lock and exists(candidate):
            return candidate
    return None


def _parts(table: _Table, names: Sequence[str]) -> list[Part]:
    lock_of = {source: lock for lock, source in reversed(table.locks.items()) if source}
    # The lock beside its source wins over one that only its header ties to it.
    pairs = [(source, lock) for lock, source in table.locks.items() if source]
    lock_of.update(pair for pair in pairs if stem_of(pair[0])[:2] == stem_of(pair[1])[:2])
    orphans = [lock for lock, source in table.locks.items() if not source]
    orphans += [lock for lock, source in table.locks.items() if source and lock_of[source] != lock]
    groups = _Groups(names)
    default = _default_source(table, orphans)
    parts = [] if default is None else [_part(groups, default, lock_of, group=DEFAULT)]
    parts += [_orphan(groups, lock) for lock in sorted(orphans)]
    named = [each for each in table.sources if each != default and group_of(each, beside=names)]
    parts += [_part(groups, source, lock_of) for source in sorted(named, key=_preference)]
    # Sources whose name says nothing, but a lock's header names them: src/deps.in, say.
    others = sorted(set(lock_of) - {default, *named, *table.locks})
    parts += [_part(groups, each, lock_of, named_after=lock_of[each]) for each in others]
    return parts


def _default_source(table: _Table, orphans: list[str]) -> str | None:
    if any(is_default(lock) in {0, 1} for lock in orphans):
        return None
    ranked = [(rank, name) for name in table.sources if (rank := is_default(name)) is not None]
    return min(ranked)[1] if ranked else None


def _preference(source: str) -> tuple[bool, int, str]:
    """Which of two sources keeps a group's name: the root's before the folder's, in table order."""
    folder, stem, _ = stem_of(source)
    spellings = ("requirements-", "requirements_", "requirements.")
    rank = next((i for i, prefix in enumerate(spellings) if stem.startswith(prefix)), 3)
    return bool(folder), rank, source


def _part(
    groups: _Groups, source: str, lock_of: dict[str, str], *, group: str | None = None,
    named_after: str | None = None,
) -> Part:  # fmt: skip
    name, note = groups.take(named_after or source, wish=group)
    ending = ".txt" if source.endswith(".in") else ".lock"
    lock = lock_of.get(source) or source.rpartition(".")[0] + ending
    return Part(group=name, source=source, lock=lock, note=note)


def _orphan(groups: _Groups, lock: str) -> Part:
    name, note = groups.take(lock, wish=DEFAULT if is_default(lock) in {0, 1} else None)
    return Part(group=name, source=None, lock=lock, note=note)


class _Groups:
    """Hands out group names, each once."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._taken: dict[str, str] = {}

    def take(self, path: str, *, wish: str | None) -> tuple[str, str | None]:
        """A free name for the group of ``path``, and what to tell if it is not the plain one."""
        folder, stem, _ = stem_of(path)
        first = wish or group_of(path, beside=self._names) or stem.lower()
        others = [stem.lower(), f"{folder or FOLDER}-{stem}".lower().replace("/", "-")]
        others += [f"{first}-{number}" for number in range(2, 2 + len(self._names))]
        for name in (first, *others):
            if name not in self._taken:
                note = None
                if name != first:
                    note = f"{path} is group {name}, because {self._taken[first]} is {first}."
                self._taken[name] = path
                return name, note
        raise AssertionError(path)  # more names are offered than there are files
