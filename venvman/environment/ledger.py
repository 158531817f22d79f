"""Ledger: which wheel each distribution of an environment was installed from.

Neither RECORD nor ``direct_url.json`` tells it, and other tools must find nothing unknown to them
in a ``.dist-info`` folder; so it is kept beside. What pip has replaced since is recognised by its
RECORD, which has another size or time.

    .venvman/installed.json           the count of transactions, and the digest of a snapshot
    .venvman/history/<digest>.json    a snapshot: distributions by ``.dist-info`` folder

Whatever tells of what an environment holds or held (:mod:`.history`) refers to snapshots. Named
tuples, since the fast path of a sync has no time to import ``dataclasses``.
"""

from __future__ import annotations

import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from venvman.system import records, seal

if TYPE_CHECKING:
    from collections.abc import Mapping

LEDGER = ".venvman/installed.json"
HISTORY = ".venvman/history"
_LEDGER, _SNAPSHOT = "ledger 3", "snapshot 1"


class Provenance(NamedTuple):
    """A distribution as venvman installed it.

    ``sha256`` is the wheel's, ``direct`` a digest of ``direct_url.json`` or empty.
    ``mtime_ns`` is the time of every file, ``record_size`` and ``record_mtime_ns`` are RECORD's.
    ``described`` is :func:`venvman.project.localproject.metadata_digest` of the folder that it was
    built from, as it was before the build; empty for all that comes from elsewhere, or is not
    known. ``tops`` are the parts of the environment that it has files in, two that share a file
    share one: ``./NAME`` at the top of site-packages, elsewhere three parts of the path.
    """

    name: str
    version: str
    sha256: str
    direct: str
    requested: bool
    mtime_ns: int
    record_size: int
    record_mtime_ns: int
    described: str = ""
    tops: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the attic calls it."""
        identity = identity_of(self.sha256, self.direct, self.requested, self.described)
        return entry_key(self.name, self.version, identity)


class Ledger(NamedTuple):
    """What was installed from which wheel, by ``.dist-info`` folder (relative to the root).

    ``sequence`` counts the transactions of the environment: clocks go backwards, it does not.
    ``snapshot`` is the digest of ``distributions``, empty for none; ``root`` is the environment's
    real path.
    """

    root: str
    sequence: int = 0
    snapshot: str = ""
    distributions: Mapping[str, Provenance] = MappingProxyType({})

    def info_of(self, metadata: str | os.PathLike[str]) -> str:
        """What stands here for the metadata folder with this path."""
        return os.path.relpath(os.path.realpath(metadata), self.root)

    def known(self, info: str) -> Provenance | None:
        """Where the distribution at ``info`` came from; None if that is not known (any more)."""
        provenance = self.distributions.get(info)
        if provenance is None:
            return None
        try:
            found = os.lstat(f"{self.root}/{info}/RECORD")
        except OSError:
            return None
        recorded = (provenance.record_size, provenance.record_mtime_ns)
        return provenance if (found.st_size, found.st_mtime_ns) == recorded else None

    def render(self) -> bytes:
        """The content of the ledger's file."""
        return records.sealed(self.root, "installed.json", _LEDGER, (self.sequence, self.snapshot))


def read_ledger(environment: str | os.PathLike[str]) -> Ledger:
    """The ledger of ``environment``; an empty one where none can be believed."""
    root = os.path.realpath(os.fspath(environment))
    found = records.read(root, "installed.json", _LEDGER)
    if found is None:
        return Ledger(root)
    sequence, snapshot = found
    return Ledger(root, sequence, snapshot, read_snapshot(root, snapshot))


def read_snapshot(root: str, digest: str) -> dict[str, Provenance]:
    """The distributions of a snapshot; none where it cannot be read."""
    found = records.read(root, f"history/{digest}.json", _SNAPSHOT) or {}
    return {info: Provenance(*row) for info, row in found.items()}


def write_snapshot(root: str, distributions: Mapping[str, Provenance]) -> str:
    """Makes sure that the snapshot is there; its digest.

    Raises:
        OSError: it cannot be written.
    """
    ordered = dict(sorted(distributions.items()))
    digest = digest_of(repr([(info, *row) for info, row in ordered.items()]))
    if not seal.holds(root, f"history/{digest}.json"):
        os.makedirs(f"{root}/{HISTORY}", exist_ok=True)
        records.write(root, f"history/{digest}.json", _SNAPSHOT, ordered)
    return digest


def entry_key(name: str, version: str, identity: str) -> str:
    """What the attic calls a distribution; ``version`` may be anything that METADATA held."""
    return f"{name}-{re.sub(r'[^A-Za-z0-9.+!]+', '_', version)}-{identity}"


def identity_of(sha256: str, direct: str, requested: bool, described: str = "") -> str:
    """What tells two installations of one name and version apart: 16 hex digits."""
    return digest_of(f"{sha256} {direct} {requested} {described}")[:16]


def direct_digest(direct_url: bytes | None) -> str:
    """What stands for a ``direct_url.json`` in a :class:`Provenance`."""
    return "" if direct_url is None else digest_of(direct_url)


def digest_of(content: bytes | str) -> str:
    """A digest (32 hex digits), without what ``hashlib`` takes to import."""
    from _blake2 import blake2b

    if isinstance(content, str):
        content = content.encode("utf-8", "surrogateescape")
    return blake2b(content, digest_size=16).hexdigest()
