"""Manifest: what an unpacked wheel holds, written once beside it so that no folder is walked again.

Kept as columns rather than rows: an environment's manifests list tens of thousands of files, and
columns load five times as fast.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.metadata import EntryPoint  # noqa: TC001 - msgspec looks at it

if TYPE_CHECKING:
    import msgspec

_DECODER = threading.Lock()


class ManifestInvalid(ValueError):
    """The content is no manifest of this format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The files of a wheel, but for its RECORD, and the facts that installing it needs.

    ``filename`` is the wheel's, ``name`` and ``version`` are as METADATA spells them, ``info`` is
    the name of the ``.dist-info`` folder. ``paths`` are POSIX and relative to the unpacked folder,
    ``sizes`` bytes, ``hashes`` as RECORD writes them; ``executable`` holds indices into ``paths``.
    Every file bears the same ``mtime_ns``, which no other entry of the same project has: an edit
    shows, and bytecode of one version never fits another.
    """

    filename: str
    name: str
    version: str
    info: str
    root_is_purelib: bool
    mtime_ns: int
    paths: tuple[str, ...]
    sizes: tuple[int, ...]
    hashes: tuple[str, ...]
    executable: frozenset[int]
    entry_points: tuple[EntryPoint, ...]

    @property
    def size(self) -> int:
        """All files together, in bytes."""
        return sum(self.sizes)


def write_manifest(manifest: Manifest) -> bytes:
    """``manifest`` as bytes; :func:`read_manifest` is the inverse."""
    import msgspec

    return msgspec.json.encode(manifest)


def read_manifest(content: bytes) -> Manifest:
    """The manifest that ``content`` holds.

    Raises:
        ManifestInvalid: it was cut short, is of another format, or contradicts itself.
    """
    with _DECODER:  # msgspec shows a class that it is still looking at to other threads: they crash
        decoder = _decoder()
    try:
        manifest = decoder.decode(content)
    except ValueError as error:
        raise ManifestInvalid(str(error)) from error
    if not len(manifest.paths) == len(manifest.sizes) == len(manifest.hashes):
        raise ManifestInvalid("columns of different lengths")
    return manifest


@cache
def _decoder() -> msgspec.json.Decoder[Manifest]:
    import msgspec  # most commands know the store and read no manifest

    return msgspec.json.Decoder(Manifest)
