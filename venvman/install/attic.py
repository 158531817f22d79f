"""Attic: distributions taken out of an environment, kept inside it for a way back.

    .venvman/attic/<name>-<version>-<identity>/entry.json   what it is and where each part was
    .venvman/attic/<name>-<version>-<identity>/u0, u1, ...  its trees and files, under neutral names

Nothing here is called ``.dist-info``, so no scanner reports what is not installed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from venvman.environment.ledger import Provenance, direct_digest, entry_key, identity_of
from venvman.environment.record import hash_of, is_within, locate, parse_record
from venvman.model.names import NormalizedName
from venvman.system import records
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.environment.record import RecordRow

ATTIC = ".venvman/attic"
FOUND = "found"
"""The identity of what another tool installed."""
_KIND = "attic 2"


class AtticEntry(NamedTuple):
    """One distribution out of use.

    ``key`` is its folder's name; ``info`` was its metadata folder, ``units`` are (name in the
    folder, where it was), in the order they were taken; paths are relative to the environment.
    ``provenance`` has no ``sha256`` for what another tool installed. ``size`` is bytes,
    ``sequence`` grows with each transaction.
    """

    key: str
    info: str
    units: tuple[tuple[str, str], ...]
    provenance: Provenance
    size: int
    sequence: int

    @property
    def name(self) -> NormalizedName:
        """The distribution's."""
        return NormalizedName(self.provenance.name)

    @property
    def version(self) -> str:
        """The distribution's."""
        return self.provenance.version

    def render(self, root: str) -> bytes:
        """The content of ``entry.json`` in the environment ``root``."""
        return records.sealed(root, _sealed_as(self.key), _KIND, self)


class Attic:
    """The attic of the environment at the real path ``root``, as it is when first asked."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._keys: list[str] | None = None

    def find(
        self,
        name: str,
        *,
        sha256: Iterable[str],
        requested: bool,
        direct_url: bytes | None = None,
        described: str = "",
    ) -> AtticEntry | None:
        """The distribution ``name`` from a wheel with one of ``sha256``, if it can come back.

        It must have been installed as it would be now (``requested``, ``direct_url``,
        ``described``), and every file must still have the size and time it was installed with.
        """
        direct = direct_digest(direct_url)
        wanted = {identity_of(each, direct, requested, described) for each in sha256}
        for key in self.keys():
            if key.startswith(f"{name}-") and key.rpartition("-")[2] in wanted:
                entry = self.read(key)
                if entry is not None and entry.name == name and self.is_whole(entry):
                    return entry
        return None

    def as_found(self, name: str, version: str) -> AtticEntry | None:
        """What another tool had installed, if every file is as its RECORD says."""
        entry = self.read(entry_key(name, version, FOUND))
        return entry if entry is not None and self.is_whole(entry) else None

    def keys(self) -> list[str]:
        """The folder names of all entries."""
        if self._keys is None:
            try:
                self._keys = sorted(os.listdir(f"{self._root}/{ATTIC}"))
            except OSError:
                self._keys = []
        return self._keys

    def entries(self) -> Iterator[AtticEntry]:
        """All that can be read, oldest first."""
        found = (self.read(key) for key in self.keys())
        yield from sorted(
            (each for each in found if each), key=lambda each: (each.sequence, each.key)
        )

    def read(self, key: str) -> AtticEntry | None:
        """The entry in the folder ``key``, or None where it cannot be read or believed."""
        found = records.read(self._root, _sealed_as(key), _KIND)
        if found is None:
            return None
        folder, info, units, provenance, *rest = found
        entry = AtticEntry(folder, info, units, Provenance(*provenance), *rest)
        seen: dict[str, bool] = {}
        slots = all("/" not in slot and is_within(slot, self._root) for slot, _ in entry.units)
        paths = (entry.info, *(path for _, path in entry.units))
        stays = slots and all(is_within(path, self._root, seen=seen) for path in paths)
        return entry if folder == key and stays else None

    def is_whole(self, entry: AtticEntry) -> bool:
        """Whether every file of ``entry`` is there as it was installed, by size and time.

        Of what another tool installed by size and hash, since its files bear several times.

        What is shared with a distribution that stayed is missing here; an edit, also one through a
        hard link from another environment, has changed the time.
        """
        folder = f"{self._root}/{ATTIC}/{entry.key}"
        slots = {path: f"{folder}/{slot}" for slot, path in entry.units}
        record = _slot_of(f"{entry.info}/RECORD", slots)
        if record is None:
            return False
        try:
            rows = parse_record(read_regular(record).decode()).rows
        except (OSError, UnicodeDecodeError):
            return False
        return self._are_whole(rows, entry, slots)

    def _are_whole(
        self, rows: Iterable[RecordRow], entry: AtticEntry, slots: dict[str, str]
    ) -> bool:
        provenance, site = entry.provenance, entry.info.rpartition("/")[0]
        folders: dict[str, str | None] = {}
        for row in rows:
            path = locate(row.path, site=site, root=self._root)
            if path is None:
                return False
            if row.hash is None:
                # RECORD cannot hold its own; bytecode is Python's, who compares it with its module.
                if path == f"{entry.info}/RECORD" or path.endswith(".pyc"):
                    continue
                return False
            slot = slots.get(path)
            if slot is None:
                folder, _, name = path.rpartition("/")
                if folder not in folders:
                    folders[folder] = _slot_of(folder, slots)
                slot = f"{folders[folder]}/{name}"  # "None/..." is not there
            try:
                found = os.lstat(slot)
                if provenance.sha256:
                    same = found.st_mtime_ns == provenance.mtime_ns
                else:
                    same = hash_of(slot) == row.hash
            except OSError:
                return False
            if found.st_size != row.size or not same:
                return False
        return True

    def surplus(self, limit: AtticLimit, *, keep: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """The keys beyond ``limit``, oldest first; those in ``keep`` last of all.

        Folders that cannot be read are surplus too.
        """
        entries = sorted(self.entries(), key=lambda each: (each.key in keep, each.sequence))
        unreadable = sorted(set(self.keys()) - {each.key for each in entries})
        size, count = sum(each.size for each in entries), len(entries)
        chosen = []
        for entry in entries:
            too_much = limit.size is not None and size > limit.size
            too_many = limit.entries is not None and count > limit.entries
            if not (too_much or too_many):
                break
            chosen.append(entry.key)
            size, count = size - entry.size, count - 1
        return (*unreadable, *chosen)


def _sealed_as(key: str) -> str:
    return f"attic/{key}/entry.json"


def _slot_of(path: str, slots: dict[str, str]) -> str | None:
    """Where the file that was at ``path`` lies now: its own unit, or below the one of a folder."""
    above = path
    while above and above not in slots:
        above = above.rpartition("/")[0]
    return f"{slots[above]}{path[len(above) :]}" if above else None


_UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4}


class AtticLimit(NamedTuple):
    """How much is kept: ``size`` in bytes, or ``entries`` of them; None is no limit."""

    size: int | None = None
    entries: int | None = None

    @classmethod
    def parse(cls, text: str) -> AtticLimit:
        """From a setting: ``2 GiB``, ``500 MB``, or a bare number of distributions.

        Raises:
            ValueError: it is none of these; the message is the end of a sentence.
        """
        from venvman.model.options import SIZE  # a switch reads no setting, and is quick without it

        match = SIZE.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError("a size such as 2 GiB, or a number of distributions, is expected")
        number, unit, binary = match.groups()
        if unit is None:
            return cls(entries=int(float(number)))
        return cls(size=int(float(number) * (1024 if binary else 1000) ** _UNITS[unit]))
