"""Plan: the steps that remove the drift, computed completely before anything is touched. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.drift import (
    Damaged,
    Duplicate,
    Extra,
    Missing,
    OtherSource,
    OtherVersion,
)
from venvman.frozen import dataclass
from venvman.names import TOOLS, canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.drift import Difference, Drift
    from venvman.environment.inventory import Installed, Inventory
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName
    from venvman.target import Target

__all__ = ["Add", "Plan", "Remove", "Replace", "Step", "kept", "make_plan"]


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


def kept(
    drift: Drift, inventory: Inventory, keep: Iterable[NormalizedName], target: Target
) -> frozenset[NormalizedName]:
    """What stays though no lock names it: ``keep``, pip, setuptools, wheel, and what they need.

    Read from the metadata of those that are installed, extras that one asks of another included.
    """
    keep = frozenset(keep)
    if not any(isinstance(each, (Extra, Duplicate)) for each in drift.differences):
        return keep
    from venvman.environment.inventory import metadata_of
    from venvman.lock.depends import dependencies_of

    there = {each.name: each for each in inventory.distributions}
    pending = [(name, "") for name in keep | TOOLS]
    seen: set[tuple[NormalizedName, str]] = set()
    while pending:
        name, extra = pending.pop()
        if name not in there or (name, extra) in seen:
            continue
        seen.add((name, extra))
        metadata = metadata_of(there[name])
        lines = metadata.requires if metadata is not None else ()
        for line in dependencies_of(lines, target=target, extra=extra):
            needed = canonical(line.name)
            pending += [(needed, each) for each in ("", *map(canonical, line.extras))]
    return keep | {name for name, _ in seen}


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
