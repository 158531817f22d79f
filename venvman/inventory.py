"""Inventory: the distributions found in an environment, read from outside.

No process is started in the environment: site-packages is read with the standard library, so a
dangling interpreter or a broken package cannot hide what is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from venvman.sources import IndexSource, Source

if TYPE_CHECKING:
    from pathlib import Path

    from packaging.version import Version

    from venvman.names import NormalizedName

__all__ = ["Installed", "Inventory", "MetadataKind"]


class MetadataKind(str, Enum):
    """How a distribution's metadata lies on disk."""

    DIST_INFO = "dist-info"
    EGG_INFO_FOLDER = "egg-info"
    EGG_INFO_FILE = "egg-info-file"
    """distutils: no list of files, so nothing can be removed safely."""
    EGG_LINK = "egg-link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One distribution found.

    ``version`` is None where it cannot be read; ``damage`` then says why, as it does for a missing
    METADATA or RECORD: the first word of a sentence in lower case, None when nothing is wrong.
    ``metadata`` is the absolute path of the metadata folder or file. ``source`` is from
    ``direct_url.json`` (PEP 610), an index without it.
    """

    name: NormalizedName
    spelled: str
    version: Version | None
    kind: MetadataKind = MetadataKind.DIST_INFO
    metadata: Path
    source: Source = field(default_factory=IndexSource)
    installer: str | None = None
    requested: bool = False
    damage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Every distribution of one environment, sorted by name, then metadata path.

    Two entries may share a name: that is a kind of drift. ``leftovers`` are absolute paths of
    half-removed folders (``~ip``), which pip leaves when it is stopped.
    """

    distributions: tuple[Installed, ...]
    leftovers: tuple[Path, ...] = ()
