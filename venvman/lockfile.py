"""Lock: pinned, hashed requirements text, and back. Pure: text in, values out, text out again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from venvman.lockheader import LockHeader
from venvman.sources import IndexSource, Source

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.version import Version

    from venvman.names import NormalizedName
    from venvman.origin import FileLine

__all__ = ["Lock", "LockEntry", "LockHeader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """One pin.

    ``version`` is None where the text has a direct URL and no version. ``hashes`` are sorted
    ``sha256:<hex>``. ``via`` holds what pip-compile writes: ``flask``, ``-r requirements.in``,
    ``-c constraints.txt``. ``origin`` does not take part in comparison.
    """

    name: NormalizedName
    version: Version | None
    extras: frozenset[str] = frozenset()
    marker: Marker | None = None
    source: Source = field(default_factory=IndexSource)
    hashes: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    origin: FileLine | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A whole lock. ``options`` are its option lines as written (``--find-links ./wheels``)."""

    entries: tuple[LockEntry, ...]
    header: LockHeader
    options: tuple[str, ...] = ()
