"""What leaves with a distribution: its files by RECORD, their bytecode, and folders left empty.

Reads the disk, changes nothing. Files that a distribution which stays claims too stay; files that
nobody claims stay where they are, and so do the folders around them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from venvman.errors import InstallError, Problem, Severity
from venvman.install.eggs import egg_info_files, egg_link_files
from venvman.inventory import Installed, MetadataKind
from venvman.record import locate, parse_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.install.layout import Site

__all__ = ["Departure", "Unit", "Units", "departures", "units_of"]

# Without these there is no environment, whatever a RECORD says.
_UNTOUCHABLE = ("pyvenv.cfg", ".venvman")


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One distribution that leaves. Paths are relative to the environment's root.

    ``files`` is what its list of files names, ``info`` its metadata folder or file; ``edits`` maps
    files that lose lines to their new content, None for none at all. ``size`` is bytes, as listed.
    """

    installed: Installed
    info: str
    files: frozenset[str]
    edits: dict[str, bytes | None] = field(default_factory=dict)
    size: int = 0


class Unit(NamedTuple):
    """A file, or a tree that belongs to the departure with this index alone."""

    path: str
    owner: int


class Units(NamedTuple):
    """``moves`` in the order in which they have to be made; ``emptied`` folders, deepest first."""

    moves: list[Unit]
    emptied: list[str]


def departures(
    leaving: Iterable[Installed], site: Site
) -> tuple[tuple[Departure, ...], tuple[Problem, ...]]:
    """What each of ``leaving`` owns, and warnings about what its RECORD names outside.

    Raises:
        InstallError: one problem for each that cannot be removed because nobody knows what belongs
            to it: ``record-missing``, ``distutils-installed``.
    """
    found: list[Departure] = []
    faults: list[Problem] = []
    warnings: list[Problem] = []
    for installed in leaving:
        try:
            found.append(_departure(installed, site, warnings))
        except InstallError as error:
            faults += error.problems
    if faults:
        raise InstallError(
            faults[0].message, code=faults[0].code, problems=faults, fix=faults[0].fix
        )
    return tuple(found), tuple(warnings)


def units_of(leaving: Sequence[Departure], site: Site) -> Units:
    """The largest trees that each of ``leaving`` owns alone, and single files where it does not."""
    owners: dict[str, int] = {}
    for index, departure in enumerate(leaving):
        for path in departure.files:
            owners.setdefault(path, index)
    for path in _claimed_by_others(leaving, site, owners):
        owners.pop(path, None)
    whole = {departure.info: index for index, departure in enumerate(leaving)}
    return _Walk(site, owners, whole).units()


def _departure(installed: Installed, site: Site, warnings: list[Problem]) -> Departure:
    folder, name = os.path.split(installed.metadata)
    base = os.path.realpath(folder)[len(site.root) + 1 :].replace(os.sep, "/")
    info = f"{base}/{name}"
    if installed.kind is MetadataKind.EGG_INFO_FILE:
        raise _no_list(
            installed,
            "distutils-installed",
            "distutils installed it and left no list of its files.",
        )
    if installed.kind is MetadataKind.EGG_LINK:
        scripts, edits = egg_link_files(installed.metadata, base=base, site=site)
        return Departure(installed=installed, info=info, files=scripts | {info}, edits=edits)
    files: frozenset[str] | None
    if installed.kind is MetadataKind.EGG_INFO_FOLDER:
        files, size = egg_info_files(installed.metadata, base=base, site=site), 0
    else:
        files, size = _recorded(installed, base, site, warnings)
    if files is None:
        raise _no_list(
            installed, "record-missing", "Its list of files is missing, so nobody knows them."
        )
    return Departure(installed=installed, info=info, files=files, size=size)


def _recorded(
    installed: Installed, base: str, site: Site, warnings: list[Problem]
) -> tuple[frozenset[str] | None, int]:
    """The files of a RECORD and their size; None where there is none and there should be."""
    try:
        content = (installed.metadata / "RECORD").read_bytes()
    except OSError:
        # Without METADATA it is no distribution at all, but what a stopped pip left of one.
        return (None if (installed.metadata / "METADATA").exists() else frozenset()), 0
    rows = parse_record(content.decode(errors="surrogateescape")).rows
    files: set[str] = set()
    for row in rows:
        path = locate(row.path, site=base, root=site.root)
        if path is None:
            warnings.append(_outside(installed, row.path))
        elif path.partition("/")[0] not in _UNTOUCHABLE:
            files.add(path)
    return frozenset(files), sum(row.size or 0 for row in rows)


