"""Who asks for each pin of a group's lock, in pip-compile's words: ``-r requirements.in``."""

from __future__ import annotations

import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.engines.command import relative
from venvman.frozen import dataclass
from venvman.requirements.includes import includes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.lock.file import Lock
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Group
    from venvman.requirements.requirement import Requirement

__all__ = ["IncludedLock", "OwnFiles", "asked_by", "own_files"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedLock:
    """A lock of the project that a group's file names; ``flag`` is ``-r`` or ``-c``."""

    flag: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFiles:
    """The files that pip-compile would read for a group: its own ones, and locks of other groups.

    venvman reads the sources of those locks instead, so not all of a group's lines are its own.
    """

    files: frozenset[Path]
    locks: tuple[IncludedLock, ...]


def own_files(group: Group, texts: Mapping[Path, str], locks: Iterable[Path]) -> OwnFiles:
    """``texts`` are the group's files, ``locks`` the locks of all groups."""
    known = frozenset(locks)
    files: set[Path] = set()
    found: dict[IncludedLock, None] = {}
    pending = [*group.sources, *group.limits]
    while pending:
        path = pending.pop()
        if path in files:
            continue
        files.add(path)
        for flag, name in includes_in(texts.get(path, "")):
            target = Path(os.path.normpath(path.parent / name))
            if target in known and target != group.lock:
                found[IncludedLock(flag=flag, path=target)] = None
            elif target in texts:
                pending.append(target)
    return OwnFiles(files=frozenset(files), locks=tuple(found))


def asked_by(
    wishes: Iterable[tuple[NormalizedName, Requirement]],
    own: OwnFiles,
    *,
    root: Path,
    folder: Path,
    locks: Mapping[Path, Lock],
) -> dict[NormalizedName, set[str]]:
    """By name, the annotations of files; ``folder`` is where the header's command is run.

    ``wishes`` are the lines that apply, ``locks`` the finished ones of other groups.
    """
    asking: defaultdict[NormalizedName, set[str]] = defaultdict(set)

    @cache  # thousands of lines stand in a few files
    def shown(file: str) -> str | None:
        if "://" in file:
            return file
        path = Path(os.path.normpath(root / file))
        return relative(path, folder) if path in own.files else None

    for name, wish in wishes:
        file = shown(wish.origin.path)
        if file is not None:
            asking[name].add(f"{'-c' if wish.constraint else '-r'} {file}")
    for included in own.locks:
        lock = locks.get(included.path)
        for entry in lock.entries if lock else ():
            asking[entry.name].add(f"{included.flag} {relative(included.path, folder)}")
    return asking
