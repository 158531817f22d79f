"""Target: the Python, platform and architecture that a lock is selected and wheels are chosen for.

Always that of the environment's interpreter, never of the one that runs venvman.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from packaging.markers import Marker


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What markers and wheel tags are compared with.

    ``python`` is the full version (``3.11.7``), ``markers`` the PEP 508 environment as sorted
    pairs (without ``extra``), ``tags`` the supported wheel tags, best first
    (``cp311-cp311-manylinux_2_17_x86_64``).
    """

    python: str
    markers: tuple[tuple[str, str], ...] = field(repr=False)
    tags: tuple[str, ...] = field(repr=False)

    @property
    def minor(self) -> tuple[int, int]:
        """``(3, 11)`` for ``3.11.7``."""
        major, minor = self.python.split(".")[:2]
        return int(major), int(minor)

    def applies(self, marker: Marker | None, *, extra: str = "") -> bool:
        """Whether ``marker`` (None always does) holds on this target with ``extra`` asked for."""
        if marker is None:
            return True
        return marker.evaluate({**dict(self.markers), "extra": extra})
