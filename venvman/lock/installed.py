"""Locks of what is installed now: ``venvman freeze --installed``. Pure.

The closure of each group's requirements is pinned as it is found. What no requirement asks for is
named and left out: a lock that pins it would be stale as soon as it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import Command, Problem, Severity
from venvman.frozen import dataclass
from venvman.lock.depends import dependencies_of
from venvman.lock.file import Lock, LockEntry, LockHeader, sort_key
from venvman.names import TOOLS, canonical
from venvman.sources import DirectorySource, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from venvman.environment.inventory import Installed, Inventory
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Group, Requirement
    from venvman.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledLocks:
    """One lock for each group; ``unasked`` is installed without a requirement that needs it.

    ``problems`` are warnings: one for each of ``unasked``, each requirement that is not installed
    or not satisfied, and each distribution whose version cannot be read.
    """

    locks: Mapping[str, Lock]
    unasked: tuple[Installed, ...]
    problems: tuple[Problem, ...]


def lock_installed(
    inventory: Inventory,
    groups: Sequence[Group],
    *,
    target: Target,
    root: Path,
    headers: Mapping[str, LockHeader],
    requires: Callable[[Installed], Sequence[str]],
    hashes: Callable[[Installed], Sequence[str]] | None = None,
) -> InstalledLocks:
    """Pins ``inventory`` for ``groups``.

    Args:
        inventory: what the environment holds.
        groups: the project's; ``headers`` has the header of each one's lock, by name.
        target: the environment's.
        root: the project's, which folders are written relative to.
        headers: see ``groups``.
        requires: a distribution's ``Requires-Dist`` lines.
        hashes: the ``sha256:<hex>`` of every file of a release, from the index; None for a lock
            without hashes.
    """
    found = {one.name: one for one in inventory.distributions if one.version is not None}
    walk = _Walk(found, target, requires)
    problems: list[Problem] = []
    locks = {}
    reached: set[NormalizedName] = set()
    for group in groups:
        via = walk.closure(group, problems)
        reached |= via.keys()
        entries = [_entry(found[name], names, root, hashes) for name, names in via.items()]
        locks[group.name] = Lock(
            entries=tuple(sorted(entries, key=sort_key)), header=headers[group.name]
        )
    unasked = tuple(
        one for one in inventory.distributions if one.name not in reached and one.name not in TOOLS
    )
    problems += [_unasked(one) for one in unasked]
    return InstalledLocks(locks=locks, unasked=unasked, problems=tuple(dict.fromkeys(problems)))


class _Walk:
    """Follows requirements through what is installed."""

    def __init__(
        self,
        found: Mapping[NormalizedName, Installed],
        target: Target,
        requires: Callable[[Installed], Sequence[str]],
    ) -> None:
        self._found = found
        self._target = target
        self._requires = requires

    def closure(self, group: Group, problems: list[Problem]) -> dict[NormalizedName, set[str]]:
        """Every installed distribution that ``group`` needs, each with its ``via``."""
        via: dict[NormalizedName, set[str]] = {}
        pending: list[tuple[NormalizedName, str]] = []
        for requirement in group.requirements:
            if not self._target.applies(requirement.marker):
                continue
            one = self._of(requirement)
            if one is None or not _satisfies(one, requirement):
                problems.append(_unmet(requirement, one))
            if one is not None:
                via.setdefault(one.name, set()).add(f"-r {requirement.origin.path}")
                pending += [(one.name, extra) for extra in ("", *sorted(requirement.extras))]
        self._follow(pending, via)
        for limit in group.constraints:
            if limit.name in via and self._target.applies(limit.marker):
                via[limit.name].add(f"-c {limit.origin.path}")
        return via

    def _follow(
        self, pending: list[tuple[NormalizedName, str]], via: dict[NormalizedName, set[str]]
    ) -> None:
        seen: set[tuple[NormalizedName, str]] = set()
        while pending:
            name, extra = pending.pop()
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            lines = self._requires(self._found[name])
            for dependency in dependencies_of(lines, target=self._target, extra=extra):
                needed = canonical(dependency.name)
                if needed not in self._found:
                    continue
                if needed != name:
                    via.setdefault(needed, set()).add(name)
                pending += [
                    (needed, canonical(wanted)) for wanted in ("", *sorted(dependency.extras))
                ]

    def _of(self, requirement: Requirement) -> Installed | None:
        if requirement.name is not None:
            return self._found.get(requirement.name)
        return next((one for one in self._found.values() if one.source == requirement.source), None)


def _satisfies(one: Installed, requirement: Requirement) -> bool:
    direct = not requirement.source.is_index
    return direct or (
        one.version is not None and requirement.specifier.contains(one.version, prereleases=True)
    )


def _entry(
    one: Installed,
    via: Iterable[str],
    root: Path,
    hashes: Callable[[Installed], Sequence[str]] | None,
) -> LockEntry:
    indexed = one.source.is_index
    return LockEntry(
        name=one.name,
        version=one.version if indexed else None,
        source=_relative(one.source, root),
        hashes=tuple(sorted(set(hashes(one)))) if hashes and indexed else (),
        via=tuple(sorted(via)),
    )


def _relative(source: Source, root: Path) -> Source:
    if not isinstance(source, DirectorySource):
        return source
    import os
    from dataclasses import replace

    return replace(source, path=os.path.relpath(source.path, root).replace(os.sep, "/"))


def _unmet(requirement: Requirement, one: Installed | None) -> Problem:
    but = f"{one.name} {one.version} is installed" if one else "it is not installed"
    return Problem(
        code="installed-misses-requirement",
        severity=Severity.WARNING,
        message=f"{requirement.origin} asks for {requirement.raw or requirement.name}, but {but}.",
        path=requirement.origin.path,
        line=requirement.origin.line,
        text=requirement.origin.text,
        fix=Command.venvman("sync"),
    )


def _unasked(one: Installed) -> Problem:
    return Problem(
        code="installed-unasked",
        severity=Severity.WARNING,
        message=f"{one.name} {one.version or ''} is installed, but no requirement asks for it; "
        "it is not locked.".replace("  ", " "),
        fix=Command.venvman("add", one.name),
    )
