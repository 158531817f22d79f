"""Requirement: one line's requirement, parsed, with the place it comes from."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.sources import IndexSource, Source

if TYPE_CHECKING:
    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet

    from venvman.model.errors import FileLine
    from venvman.model.names import NormalizedName


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement or constraint, parsed.

    ``name`` is None for a direct reference that does not say it (``./pkg``, ``git+https://...``):
    it is known only after building. ``extras`` are in PEP 685 form. ``hashes`` are
    ``sha256:<hex>``. ``raw`` is the line's requirement part as written (variables unexpanded,
    comments and per-line options gone); for an editable it is what follows ``-e``.
    """

    name: NormalizedName | None
    spelled: str | None = None
    extras: frozenset[str] = frozenset()
    specifier: SpecifierSet
    marker: Marker | None = None
    source: Source = field(default_factory=IndexSource)
    hashes: tuple[str, ...] = ()
    config_settings: tuple[tuple[str, str], ...] = ()
    constraint: bool = False
    origin: FileLine
    raw: str = ""
