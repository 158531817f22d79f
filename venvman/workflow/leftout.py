"""What a lock leaves out by rule and its packages need all the same: setuptools, as a rule.

pip-compile without ``--allow-unsafe`` pins neither pip nor setuptools; pip then installs whatever
is newest, and so does ``sync``. What is there and fits stays.
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING

from venvman.errors import Advice, InstallError, Problem, Severity
from venvman.lock.file import LockEntry
from venvman.lock.style import left_out
from venvman.names import NormalizedName, canonical
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.specifiers import SpecifierSet

    from venvman.environment.inspection import Environment
    from venvman.environment.inventory import Installed, Inventory
    from venvman.lock.file import Lock
    from venvman.options import IndexOptions
    from venvman.scan import Scan
    from venvman.target import Target
    from venvman.workflow.context import Context

__all__ = ["needed_beside"]

_ASKS = rb"^Requires-Dist:\s*(?:setuptools|pip|distribute)\b"
_NEEDS = re.compile(_ASKS, re.MULTILINE | re.IGNORECASE)


def needed_beside(
    context: Context,
    scan: Scan,
    environment: Environment,
    inventory: Inventory,
    locks: Sequence[Lock],
    options: IndexOptions,
) -> tuple[LockEntry, ...]:
    """A pin for everything that ``locks`` leave out and what is installed needs.

    What is installed stays where it fits; else it is the newest version that does.

    Raises:
        InstallError: there is no such version.
        IndexFault: the index did not answer.
    """
    pinned = {entry.name for lock in locks for entry in lock.entries}
    absent = frozenset[NormalizedName]().union(*map(left_out, locks)) - pinned
    target = environment.interpreter.target
    wanted = _needs(scan, inventory, absent, target) if absent else {}
    if not wanted:
        return ()
    there = {each.name: each for each in inventory.distributions}
    found: list[LockEntry] = []
    for name, (specifier, who) in sorted(wanted.items()):
        installed = there.get(name)
        version = installed.version if installed is not None else None
        if version is not None and specifier.contains(version, prereleases=True):
            found.append(LockEntry(name=name, version=version))
        else:
            entry = _newest(context, name, specifier, who, target, options)
            context.reporter.problem(_told(entry, who))
            found.append(entry)
    return tuple(found)


def _needs(
    scan: Scan, inventory: Inventory, absent: frozenset[NormalizedName], target: Target
) -> Mapping[NormalizedName, tuple[SpecifierSet, NormalizedName]]:
    """What is asked of each of ``absent``, all together, and one distribution that asks."""
    from venvman.doctor.dependencies import active
    from venvman.environment.inventory import metadata_of

    found: dict[NormalizedName, tuple[SpecifierSet, NormalizedName]] = {}
    if not any(map(_mentions, inventory.distributions)):
        return found
    wanted: defaultdict[NormalizedName, set[str]] = defaultdict(set)
    for file in scan.files:
        for line in file.parsed.requirements if file.parsed else ():
            if line.requirement.name is not None:
                wanted[line.requirement.name] |= set(map(canonical, line.requirement.extras))
    for each, requirement in active(inventory, wanted, target=target, metadata=metadata_of):
        if isinstance(requirement, str) or each.name in absent:
            continue
        name = canonical(requirement.name)
        if name in absent:
            known, who = found.get(name, (requirement.specifier, each.name))
            found[name] = known & requirement.specifier, who
    return found


def _mentions(installed: Installed) -> bool:
    """Whether its metadata may ask for one of the packages that are left out."""
    try:
        return _NEEDS.search(read_regular(installed.metadata / "METADATA")) is not None
    except OSError:
        return True  # an egg, or damaged: looked at closely


def _newest(
    context: Context, name: NormalizedName, specifier: SpecifierSet, who: NormalizedName,
    target: Target, options: IndexOptions,
) -> LockEntry:  # fmt: skip
    from venvman.candidates import Candidates

    with closing(context.open_index(options)) as index:
        project = index.project(name)
        candidates = Candidates(project, target=target, options=index.options)
        best = next(candidates.matching(specifier), None)
        if best is None:
            raise InstallError(
                f"No version of {name} fits: {who} needs {name}{specifier}.",
                code="left-out-missing",
                why="The lock leaves it out (no --allow-unsafe), so sync looks for the newest.",
                fix=Advice(f"Write into a requirements file which {name} is meant."),
            )
        hashes = {each for file in candidates.files(best.version) for each in file.hashes}
    return LockEntry(name=name, version=best.version, hashes=tuple(sorted(_sha256(hashes))))


def _sha256(hashes: set[str]) -> Iterator[str]:
    return (each for each in hashes if each.startswith("sha256:"))


def _told(entry: LockEntry, who: NormalizedName) -> Problem:
    return Problem(
        code="left-out-installed",
        severity=Severity.NOTE,
        message=f"{entry.name} {entry.version} is installed beside the lock: {who} needs it.",
        why="The lock's command has no --allow-unsafe, so that it pins neither pip nor setuptools.",
    )
