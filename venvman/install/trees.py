"""Trees: the largest parts of an environment that leave as one, found by one walk over it.

Reads the disk, changes nothing. Files that nobody who leaves owns stay, and so do the folders
around them. Imports next to nothing: the fast path of a sync starts in milliseconds.
"""

from __future__ import annotations

import os
from typing import NamedTuple


class Unit(NamedTuple):
    """A file, or a tree that belongs to the removal with this index alone."""

    path: str
    owner: int


class Units(NamedTuple):
    """``moves`` in the order in which they have to be made; ``emptied`` folders, deepest first."""

    moves: list[Unit]
    emptied: list[str]


class _Found(NamedTuple):
    """What a folder holds: units if it must be taken apart, owners if it can go as one."""

    units: list[Unit]
    nested: list[Unit]
    owners: set[int]
    stays: bool


class Walk:
    """One walk over the folders of the environment ``root`` that hold something that leaves.

    ``owners`` maps files to the index of who leaves with them, ``whole`` metadata folders, which
    leave with whatever is in them; folders in ``lasting`` stay even when empty. All paths are
    relative to ``root``.
    """

    def __init__(
        self, root: str, *, lasting: frozenset[str], owners: dict[str, int], whole: dict[str, int]
    ) -> None:
        self._root = root
        self._lasting = lasting
        self._owners = owners
        self._whole = whole
        self._emptied: list[str] = []
        self._folders: set[str] = set()
        for path in (*owners, *whole):
            folder = path.rpartition("/")[0]
            while folder not in self._folders:
                self._folders.add(folder)
                folder = folder.rpartition("/")[0]

    def units(self) -> Units:
        """What leaves."""
        found = self._folder("")
        return Units(found.units, self._emptied)

    def _folder(self, folder: str) -> _Found:
        found = _Found([], [], set(), False)
        stays = folder in self._lasting
        for entry in entries_of(f"{self._root}/{folder}" if folder else self._root):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if path in self._whole:
                owner = self._whole[path]
                found.owners.add(owner)
                found.units.append(Unit(path, owner))
            elif entry.is_dir(follow_symlinks=False):
                if path in self._folders or entry.name == "__pycache__" or not stays:
                    stays |= self._subfolder(folder, path, entry.name, found)
            elif path in self._owners:
                found.owners.add(self._owners[path])
                found.units.append(Unit(path, self._owners[path]))
            else:
                stays = True
        return found._replace(stays=stays)

    def _subfolder(self, folder: str, path: str, name: str, found: _Found) -> bool:
        """Adds what leaves from ``path`` to ``found``; whether something in it stays."""
        if name == "__pycache__":
            inner = self._bytecode(folder, path)
        elif path in self._folders:
            inner = self._folder(path)
        else:
            if entries_of(f"{self._root}/{path}"):
                return True
            self._emptied.append(path)
            return False
        found.owners.update(inner.owners)
        found.nested.extend(inner.nested)
        if inner.stays or len(inner.owners) != 1:
            found.units.extend(inner.units)
            if not inner.stays:
                self._emptied.append(path)
            return inner.stays
        (owner,) = inner.owners
        if name.endswith((".dist-info", ".egg-info")):
            # Scanners look into the attic too: metadata inside a tree moves under a neutral name.
            found.nested.append(Unit(path, owner))
        found.units.extend([*inner.nested, Unit(path, owner)])
        return False

    def _bytecode(self, folder: str, path: str) -> _Found:
        """Bytecode leaves with its module: ``a.cpython-311.pyc`` with ``a.py``."""
        found = _Found([], [], set(), False)
        stays = False
        for entry in entries_of(f"{self._root}/{path}"):
            inside = f"{path}/{entry.name}"
            owner = self._owners.get(inside)
            stem = entry.name
            while owner is None and entry.name.endswith(".pyc") and "." in stem:
                stem = stem.rpartition(".")[0]
                owner = self._owners.get(f"{folder}/{stem}.py")
            if owner is None:
                stays = True
            else:
                found.owners.add(owner)
                found.units.append(Unit(inside, owner))
        return found._replace(stays=stays)


def entries_of(folder: str) -> list[os.DirEntry[str]]:
    """The entries of ``folder`` by name; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
