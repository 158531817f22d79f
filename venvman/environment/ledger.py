"""Ledger: which wheel each distribution of an environment was installed from.

Neither RECORD nor ``direct_url.json`` tells it, and other tools must find nothing unknown to them
in a ``.dist-info`` folder; so it is kept beside, as ``.venvman/installed.json``. What pip has
replaced since is recognised by its RECORD, which has another size or time.

Named tuples here and in :mod:`venvman.install.attic`, since a switch between known states has no
time to import ``dataclasses``.
"""

from __future__ import annotations

import json
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from venvman import seal

if TYPE_CHECKING:
    from collections.abc import Mapping

LEDGER = ".venvman/installed.json"
_FORMAT = 2


class Provenance(NamedTuple):
    """``sha256`` is the wheel's, ``direct`` a digest of ``direct_url.json`` or empty.

    ``mtime_ns`` is the time of every file, ``record_size`` and ``record_mtime_ns`` are RECORD's.
    ``described`` is :func:`venvman.localproject.metadata_digest` of the folder that it was built
    from, as it was before the build; empty for all that comes from elsewhere, or is not known.
    """

    sha256: str
    direct: str
    requested: bool
    mtime_ns: int
    record_size: int
    record_mtime_ns: int
    described: str = ""

    @property
    def identity(self) -> str:
        """What tells two installations of one name and version apart: 16 hex digits."""
        import hashlib

        text = f"{self.sha256} {self.direct} {self.requested}"
        if self.described:
            text += f" {self.described}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Ledger(NamedTuple):
    """What was installed from which wheel, by ``.dist-info`` folder (relative to the root).

    ``sequence`` counts the transactions of the environment: clocks go backwards, it does not.
    """

    sequence: int = 0
    distributions: Mapping[str, Provenance] = MappingProxyType({})

    def known(self, root: str, info: str) -> Provenance | None:
        """Where the distribution at ``info`` came from; None if that is not known (any more)."""
        provenance = self.distributions.get(info)
        if provenance is None:
            return None
        try:
            found = os.lstat(f"{root}/{info}/RECORD")
        except OSError:
            return None
        recorded = (provenance.record_size, provenance.record_mtime_ns)
        return provenance if (found.st_size, found.st_mtime_ns) == recorded else None

    def render(self, root: str) -> bytes:
        """The content of the ledger's file in the environment ``root``, sealed."""
        document = {
            "format": _FORMAT,
            "sequence": self.sequence,
            "distributions": dict(sorted(self.distributions.items())),
        }
        content = json.dumps(document, separators=(",", ":")).encode()
        return seal.sealed(root, "installed.json", content)


def read_ledger(root: str) -> Ledger:
    """The ledger of the environment at ``root``; an empty one where none can be believed."""
    try:
        document = json.loads(seal.read(root, "installed.json") or b"{}")
        if document["format"] != _FORMAT:
            return Ledger()
        rows = document["distributions"].items()
        return Ledger(
            sequence=int(document["sequence"]),
            distributions={info: Provenance(*row) for info, row in rows},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Ledger()


def direct_digest(direct_url: bytes | None) -> str:
    """What stands for a ``direct_url.json`` in a :class:`Provenance`."""
    if direct_url is None:
        return ""
    import hashlib

    return hashlib.sha256(direct_url).hexdigest()
