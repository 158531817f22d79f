"""VM4, first half: drift, duplicates, damaged metadata, leftovers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.doctor.remedies import is_moved_by_hand, of_damage
from venvman.drift import Damaged, Duplicate, Extra, Missing, OtherSource, OtherVersion
from venvman.environment.inspection import Environment
from venvman.errors import Command
from venvman.names import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.drift import Difference
    from venvman.environment.inventory import Installed
    from venvman.names import NormalizedName

_SYNC = Command.venvman("sync")


def drift(examination: Examination) -> Iterator[Finding]:
    """What differs from the lock. Duplicates and damage are found below, locked or not."""
    for difference in examination.drift.differences if examination.drift else ():
        finding = _of_difference(examination, difference)
        if finding is not None:
            yield finding


def duplicates(examination: Examination) -> Iterator[Finding]:
    """Names that two metadata folders claim: Python takes either, by chance."""
    found: defaultdict[NormalizedName, list[Installed]] = defaultdict(list)
    for each in examination.inventory.distributions if examination.inventory else ():
        found[each.name].append(each)
    for name, several in found.items():
        if len(several) > 1:
            versions = ", ".join(str(each.version or "unknown") for each in several)
            yield codes.DUPLICATE(
                f"{name} is installed {len(several)} times ({versions}): which one Python "
                "imports and which one tools see is chance.",
                package=name,
                path=examination.display(several[0].metadata),
                fix=_mend(examination, name),
            )


def damage(examination: Examination) -> Iterator[Finding]:
    """Distributions whose metadata cannot be read or trusted."""
    for each in examination.inventory.distributions if examination.inventory else ():
        if each.damage is not None:
            yield codes.DAMAGED(
                f"The metadata of {each.name} is damaged: {each.damage}.",
                package=each.name,
                path=examination.display(each.metadata),
                fix=of_damage(each) or _mend(examination, each.name),
            )


def leftovers(examination: Examination) -> Iterator[Finding]:
    """Halves that pip renamed and never came back to."""
    for path in examination.inventory.leftovers if examination.inventory else ():
        shown = examination.display(path)
        yield codes.LEFTOVER(
            f"{shown} is left from an install or uninstall that was stopped.",
            path=shown,
            fix=Command.of("rm", "-r", path),
        )


def _of_difference(examination: Examination, difference: Difference) -> Finding | None:
    match difference:
        case Missing(entry=entry):
            pinned = f" {entry.version}" if entry.version is not None else ""
            path = entry.origin.path if entry.origin else None
            line = entry.origin.line if entry.origin else None
            message = f"{entry.name}{pinned} is locked, but not installed."
            return codes.MISSING(message, package=entry.name, path=path, line=line, fix=_SYNC)
        case OtherVersion(entry=entry, installed=installed):
            condition = examination.condition
            moved = isinstance(condition, Environment) and is_moved_by_hand(
                condition.root, entry, installed
            )
            more = f", with the hash of {installed.version}: the pin was moved by hand"
            return codes.OTHER_VERSION(
                f"{entry.name} {installed.version} is installed, but {entry.version} is locked"
                f"{more if moved else ''}.",
                package=entry.name,
                path=examination.display(installed.metadata),
                fix=Command.venvman("upgrade", entry.name) if moved else _SYNC,
            )
        case OtherSource(entry=entry, installed=installed, because=because):
            return codes.OTHER_SOURCE(
                f"{entry.name} is not the one that is locked: {because}.",
                package=entry.name,
                path=examination.display(installed.metadata),
                fix=_SYNC,
            )
        case Extra(installed=installed):
            return _extra(examination, installed)
        case Duplicate() | Damaged():
            return None


def _extra(examination: Examination, installed: Installed) -> Finding | None:
    if installed.name in examination.keep:
        return None
    version = f" {installed.version}" if installed.version is not None else ""
    return codes.EXTRA(
        f"{installed.name}{version} is installed, but no lock in use names it.",
        package=installed.name,
        path=examination.display(installed.metadata),
        fix=_SYNC,
    )


def _mend(examination: Examination, name: NormalizedName) -> Command:
    """The command that makes ``name`` whole: sync for what is drift, pip for pip's own kind."""
    locked = {entry.name for entry in examination.entries or ()}
    if name in locked or name not in TOOLS:
        return _SYNC
    if isinstance(examination.condition, Environment):
        python = examination.condition.python
        return Command.of(python, "-m", "pip", "install", "--force-reinstall", "--no-deps", name)
    return Command.venvman("sync", "--recreate")
