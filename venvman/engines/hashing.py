"""The hashes of a lock's entries: every file of the release, by sha256."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from venvman.sources import ArchiveSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.index.client import Index
    from venvman.lock.file import LockEntry
    from venvman.resolve.demand import Pin
    from venvman.resolve.supply import Supply

__all__ = ["Hashes"]


class Hashes:
    """Answers for pins; what an index does not say is computed by downloading.

    ``variables`` fill in ``${VAR}`` in URLs; ``computed`` (URL to hash) is added to.
    """

    def __init__(
        self,
        index: Index,
        supply: Supply,
        variables: Mapping[str, str],
        *,
        computed: dict[str, str],
    ) -> None:
        self._index = index
        self._supply = supply
        self._variables = variables
        self._computed = computed

    def of(self, pin: Pin, existing: LockEntry | None) -> tuple[str, ...]:
        """Sorted ``sha256:<hex>``; those of ``existing`` if it is the same version.

        pip-compile keeps existing hashes too: a lock does not change because a file was added.

        Raises:
            IndexFault, InstallError: a file that had to be downloaded could not be had.
        """
        if isinstance(pin.source, ArchiveSource):
            return (self._of_archive(pin.source),)
        if pin.source is not None:
            return ()
        if existing is not None and existing.hashes and existing.version == pin.version:
            return existing.hashes
        told, untold = self._supply.hashes(pin.name, pin.version)
        computed = [self._of_file(each.url, each.hashes) for each in untold]
        return tuple(sorted(told.union(computed)))

    def _of_archive(self, source: ArchiveSource) -> str:
        from venvman.variables import expand

        return self._of_file(expand(source.url, self._variables), source.hashes)

    def _of_file(self, url: str, hashes: tuple[str, ...]) -> str:
        told = next((each for each in hashes if each.startswith("sha256:")), None)
        if told is not None:
            return told
        known = self._computed.get(url)
        if known is None:
            label = unquote(urlsplit(url).path.rpartition("/")[2])
            digest = self._index.sha256(url, hashes=hashes, label=label)
            known = self._computed[url] = f"sha256:{digest}"
        return known
