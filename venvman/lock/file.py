"""Lock: the pins that an environment is made from, as values free of any text.

What one target installs of chosen locks is selected here. The text's grammar is written down in
``docs/reference/lockfile.md``. It is read by :mod:`venvman.lock.parse` and written by
:mod:`venvman.lock.render`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from venvman.model.errors import Command, LockError, Problem
from venvman.model.frozen import dataclass
from venvman.model.sources import (
    ArchiveSource,
    DirectorySource,
    IndexFile,
    IndexSource,
    Source,
    VcsSource,
)
from venvman.requirements.header import Annotations, LockHeader
from venvman.system.secrets import redact
from venvman.system.variables import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.markers import Marker
    from packaging.version import Version

    from venvman.model.errors import FileLine, Fix
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """One pin.

    ``version`` is None where the text has a direct URL and no version; ``exact`` says that it is
    pinned with ``===``. ``hashes`` are sorted ``sha256:<hex>``. ``via`` is sorted and holds what
    pip-compile writes: ``flask``, ``-r requirements.in``, ``-c constraints.txt``. Folders and local
    archives in ``source`` are relative to the project root unless they lie outside it (see
    :func:`located`). ``files`` are those of the release where the format names them, empty where
    an index is asked; they and ``origin`` do not take part in comparison.
    """

    name: NormalizedName
    version: Version | None
    exact: bool = False
    extras: frozenset[str] = frozenset()
    marker: Marker | None = None
    source: Source = field(default_factory=IndexSource)
    hashes: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    files: tuple[IndexFile, ...] = field(default=(), compare=False)
    origin: FileLine | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """``flask 2.0``; ``flask from URL`` where there is no version, without secrets."""
        from venvman.system.secrets import redact

        if self.version is None:
            return f"{self.name} from {redact(str(self.source))}"
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A whole lock.

    ``entries`` are in the order of :func:`sort_key`. ``options`` are its option lines as written
    (``--find-links ./wheels``). ``unpinned`` names what pip-compile without ``--allow-unsafe``
    mentions in a comment only (setuptools). ``includes`` are the files that it names by ``-r``:
    read from disk (:func:`venvman.lock.io.read_lock`), ``entries`` has their pins too, ``borrowed``
    the names of those. ``project`` is what its notes call the project whose pyproject.toml asks:
    ``shop (pyproject.toml)`` in the text is ``-r pyproject.toml`` in ``via``. ``environments``
    are those that it is for, one of which has to hold; empty where it does not say.
    """

    entries: tuple[LockEntry, ...]
    header: LockHeader
    options: tuple[str, ...] = ()
    annotations: Annotations = Annotations.SPLIT
    unpinned: tuple[NormalizedName, ...] = ()
    includes: tuple[str, ...] = ()
    borrowed: frozenset[NormalizedName] = frozenset()
    project: str | None = None
    environments: tuple[Marker, ...] = ()

    @property
    def own(self) -> tuple[LockEntry, ...]:
        """The pins of the file itself."""
        return tuple(each for each in self.entries if each.name not in self.borrowed)


def sort_key(entry: LockEntry) -> tuple[bool, str, str, str]:
    """pip-compile's order, editables first, then names; lines of one name by their markers."""
    return (
        not entry.source.editable,
        entry.name,
        str(entry.marker or ""),
        str(entry.version or ""),
    )


def located(
    source: Source, root: Path, *, variables: Mapping[str, str] = MappingProxyType({})
) -> Source:
    """``source`` as it is to be fetched: local paths absolute, ``${VAR}`` filled in.

    A variable that is not set stays as it is written.
    """
    if isinstance(source, DirectorySource):
        source = replace(source, path=expand(source.path, variables))
        if source.path.startswith("${"):
            return source
        return replace(source, path=_absolute(source.path, root))
    if isinstance(source, (ArchiveSource, VcsSource)):
        source = replace(source, url=expand(source.url, variables))
    if isinstance(source, ArchiveSource) and source.url.startswith("file:"):
        local = source.url.removeprefix("file:")
        if not local.startswith("/"):
            from urllib.parse import quote, unquote

            return replace(source, url="file://" + quote(_absolute(unquote(local), root)))
    return source


def _absolute(path: str, root: Path) -> str:
    import os

    return os.path.normpath(root / path).replace(os.sep, "/")


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
    others = [(path, lock.header) for path, lock in locks if lock.header.is_complete]
    remake = {path: header.remake for path, header in others if header.tool != "venvman"}
    problems = [problem for rows in chosen.values() for problem in _disagreements(rows, remake)]
    if problems:
        twice = all(each.code == "lock-pins-twice" for each in problems)
        message = "One lock has two pins of a name." if twice else "The locks disagree."
        raise LockError(message, code="lock-disagreement", problems=problems)
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


def _disagreements(rows: list[tuple[str, LockEntry]], remake: Mapping[str, Fix]) -> list[Problem]:
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
            fix=remake.get(path, Command.venvman("freeze")),
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
