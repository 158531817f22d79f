"""Plan: the steps that remove the drift, computed completely before anything is touched. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.drift import Damaged, Duplicate, Extra, Missing, OtherSource, OtherVersion
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from venvman.drift import Difference, Drift
    from venvman.environment.inventory import Installed
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName

__all__ = ["Add", "Plan", "Remove", "Replace", "Step", "make_plan"]


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


def make_plan(drift: Drift, *, keep: frozenset[NormalizedName], inexact: bool = False) -> Plan:
    """The steps that remove ``drift``, ordered by name.

    ``keep`` names distributions that stay although no lock names them, ``inexact`` keeps all of
    those. What a lock does name is put right either way.
    """
    steps = []
    for difference in drift.differences:
        step = _step(difference)
        if isinstance(step, Remove) and (inexact or step.name in keep):
            continue
        steps.append(step)
    return Plan(steps=tuple(sorted(steps, key=lambda step: step.name)), unchanged=drift.unchanged)


def _step(difference: Difference) -> Step:
    match difference:
        case Missing(entry=entry):
            return Add(entry=entry, because="not installed")
        case OtherVersion(entry=entry, installed=installed):
            because = f"{installed.version} installed, {entry.version} locked"
            return Replace(entry=entry, installed=(installed,), because=because)
        case OtherSource(entry=entry, installed=installed, because=because):
            return Replace(entry=entry, installed=(installed,), because=because)
        case Damaged(entry=entry, installed=installed):
            return Replace(entry=entry, installed=(installed,), because=_damage(installed))
        case Duplicate(entry=entry, installed=several):
            if entry is None:
                return Remove(installed=several, because="no lock in use names it")
            return Replace(
                entry=entry, installed=several, because=f"installed {len(several)} times"
            )
        case Extra(installed=installed):
            return Remove(installed=(installed,), because="no lock in use names it")


def _damage(installed: Installed) -> str:
    return installed.damage or "its metadata is damaged"
