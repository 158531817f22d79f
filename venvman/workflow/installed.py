"""``freeze --installed``: locks of what the environment holds now."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.environment.inventory import Installed, Inventory, metadata_of, take_inventory
from venvman.lock.file import Lock, LockEntry, sort_key
from venvman.lock.io import check_writable, write_locks
from venvman.lock.match import dependencies_of
from venvman.lock.render import render_lock
from venvman.lock.style import own_header, target_names
from venvman.model.errors import Command, Problem, Severity
from venvman.model.events import Stage, Stopwatch
from venvman.model.frozen import dataclass
from venvman.model.names import TOOLS, NormalizedName, canonical
from venvman.model.sources import DirectorySource, Source
from venvman.outcomes import FreezeOutcome, LockOutcome
from venvman.requirements.header import LockHeader, LockStyle
from venvman.system.secrets import line_of
from venvman.workflow.filling import filled_where_due
from venvman.workflow.inputs import open_scan
from venvman.workflow.locks import readable_lock
from venvman.workflow.planning import own_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from venvman.environment.inspection import Environment
    from venvman.index.client import Index
    from venvman.model.target import Target
    from venvman.project.groups import Group, RequirementSet
    from venvman.requirements.file import Requirement
    from venvman.workflow.context import Context
    from venvman.workflow.requests import FreezeRequest


def freeze_installed(
    context: Context, requirements: RequirementSet, request: FreezeRequest, watch: Stopwatch
) -> FreezeOutcome:
    """Pins what is installed for every group, with warnings about what nothing asks for.

    Raises:
        EnvironmentUnusable: there is no environment, or it is broken.
        LockError: a file in a lock's way; nothing has been written then.
        IndexFault: the hashes could not be had.
    """
    environment = context.require_environment("to pin")
    # A lock that cannot be read is no reason not to write a new one.
    before = {group.name: readable_lock(context, group.lock) for group in requirements.groups}
    for group in requirements.groups:
        shown, declared = context.project.display(group.lock), group.declared
        check_writable(group.lock, display=shown, yes=request.yes, declared=declared)
    with watch.stage(Stage.FREEZE):
        made = _lock(context, requirements, environment, before, request)
    looking = request.looks
    groups = () if looking else requirements.groups
    locks = {each.lock: made.locks[each.name] for each in groups}
    known = {each.lock: before[each.name] for each in groups}
    written = write_locks(context.project, filled_where_due(context, locks, known))
    return FreezeOutcome(
        project=context.project,
        locks=tuple(
            LockOutcome(
                group=group.name,
                path=group.lock,
                lock=made.locks[group.name],
                before=old,
                changed=old is None or render_lock(old) != render_lock(made.locks[group.name]),
            )
            for group in requirements.groups
            for old in (before[group.name],)
        ),
        written=written,
        problems=made.problems,
        seconds=watch.seconds,
    )


def _lock(
    context: Context,
    requirements: RequirementSet,
    environment: Environment,
    before: Mapping[str, Lock | None],
    request: FreezeRequest,
) -> InstalledLocks:
    def requires(installed: Installed) -> Sequence[str]:
        metadata = metadata_of(installed)
        return metadata.requires if metadata else ()

    own = own_entry(context, open_scan(context))
    there = take_inventory(environment).distributions
    there = tuple(each for each in there if own is None or each.name != own.name)
    target = environment.interpreter.target
    options = tuple(option for group in requirements.groups for option in group.options)
    with closing(context.open_index(context.index_options(options))) as index:
        return lock_installed(
            Inventory(distributions=there),
            requirements.groups,
            target=target,
            root=context.project.root,
            headers={
                group.name: _header(before[group.name], target.minor)
                for group in requirements.groups
            },
            requires=requires,
            hashes=None if request.hashes is False else _hashes(index),
        )


def _header(before: Lock | None, minor: tuple[int, int]) -> LockHeader:
    """The existing lock's, so that its command stays; else venvman's own."""
    # What one environment holds is a lock for one target.
    if before is not None and before.header.is_lock and not target_names(before.header):
        return before.header
    return own_header(LockStyle(), python=f"{minor[0]}.{minor[1]}")


def _hashes(index: Index) -> Callable[[Installed], Sequence[str]]:
    """Every file of the installed release, as the index lists them."""

    def hashes(installed: Installed) -> Sequence[str]:
        from packaging.version import InvalidVersion, Version

        found: list[str] = []
        project = index.project(installed.name)
        for text in project.versions:
            try:
                same = Version(text) == installed.version
            except InvalidVersion:
                continue
            if same:
                found += [each for file in project.files(text) for each in file.hashes]
        return sorted({each for each in found if each.startswith("sha256:")})

    return hashes


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
    problems += [
        Problem(
            code="installed-unasked",
            severity=Severity.WARNING,
            message=f"{one.name} {one.version or ''} is installed, but no requirement asks for it; "
            "it is not locked.".replace("  ", " "),
            fix=Command.venvman("add", one.name),
        )
        for one in unasked
    ]
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
                asked = requirement.raw or requirement.name
                but = f"{one.name} {one.version} is installed" if one else "it is not installed"
                problems.append(
                    Problem(
                        code="installed-misses-requirement",
                        severity=Severity.WARNING,
                        message=f"{requirement.origin} asks for {asked}, but {but}.",
                        **line_of(requirement.origin),
                        fix=Command.venvman("sync"),
                    )
                )
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
    return replace(source, path=os.path.relpath(source.path, root).replace(os.sep, "/"))
