"""What lock entries came to before: wheels that the store can give without network or build."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.directurl import write_direct_url
from venvman.frozen import dataclass
from venvman.install.refusals import disagreement
from venvman.sources import ArchiveSource, IndexSource, VcsSource

if TYPE_CHECKING:
    from venvman.install.identity import Identities
    from venvman.lock.file import LockEntry
    from venvman.sources import DirectorySource, Source
    from venvman.store.store import Store, StoredWheel

__all__ = ["Memory", "Obtained", "obtained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """A verified wheel; ``direct_url`` is the content of ``direct_url.json``, None for an index."""

    wheel: StoredWheel
    direct_url: bytes | None = None


def obtained(wheel: StoredWheel, source: Source) -> Obtained:
    """``wheel`` from ``source``, which is exact: with the commit, with the archive's hash."""
    return Obtained(wheel=wheel, direct_url=write_direct_url(source))


class Memory:
    """``store``, asked by the keys that ``identities`` make; folders are seen from ``root``."""

    def __init__(self, store: Store, identities: Identities, *, root: Path) -> None:
        self._store = store
        self._identities = identities
        self._root = root

    def recall(self, entry: LockEntry) -> Obtained | None:
        """What ``entry`` came to, if that is still what it names."""
        source = entry.source
        if isinstance(source, IndexSource):
            return self._known(entry, self._identities.of_pin(entry))
        if isinstance(source, ArchiveSource):
            return self._recall_archive(entry, source)
        if isinstance(source, VcsSource):
            if source.commit is None:
                return None
            return self._known(entry, self._identities.of_commit(entry.name, source))
        return self._recall_folder(entry, source)

    def wheel(self, key: str) -> StoredWheel | None:
        """The wheel remembered under ``key``."""
        sha256 = self._store.recall(key)
        return None if sha256 is None else self._store.get(sha256)

    def _known(self, entry: LockEntry, key: str) -> Obtained | None:
        """None also for a wheel of another name or version: getting it anew tells why."""
        wheel = self.wheel(key)
        if wheel is None or disagreement(wheel, entry) is not None:
            return None
        return obtained(wheel, entry.source)

    def _recall_archive(self, entry: LockEntry, source: ArchiveSource) -> Obtained | None:
        """By hash alone: what lies at the URL now may be something else."""
        for text in (*entry.hashes, *source.hashes):
            algorithm, _, digest = text.partition(":")
            if algorithm != "sha256":
                continue
            key = self._identities.of_sdist(entry.name, digest, source.subdirectory)
            wheel = self._store.get(digest) or self.wheel(key)
            if wheel is not None and disagreement(wheel, entry) is None:
                return obtained(wheel, replace(source, hashes=(text,)))
        return None

    def _recall_folder(self, entry: LockEntry, source: DirectorySource) -> Obtained | None:
        folder = Path(self._root, source.path, source.subdirectory or "")
        if not folder.is_dir():
            return None
        key = self._identities.of_folder(entry.name, folder, editable=source.editable)
        return self._known(entry, key)
