"""Plan: the steps that remove the drift, computed completely before anything is touched. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.inventory import Installed
    from venvman.lockfile import LockEntry
    from venvman.names import NormalizedName

__all__ = ["Add", "Plan", "Remove", "Replace", "Step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Install ``entry``; nothing of that name is there. ``because`` is a short reason."""

    entry: LockEntry
    because: str

    @property
    def name(self) -> NormalizedName:
        """The distribution this step is about."""
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Take ``installed`` out (more than one where duplicates are), put ``entry`` in."""

    entry: LockEntry
    installed: tuple[Installed, ...]
    because: str

    @property
    def name(self) -> NormalizedName:
        """The distribution this step is about."""
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take ``installed`` out."""

    installed: tuple[Installed, ...]
    because: str

    @property
    def name(self) -> NormalizedName:
        """The distribution this step is about."""
        return self.installed[0].name


Step = Add | Replace | Remove


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Ordered steps (by name); falsy when there is nothing to do.

    ``unchanged`` counts the locked distributions that are right already.
    """

    steps: tuple[Step, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.steps)
