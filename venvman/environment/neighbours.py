"""Neighbours: the environments of this machine, and which of them share a file's inode.

With hard links a file edited in place in one environment is edited in every other one that shares
it. The filesystem counts a file's names and does not say where they are; therefore each environment
that was installed into is noted in the state folder, as ``environments/<key>``: its path and its
project's, one a line.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Command
from venvman.model.frozen import dataclass
from venvman.system.writing import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FOLDER = "environments"
_CONFIG = "pyvenv.cfg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """An environment of this machine: its absolute ``path``, and its ``project``'s."""

    path: Path
    project: Path

    @property
    def recreate(self) -> Command:
        """The command that makes it anew, from wherever it is called."""
        return Command((("venvman", "sync", "--recreate"),), root=self.project)


def note(state: Path, environment: Path, project: Path) -> None:
    """Notes ``environment`` in the state folder; two system calls where that was done before.

    For whoever holds the environment's lock. Best effort: a state folder that cannot be written
    only means that others are told less.
    """
    path = os.path.realpath(environment)
    file = state / _FOLDER / hashlib.sha256(os.fsencode(path)).hexdigest()[:32]
    with suppress(OSError):
        if file.exists() and file.stat().st_size:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        forget_vanished(state)
        # No fsync: what a power cut leaves of it is empty, and then written again. The caller holds
        # the environment's lock.
        replace(str(file), os.fsencode(f"{path}\n{project}\n"), alone=True)


def forget_vanished(state: Path) -> None:
    """Drops the notes of environments that are no more."""
    for file, neighbour in _noted(state):
        if neighbour is None or not _is_there(neighbour):
            with suppress(OSError):
                file.unlink()


def neighbours(state: Path) -> tuple[Neighbour, ...]:
    """Every noted environment that is still there, by path."""
    found = (each for _, each in _noted(state) if each is not None and _is_there(each))
    return tuple(sorted(found, key=lambda each: each.path))


def sharing(state: Path, files: Iterable[Path]) -> Mapping[Path, tuple[Neighbour, ...]]:
    """For each of ``files`` that has more names than one: the environments that hold another.

    An environment's attic counts as the environment. Nothing is walked where no file has a second
    name, and no more than is needed to find them all; the environment that a file itself lies in
    counts too, if it is noted.
    """
    wanted: dict[tuple[int, int], list[Path]] = {}
    names: Counter[tuple[int, int]] = Counter()
    for file in files:
        with suppress(OSError):
            status = file.lstat()
            if status.st_nlink > 1:
                wanted.setdefault((status.st_dev, status.st_ino), []).append(file)
                names[status.st_dev, status.st_ino] = status.st_nlink
    found: dict[Path, list[Neighbour]] = {}
    for neighbour in neighbours(state) if wanted else ():
        for inode, count in _held(neighbour.path, names).items():
            names[inode] -= count
            for file in wanted[inode]:
                found.setdefault(file, []).append(neighbour)
        names = +names
    return {file: tuple(those) for file, those in found.items()}


def _noted(state: Path) -> Iterator[tuple[Path, Neighbour | None]]:
    """Each note with what it says, None where that cannot be read."""
    try:
        files = sorted(each for each in (state / _FOLDER).iterdir() if not each.suffix)
    except OSError:
        return
    for file in files:
        try:
            path, project, _ = os.fsdecode(file.read_bytes()).split("\n")
        except (OSError, ValueError):
            yield file, None
        else:
            yield file, Neighbour(path=Path(path), project=Path(project))


def _is_there(neighbour: Neighbour) -> bool:
    return (neighbour.path / _CONFIG).is_file()


def _held(root: Path, inodes: Mapping[tuple[int, int], int]) -> Counter[tuple[int, int]]:
    """How many names each of ``inodes`` has below ``root``; links to folders are not followed."""
    held: Counter[tuple[int, int]] = Counter()
    numbers = {inode for _, inode in inodes}
    waiting = [str(root)]
    while waiting and held != inodes:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.inode() in numbers:
                        status = entry.stat(follow_symlinks=False)
                        if (status.st_dev, status.st_ino) in inodes:
                            held[status.st_dev, status.st_ino] += 1
        except OSError:
            continue
    return held
