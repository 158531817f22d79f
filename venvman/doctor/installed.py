"""VM4: what differs from the locks, and whether every distribution finds what it needs.

The second half is what ``pip check`` answers, with two differences: extras count (those that the
lock, the requirements or another distribution ask for), and nothing is imported or started.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.doctor.finding import Cause, Finding
from venvman.doctor.remedies import is_moved_by_hand, of_damage
from venvman.drift import Damaged, Difference, Duplicate, Extra, Missing, OtherSource, OtherVersion
from venvman.lock.style import left_out
from venvman.model.errors import Command
from venvman.model.names import TOOLS, NormalizedName, canonical
from venvman.model.pep508 import Malformed, parse_requirement, parse_specifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from packaging.requirements import Requirement

    from venvman.doctor.examination import Examination
    from venvman.environment.inventory import Installed, Inventory
    from venvman.model.metadata import CoreMetadata
    from venvman.model.target import Target

_SYNC = Command.venvman("sync")


def drift(examination: Examination) -> Iterator[Finding]:
    """What differs from the lock. Duplicates and damage are found below, locked or not."""
    for difference in examination.differences:
        finding = _of_difference(examination, difference)
        if finding is not None:
            yield finding


def duplicates(examination: Examination) -> Iterator[Finding]:
    """Names that two metadata folders claim: Python takes either, by chance."""
    found: defaultdict[NormalizedName, list[Installed]] = defaultdict(list)
    for each in examination.distributions:
        found[each.name].append(each)
    for name, several in found.items():
        if len(several) > 1:
            versions = ", ".join(str(each.version or "unknown") for each in several)
            yield codes.DUPLICATE(
                f"{name} is installed {len(several)} times ({versions}): which one Python "
                "imports and which one tools see is chance.",
                package=name,
                path=examination.display(several[0].metadata),
                fix=_fix_of_drift(examination, name),
            )


def damage(examination: Examination) -> Iterator[Finding]:
    """Distributions whose metadata cannot be read or trusted."""
    for each in examination.distributions:
        if each.damage is not None:
            yield codes.DAMAGED(
                f"The metadata of {each.name} is damaged: {each.damage}.",
                package=each.name,
                path=examination.display(each.metadata),
                fix=of_damage(each) or _fix_of_drift(examination, each.name),
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
            there = examination.environment
            moved = there is not None and is_moved_by_hand(there.root, entry, installed)
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
            if installed.name in examination.keep:
                return None
            version = f" {installed.version}" if installed.version is not None else ""
            return codes.EXTRA(
                f"{installed.name}{version} is installed, but no lock in use names it.",
                package=installed.name,
                path=examination.display(installed.metadata),
                fix=_SYNC,
            )
        case Duplicate() | Damaged():
            return None


def _fix_of_drift(examination: Examination, name: NormalizedName) -> Command:
    """The command that makes ``name`` whole: sync for what is drift, pip for pip's own kind."""
    locked = {entry.name for entry in examination.entries or ()}
    if name in locked or name not in TOOLS:
        return _SYNC
    if examination.environment is not None:
        python = examination.environment.python
        return Command.of(python, "-m", "pip", "install", "--force-reinstall", "--no-deps", name)
    return Command.venvman("sync", "--recreate")


# Nine in ten Requires-Dist lines are for an extra that nobody asked for. Where a marker is a plain
# conjunction and one of its terms is `extra == "..."`, it cannot hold without that extra, so that
# the line need not be parsed at all: 1,100 of 1,450 lines in an environment of 180 distributions.
_FOR_AN_EXTRA = re.compile(r""";.*\bextra\s*==\s*["']""")
_EITHER = re.compile(r"\bor\b")


def needs(examination: Examination) -> Iterator[Finding]:
    """Dependencies that are missing, or there in a version that will not do."""
    installed = {each.name: each for each in examination.distributions}
    for each, requirement in asked(examination):
        if isinstance(requirement, str):
            yield codes.DEPENDENCY_UNREADABLE(
                f"{_named(each)} says that it needs {requirement!r}, which is not a requirement "
                "(PEP 508).",
                package=each.name,
                path=examination.display(each.metadata),
            )
            continue
        for demanded in _demanded(examination, requirement):
            found = installed.get(canonical(demanded.name))
            finding = _unmet(examination, each, demanded, found)
            if finding is not None:
                yield finding


def asked(examination: Examination) -> Iterator[tuple[Installed, Requirement | str]]:
    """What each distribution needs here, with the extras that anything asks for."""
    if examination.inventory is not None and examination.target is not None:
        wanted: defaultdict[NormalizedName, set[str]] = defaultdict(set)
        for entry in examination.entries or ():
            wanted[entry.name] |= set(map(canonical, entry.extras))
        # Locks made with --strip-extras have none: the requirements still say what was asked for.
        for group in examination.requirements.groups if examination.requirements else ():
            for requirement in group.requirements:
                if requirement.name is not None and requirement.extras:
                    wanted[requirement.name] |= set(map(canonical, requirement.extras))
        yield from active(
            examination.inventory, wanted, target=examination.target, metadata=examination.metadata
        )