def _claimed_by_others(
    leaving: Sequence[Departure], site: Site, owners: dict[str, int]
) -> set[str]:
    """The files of ``owners`` that a distribution which stays lists as well.

    Most share nothing: only a RECORD that mentions the name of a top folder or file is parsed.
    """
    going = {departure.info for departure in leaving}
    words = _tell_tales(owners, going, site)
    claimed: set[str] = set()
    for base in site.folders:
        for entry in _entries(f"{site.root}/{base}"):
            if not entry.name.endswith(".dist-info") or f"{base}/{entry.name}" in going:
                continue
            try:
                with open(f"{entry.path}/RECORD", "rb") as stream:
                    content = stream.read()
            except OSError:
                continue
            if any(word in content for word in words):
                for row in parse_record(content.decode(errors="surrogateescape")).rows:
                    path = locate(row.path, site=base, root=site.root)
                    if path in owners:
                        claimed.add(path)
    return claimed


def _tell_tales(owners: Iterable[str], going: set[str], site: Site) -> set[bytes]:
    tops: set[str] = set()
    for path in owners:
        for base in site.folders:
            if path.startswith(f"{base}/"):
                tops.add(path[len(base) + 1 :].partition("/")[0])
                break
        else:
            tops.add(path.rpartition("/")[2])
    # Bytecode follows its module; metadata folders are nobody else's.
    tops -= {"__pycache__", *(info.rpartition("/")[2] for info in going)}
    return {os.fsencode(top) for top in tops}


class _Found(NamedTuple):
    """What a folder holds: units if it must be taken apart, owners if it can go as one."""

    units: list[Unit]
    nested: list[Unit]
    owners: set[int]
    stays: bool


class _Walk:
    """One walk over the folders that hold something that leaves."""

    def __init__(self, site: Site, owners: dict[str, int], whole: dict[str, int]) -> None:
        self._root = site.root
        self._lasting = site.lasting
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
        found = self._folder("")
        return Units(found.units, self._emptied)

    def _folder(self, folder: str) -> _Found:
        found = _Found([], [], set(), False)
        stays = folder in self._lasting
        for entry in _entries(f"{self._root}/{folder}" if folder else self._root):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if path in self._whole:
                owner = self._whole[path]
                found.owners.add(owner)
                found.units.append(Unit(path, owner))
            elif entry.is_dir(follow_symlinks=False):
                if self._leaves(path, entry.name) or not stays:
                    stays |= self._subfolder(folder, path, entry.name, found)
            elif path in self._owners:
                found.owners.add(self._owners[path])
                found.units.append(Unit(path, self._owners[path]))
            else:
                stays = True
        return found._replace(stays=stays)

    def _leaves(self, path: str, name: str) -> bool:
        return path in self._folders or name == "__pycache__"

    def _subfolder(self, folder: str, path: str, name: str, found: _Found) -> bool:
        """Adds what leaves from ``path`` to ``found``; whether something in it stays."""
        if name == "__pycache__":
            inner = self._bytecode(folder, path)
        elif path in self._folders:
            inner = self._folder(path)
        else:
            if _entries(f"{self._root}/{path}"):
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
        for entry in _entries(f"{self._root}/{path}"):
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


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _no_list(installed: Installed, code: str, why: str) -> InstallError:
    version = f" {installed.version}" if installed.version else ""
    return InstallError(
        f"{installed.spelled}{version} cannot be removed or replaced: {why[0].lower()}{why[1:]}",
        code=code,
        path=str(installed.metadata),
        why="What is not known to belong to a distribution is never deleted. Nothing was changed.",
        fix="venvman sync --recreate",
    )


def _outside(installed: Installed, path: str) -> Problem:
    return Problem(
        code="record-outside",
        message=f"{installed.spelled} lists {path}, outside of the environment; it stays.",
        severity=Severity.WARNING,
        path=str(installed.metadata / "RECORD"),
        text=path,
        why="Nothing outside of the environment is ever removed.",
    )
