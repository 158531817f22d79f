"""Short ways to write lock entries and installed distributions as values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from packaging.markers import Marker
from packaging.version import Version

from venvman.environment.inventory import Installed, MetadataKind
from venvman.lock.file import LockEntry
from venvman.model.names import canonical
from venvman.model.sources import IndexSource, Source

SITE = Path("/venv/lib/python3.12/site-packages")


def entry(
    name: str,
    version: str | None = "1.0",
    *,
    source: Source | None = None,
    hashes: Iterable[str] = (),
    extras: Iterable[str] = (),
    marker: str | None = None,
) -> LockEntry:
    """A pin, from an index unless said otherwise."""
    return LockEntry(
        name=canonical(name),
        version=Version(version) if version is not None else None,
        extras=frozenset(extras),
        marker=Marker(marker) if marker else None,
        source=source or IndexSource(),
        hashes=tuple(hashes),
    )


def installed(
    name: str,
    version: str | None = "1.0",
    *,
    source: Source | None = None,
    damage: str | None = None,
    kind: MetadataKind = MetadataKind.DIST_INFO,
) -> Installed:
    """A distribution in :data:`SITE`, from an index unless said otherwise."""
    return Installed(
        name=canonical(name),
        spelled=name,
        version=Version(version) if version is not None else None,
        kind=kind,
        metadata=SITE / f"{name}-{version}.{kind.value}",
        source=source or IndexSource(),
        damage=damage,
    )