def _demanded(examination: Examination, requirement: Requirement) -> Iterator[Requirement]:
    """``requirement``, or what the configuration puts in its place."""
    from packaging.requirements import Requirement as Parsed

    name = canonical(requirement.name)
    if name not in examination.overrides:
        yield requirement
    for each in examination.overrides.get(name, ()):
        carried = str(requirement.specifier) if each.name != name else ""
        yield Parsed(f"{each.name}{each.specifier or carried}")


def python(examination: Examination) -> Iterator[Finding]:
    """Distributions that are not made for the environment's Python."""
    if examination.inventory is None or examination.target is None:
        return
    version = examination.target.python
    for each in examination.inventory.distributions:
        metadata = examination.metadata(each)
        required = metadata.requires_python if metadata is not None else None
        if required is not None and not _allows(required, version):
            yield codes.PYTHON_UNSUPPORTED(
                f"{_named(each)} needs Python {required}, but the environment has {version}.",
                package=each.name,
                path=examination.display(each.metadata),
                fix=Command.venvman("upgrade", each.name).then("sync"),
            )


def active(
    inventory: Inventory,
    wanted: defaultdict[NormalizedName, set[str]],
    *,
    target: Target,
    metadata: Callable[[Installed], CoreMetadata | None],
) -> Iterator[tuple[Installed, Requirement | str]]:
    """Every requirement that holds here, with who has it; a line that cannot be read as text.

    ``wanted`` are the extras asked for by name; those that one distribution asks of another are
    followed until no new ones turn up.
    """
    found: dict[NormalizedName, Mapping[str, Requirement | str]] = {}
    by_name = {each.name: each for each in inventory.distributions}
    described = {name: metadata(each) for name, each in by_name.items()}
    waiting = set(by_name)
    while waiting:
        name = waiting.pop()
        found[name] = _holding(described[name], extras=frozenset(wanted[name]), target=target)
        for requirement in found[name].values():
            if isinstance(requirement, str) or not requirement.extras:
                continue
            asked = canonical(requirement.name)
            extras = set(map(canonical, requirement.extras))
            if asked in by_name and not extras <= wanted[asked]:
                wanted[asked] |= extras
                waiting.add(asked)
    for name in sorted(found):
        for requirement in found[name].values():
            yield by_name[name], requirement


def _holding(
    metadata: CoreMetadata | None, *, extras: frozenset[str], target: Target
) -> dict[str, Requirement | str]:
    """The requirements of ``metadata`` whose marker holds on ``target``, by line."""
    holding: dict[str, Requirement | str] = {}
    for line in metadata.requires if metadata is not None else ():
        if not extras and _FOR_AN_EXTRA.search(line) and not _EITHER.search(line):
            continue
        requirement = _parsed(line)
        if requirement is None:
            holding[line] = line
        elif any(target.applies(requirement.marker, extra=each) for each in ("", *sorted(extras))):
            holding[line] = requirement
    return holding


def _unmet(
    examination: Examination, each: Installed, requirement: Requirement, found: Installed | None
) -> Finding | None:
    name = canonical(requirement.name)
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    asked = f"{name}{extras} {requirement.specifier}".rstrip()
    path = examination.display(each.metadata)
    fix, cause = _fix(examination, each, name), _cause(examination, name)
    if found is None:
        message = f"{_named(each)} needs {asked}, which is not installed."
        return codes.DEPENDENCY_MISSING(message, package=each.name, path=path, fix=fix, cause=cause)
    if found.version is None or requirement.specifier.contains(found.version, prereleases=True):
        return None
    message = f"{_named(each)} needs {asked}, but {found.version} is installed."
    return codes.DEPENDENCY_VERSION(message, package=each.name, path=path, fix=fix, cause=cause)


def _cause(examination: Examination, needed: NormalizedName) -> Cause | None:
    """The drift of ``needed``, where it is not what is locked."""
    for difference in examination.differences:
        if difference.name == needed and isinstance(difference, (Missing, OtherVersion)):
            missing = isinstance(difference, Missing)
            return Cause((codes.MISSING if missing else codes.OTHER_VERSION).code, needed)
    return None


def _fix(examination: Examination, each: Installed, needed: NormalizedName) -> Command:
    """Sync, where the lock has the answer or leaves it to sync; else the lock is incomplete."""
    if any(each.lock is not None and needed in left_out(each.lock) for each in examination.locks):
        return Command.venvman("sync")
    differences = examination.differences
    if any(difference.name in (each.name, needed) for difference in differences):
        return Command.venvman("sync")
    return Command.venvman("freeze").then("sync")


@cache
def _parsed(line: str) -> Requirement | None:
    try:
        return parse_requirement(line)
    except Malformed:
        return None


@cache
def _allows(required: str, version: str) -> bool:
    try:
        return parse_specifier(required).contains(version, prereleases=True)
    except Malformed:
        return True  # installers ignore it too


def _named(each: Installed) -> str:
    return f"{each.name} {each.version}" if each.version is not None else each.name
