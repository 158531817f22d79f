"""``freeze``: requirements to locks, by an engine, when and only when it is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.environment.inventory import take_inventory
from venvman.lock.file import Lock, LockEntry
from venvman.lock.freshness import Stale, check
from venvman.lock.io import check_writable, write_locks
from venvman.lock.render import render_lock
from venvman.model.errors import (
    Advice,
    Command,
    ConfigurationError,
    LockError,
    LockStale,
    Problem,
    Severity,
    VenvmanError,
)
from venvman.model.events import Stage, Stopwatch
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.model.sources import VcsSource
from venvman.outcomes import FreezeOutcome, LockOutcome
from venvman.requirements.header import LockHeader
from venvman.system.locks import using
from venvman.system.secrets import line_of
from venvman.workflow.agreement import CheckedLock, by_standing
from venvman.workflow.filling import filled_where_due
from venvman.workflow.inputs import (
    choose_groups,
    load_requirements,
    open_scan,
    recall_groups,
    require_sources,
    tell_left_out,
)
from venvman.workflow.location import freezing_interpreter, is_adopted, own_python
from venvman.workflow.locks import check_locks, read_group_lock, remember, stale_reasons
from venvman.workflow.requests import FreezeRequest, GroupChoice
from venvman.workflow.targeting import wanted_targets
from venvman.workflow.together import Together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman import engines
    from venvman.project.groups import Group, RequirementSet
    from venvman.project.scan import Scan
    from venvman.python.probe import Interpreter
    from venvman.workflow.context import Context


def freeze(context: Context, request: FreezeRequest) -> FreezeOutcome:
    """Makes the locks match their requirements; ``request`` says how far it may go.

    Raises:
        VenvmanError: requirements or locks that cannot be read, no interpreter, no solution, no
            index, a file in a lock's way. Nothing has been written then.
    """
    if request.looks:
        context = context.looking()
    request = replace(request, groups=recall_groups(context, request.groups))
    watch = Stopwatch(context.reporter)
    with watch.stage(Stage.SCAN):
        scan = open_scan(context, request.groups)
        require_sources(context, scan)
        refuse_foreign_locks(scan, context)
        wanted = choose_groups(context, scan, request.groups)
        asked = {*wanted}
        # That all groups are to have locks does not say that they are installed together.
        usual = GroupChoice() if request.groups.everything else request.groups
        together = choose_groups(context, scan, usual)
        if not request.groups.only:
            asked |= {each.group for each in scan.sources if each.lock.is_file()}
        requirements = load_requirements(context, scan, None if request.installed else asked)
        requirements.require_reached()
        tell_left_out(context, requirements)
    if request.installed:
        from venvman.workflow.installed import freeze_installed

        return freeze_installed(context, requirements, request, watch)
    with watch.stage(Stage.SCAN):
        interpreter = freezing_interpreter(context)
        checked = check_locks(
            context,
            requirements,
            interpreter.target,
            together=together,
            overwrite=request.yes,
            ask=not request.looks,
            asked=asked,
        )
        requirements = replace(requirements, groups=tuple(each.group for each in checked))
    return FreezeRun(context, requirements, checked, interpreter, request, watch).carry_out()


@dataclass(frozen=True, slots=True)
class FreezeRun:
    """A freeze whose requirements are read, and whose locks are checked."""

    context: Context
    requirements: RequirementSet
    checked: Sequence[CheckedLock]
    interpreter: Interpreter
    request: FreezeRequest
    watch: Stopwatch

    @property
    def forced(self) -> bool:
        """Whether pins are to move, or hashes to come or go, however fresh the locks are."""
        wanted = self.request.upgrade is not None or self.request.hashes is not None
        return wanted or bool(self.request.prefer)

    def carry_out(self) -> FreezeOutcome:
        """Runs the engine where a lock is stale or an upgrade is asked for; writes what changes.

        A lock that is fresh is not written, unless its pins are to move or have to.
        """
        context, request, checked = self.context, self.request, self.checked
        reasons = stale_reasons(checked)
        if not reasons and not self.forced:
            if not request.looks:
                write_locks(context.project, {})
            remember(context, self.requirements.groups, self.interpreter.target)
            return self._outcome({})
        if request.check and not self.forced:
            return self._outcome(None, problems=reasons)
        self.requirements.require_reached()
        todo = [each for each in checked if self.forced or isinstance(each.freshness, Stale)]
        for each in todo:
            self._prepare(each.group)
        try:
            with self.watch.stage(Stage.FREEZE):
                found = (
                    self._run(context, todo, ())
                    if self.forced
                    else Together(context, checked, request, self._run).freeze(todo)
                )
        except VenvmanError as error:
            if not (reasons and any(each.code == "build-in-look" for each in error.problems)):
                raise
            raise LockStale(
                "The lock is out of date with its requirements; "
                "only a build tells what it becomes.",
                code="lock-stale",
                fix=Command.venvman("freeze"),
                problems=reasons,
            ) from error
        frozen = self._changed(todo, found)
        if request.looks:
            return self._outcome(frozen)
        if request.agree is not None:
            request.agree(self._outcome(frozen))
        groups = [each.group for each in checked if each.group.name in frozen]
        locks = {group.lock: frozen[group.name] for group in groups}
        before = {each.group.lock: each.lock for each in checked}
        written = write_locks(context.project, filled_where_due(context, locks, before))
        # What lies on disk now: its entries know their lines.
        read = {each.name: read_group_lock(context, each.lock) for each in self.requirements.groups}
        after = {name: lock for name, lock in read.items() if lock is not None}
        self._require_fresh(after, frozen)
        remember(context, self.requirements.groups, self.interpreter.target)
        return self._outcome(after, written=written)

    def _prepare(self, group: Group) -> None:
        """Tells of what cannot be done about ``group``.

        Raises:
            LockError: something is in the way of its lock.
        """
        # An .in that is written beside it takes its place, where somebody agrees to that.
        beside = self.request.yes and group.lock.with_suffix(".in") in group.sources
        shown, declared = self.context.project.display(group.lock), group.declared or beside
        check_writable(group.lock, display=shown, yes=self.request.yes, declared=declared)
        for each in group.requirements:
            if isinstance(each.source, VcsSource) and _EDITABLE.match(each.origin.text):
                self.context.reporter.problem(
                    Problem(
                        code="repository-not-editable",
                        severity=Severity.NOTE,
                        message=f"{each.name or each.spelled} is installed from its commit, "
                        "not to be edited.",
                        **line_of(each.origin),
                        why="pip would clone the repository into the environment for -e; "
                        "venvman does not.",
                        fix=Advice(
                            "To edit it, clone it yourself and name the folder: -e ./FOLDER."
                        ),
                    )
                )

    def _require_fresh(self, locks: Mapping[str, Lock], frozen: Mapping[str, Lock]) -> None:
        """Checks what was just written as anybody else will.

        Raises:
            LockStale: it does not meet its own requirements, which is a defect.
        """
        target, groups = self.interpreter.target, self.requirements.groups
        targets = wanted_targets(self.context, locks.values(), target)
        for group in groups:
            if group.name not in frozen:
                continue
            freshness = check(
                group,
                locks.get(group.name),
                target=target,
                root=self.context.project.root,
                targets=targets,
                others=[other for other in groups if other is not group],
            )
            if isinstance(freshness, Stale):
                shown = self.context.project.display(group.lock)
                raise LockStale(
                    f"{shown} was written, and does not match its requirements.",
                    code="freeze-left-stale",
                    path=shown,
                    why="This is a defect of venvman: please report it.",
                    problems=freshness.reasons,
                )

    def _changed(
        self, todo: Sequence[CheckedLock], found: Mapping[str, Lock]
    ) -> Mapping[str, Lock]:
        """What is to be written of ``found``: not what differs from a fresh lock in its header."""
        result: dict[str, Lock] = {}
        for each in self.checked:
            lock = found.get(each.group.name)
            if lock is None:
                continue
            fresh = not isinstance(each.freshness, Stale) and self.request.hashes is None
            if fresh and each.lock is not None:
                same = replace(lock, header=each.lock.header) == each.lock
                if same or (each not in todo and _pins(lock) == _pins(each.lock)):
                    continue
            result[each.group.name] = lock
        return result

    def _run(
        self, context: Context, todo: Sequence[CheckedLock], beside: Sequence[CheckedLock]
    ) -> Mapping[str, Lock]:
        """Locks for the groups of ``todo``; the pins of those ``beside`` are constraints."""
        from venvman import engines
        from venvman.engines.buildrequirements import supply

        request, interpreter = self.request, self.interpreter
        former = {each.group: each.former for each in open_scan(context).sources if each.former}
        there = {
            name: read_group_lock(context, former[name])
            if each.lock is None and name in former
            else each.lock
            for each in self.checked
            for name in (each.group.name,)
        }
        locks = {
            name: lock for name, lock in there.items() if lock is not None and not request.prefer
        }
        said = [
            locks[each.group.name].header if each.group.name in locks else each.group.header
            for each in todo
        ]
        cutoffs = [each.exclude_newer for each in said if each is not None and each.exclude_newer]
        targets = wanted_targets(context, locks.values(), interpreter.target)
        order = engines.FreezeRequest(
            project=context.project,
            groups=tuple(each.group for each in by_standing(context, todo, interpreter.target)),
            python=interpreter.path,
            target=interpreter.target,
            index=context.index_options(),
            directories=context.directories,
            variables=context.variables,
            supply=supply,
            locks=locks,
            installed=request.prefer or _installed(context),
            beside={each.group.lock: each.lock for each in beside if each.lock is not None},
            upgrade=request.upgrade or engines.Keep(),
            conflicts=tuple(frozenset(names) for names in context.settings.conflicts.value),
            parts=self.forced,
            hashes=request.hashes,
            exclude_newer=context.settings.exclude_newer.value or next(iter(cutoffs), None),
            overrides=context.overrides,
            build_constraints=context.build_constraints,
            extra_build_requires=context.extra_build_requires,
            unisolated=frozenset(map(canonical, context.settings.no_build_isolation.value)),
            build_python=own_python(context),
            targets=targets,
        )
        with using(context.directories.cache):
            found = _engine(context, several=bool(targets))(order, context.reporter)
        context.evidence.rest_on_all(found.pages)
        return found.locks

    def _outcome(
        self,
        frozen: Mapping[str, Lock] | None,
        *,
        written: bool = False,
        problems: tuple[Problem, ...] = (),
    ) -> FreezeOutcome:
        """``frozen`` lacks groups that stayed as they are; None: stale ones were not run."""
        return FreezeOutcome(
            project=self.context.project,
            locks=tuple(_lock_outcome(each, frozen) for each in self.checked),
            written=written,
            resolved=frozen is not None,
            problems=problems,
            seconds=self.watch.seconds,
        )


_EDITABLE = re.compile("-e|--editable")


def _pins(lock: Lock) -> frozenset[tuple[object, ...]]:
    return frozenset((each.name, each.version, each.source, each.marker) for each in lock.entries)


def refuse_foreign_locks(scan: Scan, context: Context) -> None:
    """A project whose only locks are made from something else cannot be frozen here.

    Raises:
        LockError: names the command in the first lock's header.
    """
    if any(source.paths for source in scan.sources) or not scan.sources:
        return
    first = scan.sources[0]
    if first.header is None or not first.header.is_lock:  # pinned and hashed by hand
        return
    raise LockError(
        f"{context.project.display(first.lock)} is not made from a requirements file.",
        code="lock-of-another-source",
        path=context.project.display(first.lock),
        why=f"It is made by {first.header.tool}; venvman syncs such a lock as it is.",
        fix=first.header.rerun,
    )


def _installed(context: Context) -> tuple[LockEntry, ...]:
    """What an environment holds that somebody else made: its first freeze is to move little."""
    found = context.sound_environment()
    if found is None or is_adopted(found):
        return ()
    return tuple(
        LockEntry(name=each.name, version=each.version)
        for each in take_inventory(found, seen=context.seen).distributions
        if each.source.is_file and each.version is not None
    )


_ENGINES = ("native", "pip-tools")
"""The names that ``--engine`` takes."""


def _engine(context: Context, *, several: bool) -> engines.Engine:
    setting = context.settings.engine
    if setting.value not in _ENGINES:
        raise ConfigurationError(
            f"There is no freeze engine {setting.value!r}.",
            code="engine-unknown",
            why=f"{setting.where or 'The default'} names it; known: {', '.join(_ENGINES)}.",
        )
    if setting.value == "native":
        from venvman.engines import native

        return native.freeze
    if several:
        raise ConfigurationError(
            f"{setting.value} freezes for one target only: the Python that it runs with.",
            code="engine-of-one-target",
            why=f"{setting.where} names the engine.",
            fix=Advice("Leave out the engine, or the targets."),
        )
    from venvman.engines import piptools

    return piptools.freeze


def _lock_outcome(each: CheckedLock, frozen: Mapping[str, Lock] | None) -> LockOutcome:
    stale = stale_reasons((each,))
    nothing = Lock(entries=(), header=LockHeader(text=""))
    after = (frozen or {}).get(each.group.name, each.lock) or nothing
    changed = bool(stale)
    if frozen is not None:
        was = each.lock
        changed = (
            was is None or was.header != after.header or render_lock(was) != render_lock(after)
        )
    return LockOutcome(
        group=each.group.name,
        path=each.group.lock,
        lock=after,
        before=each.lock,
        changed=changed,
        stale=stale,
    )
