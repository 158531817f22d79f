"""``freeze --installed``: locks of what the environment holds now."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from venvman.errors import Command, EnvironmentUnusable, LockError
from venvman.events import Stage
from venvman.outcomes import FreezeOutcome, LockOutcome
from venvman.workflow.filling import filled_where_due
from venvman.workflow.inputs import open_scan
from venvman.workflow.locks import read_group_lock
from venvman.workflow.planning import own_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman.environment.inspection import Environment
    from venvman.environment.inventory import Installed
    from venvman.events import Stopwatch
    from venvman.index.client import Index
    from venvman.lock.file import Lock
    from venvman.lock.header import LockHeader
    from venvman.lock.installed import InstalledLocks
    from venvman.requirements.groups import Group, RequirementSet
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
    from venvman.lock.io import check_writable, write_locks
    from venvman.lock.render import render_lock

    environment = _environment(context)
    before = {group.name: _existing(context, group) for group in requirements.groups}
    for group in requirements.groups:
        shown, declared = context.project.display(group.lock), group.declared
        check_writable(group.lock, display=shown, yes=request.yes, declared=declared)
    with watch.stage(Stage.FREEZE):
        made = _lock(context, requirements, environment, before, request)
    looking = request.check or request.dry_run
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


def _environment(context: Context) -> Environment:
    from venvman.environment.inspection import usable
    from venvman.environment.lifecycle import locate

    path = locate(context.project, context.settings)
    environment = usable(path, directories=context.directories)
    if environment is None:
        raise EnvironmentUnusable(
            f"There is no environment {context.project.display(path)} to pin.",
            code="environment-absent",
            path=context.project.display(path),
            fix=Command.venvman("sync"),
        )
    return environment


def _existing(context: Context, group: Group) -> Lock | None:
    """A lock that cannot be read is no reason not to write a new one."""
    try:
        return read_group_lock(context, group.lock)
    except LockError:
        return None


def _lock(
    context: Context,
    requirements: RequirementSet,
    environment: Environment,
    before: Mapping[str, Lock | None],
    request: FreezeRequest,
) -> InstalledLocks:
    from venvman.environment.inventory import Inventory, metadata_of, take_inventory
    from venvman.lock.installed import lock_installed

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
    from venvman.lock.header import LockStyle
    from venvman.lock.style import own_header, target_names

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
