"""Plan: the steps that remove the drift, computed completely before anything is touched. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.drift import (
    Damaged,
    Duplicate,
    Extra,
    Missing,
    OtherSource,
    OtherVersion,
)
from venvman.model.frozen import dataclass
from venvman.model.names import TOOLS, canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from venvman.drift import Difference, Drift
    from venvman.environment.inventory import Installed, Inventory
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target


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

    ``unchanged`` counts the locked distributions that are right already. ``needed`` are those that
    no lock names and that stay because a locked one needs them, each with one that does.
    """

    steps: tuple[Step, ...]
    unchanged: int
    needed: tuple[tuple[Installed, NormalizedName], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)


def kept(
    drift: Drift,
    inventory: Inventory,
    keep: Iterable[NormalizedName],
    target: Target,
    *,
    locked: Iterable[NormalizedName] = (),
    overridden: Collection[NormalizedName] = (),
) -> Mapping[NormalizedName, NormalizedName | None]:
    """What stays though no lock names it: ``keep``, and what is needed.

    Read from the metadata of those that are installed: of ``keep``, pip, setuptools and wheel, and
    of the ``locked`` that are as they should be (a lock may have lost a pin), who stand beside what
    they need; extras that one asks of another included. What is ``overridden`` nobody ``locked``
    needs.
    """
    if not any(isinstance(each, (Extra, Duplicate)) for each in drift.differences):
        return dict.fromkeys(keep)
    mine = needs(inventory, {*keep, *TOOLS}, target)
    changing = {*locked} & {each.name for each in drift.differences}
    right = {*locked} - changing
    # What a version that goes needs is needed no more.
    staying = tuple(each for each in inventory.distributions if each.name not in changing)
    theirs = needs(replace(inventory, distributions=staying), right, target).items()
    lost = {name: asking for name, asking in theirs if asking and name not in overridden}
    return {**lost, **dict.fromkeys(mine)}


def needs(
    inventory: Inventory, names: Iterable[NormalizedName], target: Target
) -> Mapping[NormalizedName, NormalizedName | None]:
    """``names``, and all that those of them that are installed need, with who needs it."""
    from venvman.environment.inventory import metadata_of
    from venvman.lock.match import dependencies_of

    there = {each.name: each for each in inventory.distributions}
    found: dict[NormalizedName, NormalizedName | None] = dict.fromkeys(names)
    pending = [(name, "") for name in found if name in there]
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
            found.setdefault(needed, name)
            pending += [(needed, each) for each in ("", *map(canonical, line.extras))]
    return found


def make_plan(
    drift: Drift,
    *,
    keep: Mapping[NormalizedName, NormalizedName | None],
    inexact: bool = False,
) -> Plan:
    """The steps that remove ``drift``, ordered by name.

    ``keep`` names distributions that stay although no lock names them, as :func:`kept` gives them;
    ``inexact`` keeps all of those. What a lock does name is put right either way.
    """
    steps: list[Step] = []
    needed: list[tuple[Installed, NormalizedName]] = []
    for difference in drift.differences:
        step = _step(difference)
        if not isinstance(step, Remove) or not (inexact or step.name in keep):
            steps.append(step)
        elif asking := keep.get(step.name):
            needed.append((step.installed[0], asking))
    return Plan(
        steps=tuple(sorted(steps, key=lambda step: step.name)),
        unchanged=drift.unchanged,
        needed=tuple(needed),
    )


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
            return Replace(
                entry=entry,
                installed=(installed,),
                because=(installed.damage or "its metadata is damaged"),
            )
        case Duplicate(entry=entry, installed=several):
            if entry is None:
                return Remove(installed=several, because="no lock in use names it")
            return Replace(
                entry=entry, installed=several, because=f"installed {len(several)} times"
            )
        case Extra(installed=installed):
            return Remove(installed=(installed,), because="no lock in use names it")
