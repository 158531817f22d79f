"""The part of ``sync`` that has effects: artifacts obtained, environment made, plan carried out."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import field, replace
from threading import Thread
from typing import TYPE_CHECKING

from venvman.build.backend import BuildContext, BuildSettings
from venvman.engines.buildrequirements import supply
from venvman.environment.lifecycle import create, filled, replaced
from venvman.environment.neighbours import note
from venvman.install.attic import Attic, AtticLimit
from venvman.install.environmentlock import lock_file, locked
from venvman.install.link import StoreDamaged
from venvman.install.staging import AtticGone, Incoming
from venvman.install.transaction import Outcome, Request, commit
from venvman.lock.file import LockEntry, located
from venvman.model.errors import Advice, InstallError, VenvmanError
from venvman.model.events import Stage, Stopwatch
from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical
from venvman.model.sources import DirectorySource
from venvman.obtain.unpackers import Unpackers
from venvman.plan import Add, Plan, Replace
from venvman.workflow.location import Location, adopt, own_python, was_left_empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from venvman.environment.inspection import Environment
    from venvman.index.client import Index
    from venvman.model.options import IndexOptions
    from venvman.store.store import Store, Unpack
    from venvman.workflow.context import Context

PIP = NormalizedName("pip")
_ATTEMPTS = 3
_WORTH_A_POOL = 12
"""Fewer wheels are unpacked sooner than worker processes start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What to install, where and from where.

    ``requested`` are the distributions to be marked as asked for (REQUESTED).
    ``config_settings`` are those of requirement lines, for builds. ``look_again`` looks and plans
    anew under the environment's lock; ``done`` is told of the environment, still under it, when all
    is in place and nothing more is written to it. ``whole`` says that the environment equals its
    lock then, so that venvman may keep it so from now on.
    """

    location: Location
    plan: Plan
    options: IndexOptions
    requested: frozenset[NormalizedName]
    config_settings: Mapping[NormalizedName, tuple[tuple[str, str], ...]]
    look_again: Callable[[], tuple[Location, Plan]]
    done: Callable[[Environment], None]
    whole: bool
    wait: float = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Incoming:
    """By name: where each distribution comes from, its ``direct_url.json``, and ``described``.

    The last is the digest of a local folder's build metadata, for those that are built from one.
    """

    wheels: Mapping[NormalizedName, Incoming]
    direct_urls: Mapping[NormalizedName, bytes]
    described: Mapping[NormalizedName, str] = field(default_factory=dict)


def install(
    context: Context, work: Installation, watch: Stopwatch
) -> tuple[Location, Plan, Outcome]:
    """Fetches and verifies everything, takes the environment's lock, and looks again.

    Then makes the environment if need be, and commits. What was found under the lock, and so what
    was done, is returned.

    Raises:
        VenvmanError: it cannot be done; the environment is as it was, or was not made.
    """
    where, directories = work.location.path, context.directories
    lock_file(where, directories, reporter=context.reporter)  # it takes time until it is locked
    with ExitStack() as stack:
        store = stack.enter_context(context.open_store())
        index = _opened_once(context, work.options, stack)
        site = _Site(context=context, work=work, store=store, index=index, watch=watch)
        incoming = site.obtain(_entries(work.plan))
        lock = locked(where, directories, wait=work.wait, reporter=context.reporter)
        stack.enter_context(lock)
        location, plan = work.look_again()
        incoming = site.completed(plan, incoming)
        if location.environment is None:
            outcome = site.make(location, plan, incoming)
        else:
            if was_left_empty(location.environment):
                plan, incoming = site.with_pip(plan, incoming)
            outcome = site.commit(location.environment, plan, incoming)
            if work.whole:
                adopt(context, location.environment)
            work.done(location.environment)
        note(directories.state, where, context.project.root)
    return location, plan, outcome


def _opened_once(context: Context, options: IndexOptions, stack: ExitStack) -> Callable[[], Index]:
    """Opens the client of the indexes when it is first asked for; ``stack`` closes it."""
    opened: list[Index] = []

    def index() -> Index:
        if not opened:
            opened.append(stack.enter_context(closing(context.open_index(options))))
        return opened[0]

    return index


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """One installation with everything it uses."""

    context: Context
    work: Installation
    store: Store
    index: Callable[[], Index]
    watch: Stopwatch

    def obtain(self, entries: Sequence[LockEntry]) -> _Incoming:
        """From the attic what it has, else from the store, the index, or a build."""
        kept = self._from_attic(entries)
        missing = [entry for entry in entries if entry.name not in kept]
        found = self._fetched(missing)
        return replace(found, wheels={**kept, **found.wheels})

    def completed(self, plan: Plan, incoming: _Incoming) -> _Incoming:
        """``incoming`` with what ``plan`` needs besides: somebody changed the environment."""
        missing = [entry for entry in _entries(plan) if entry.name not in incoming.wheels]
        return _merged(incoming, self._fetched(missing))

    def make(self, location: Location, plan: Plan, incoming: _Incoming) -> Outcome:
        """A new environment with everything in it, or none at all."""
        with self._new_environment(location) as made:
            plan, incoming = self.with_pip(plan, incoming)
            outcome = self.commit(made, plan, incoming)
        self.work.done(made)
        return outcome

    def commit(self, environment: Environment, plan: Plan, incoming: _Incoming) -> Outcome:
        """Carries ``plan`` out; what turns out to be damaged is obtained again first."""
        if not plan:
            return Outcome(unchanged=plan.unchanged)
        with self.watch.stage(Stage.INSTALL, total=len(_entries(plan)) or None):
            for _ in range(_ATTEMPTS):
                try:
                    return self._commit(environment, plan, incoming)
                except StoreDamaged as error:
                    damaged = frozenset(wheel.sha256 for wheel in error.wheels)
                    incoming = self._again(plan, incoming, damaged)
                except AtticGone as error:
                    gone = [entry for entry in _entries(plan) if entry.name in error.names]
                    incoming = _merged(incoming, self._obtain(gone))
        raise InstallError(
            "Files in the cache change while they are being linked.",
            code="store-unstable",
            why=f"{self.context.directories.cache} is written to by something else.",
            fix=Advice("Stop what writes there, then run the command again."),
        )

    @contextmanager
    def _new_environment(self, location: Location) -> Iterator[Environment]:
        """A new environment for the block; gone again, or the old one back, if the block fails."""
        directories = self.context.directories
        with ExitStack() as stack:
            with self.watch.stage(Stage.CREATE):
                stack.enter_context(replaced(location.path))
                made = create(
                    location.path, location.interpreter, directories=directories, filling=True
                )
            yield made
            filled(made.root)

    def with_pip(self, plan: Plan, incoming: _Incoming) -> tuple[Plan, _Incoming]:
        """Adds the interpreter's own pip, unless the lock names one (or there is none)."""
        if any(step.name == PIP for step in plan.steps):
            return plan, incoming
        more = self._bundled_pip()
        if not more.wheels:
            return plan, incoming
        step = Add(entry=LockEntry(name=PIP, version=None), because="every environment has pip")
        return replace(plan, steps=(*plan.steps, step)), _merged(incoming, more)

    @contextmanager
    def _pip_meanwhile(self, unpack: Unpack) -> Iterator[None]:
        """Unpacks the pip of a new environment during the block, and not after it."""
        if self.work.location.environment is not None:
            yield
            return

        def bring() -> None:
            with suppress(VenvmanError, OSError):  # told when it is really wanted
                self._bundled_pip(unpack)

        thread = Thread(target=bring, daemon=True)
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _bundled_pip(self, unpack: Unpack | None = None) -> _Incoming:
        from hashlib import sha256

        from venvman.python.probe import bundled_pip

        wheel = bundled_pip(self.work.location.interpreter)
        if wheel is None:
            return _Incoming(wheels={}, direct_urls={})
        digest = sha256(wheel.read_bytes()).hexdigest()
        stored = self.store.get(digest) or self.store.add(wheel, sha256=digest, unpack=unpack)
        return _Incoming(wheels={PIP: stored}, direct_urls={})

    def _commit(self, environment: Environment, plan: Plan, incoming: _Incoming) -> Outcome:
        settings = self.context.settings
        request = Request(
            plan=plan,
            wheels=incoming.wheels,
            requested=self.work.requested,
            direct_urls=incoming.direct_urls,
            described=incoming.described,
            link=settings.link.value,
            compile_bytecode=settings.compile.value,
        )
        attic = AtticLimit.parse(settings.attic.value)
        return commit(request, environment, attic=attic, reporter=self.context.reporter)

    def _again(self, plan: Plan, incoming: _Incoming, damaged: frozenset[str]) -> _Incoming:
        for sha256 in damaged:
            self.store.discard(sha256)
        names = {
            name
            for name, wheel in incoming.wheels.items()
            if getattr(wheel, "sha256", None) in damaged
        }
        entries = [entry for entry in _entries(plan) if entry.name in names]
        # What has no version is the pip that no lock names.
        found = self._obtain([entry for entry in entries if entry.name != PIP or entry.version])
        if len(found.wheels) < len(entries):
            found = _merged(found, self._bundled_pip())
        return _merged(incoming, found)

    def _from_attic(self, entries: Sequence[LockEntry]) -> dict[NormalizedName, Incoming]:
        """What the attic has just as it would be installed now, or as somebody else had it."""
        environment = self.work.location.environment
        if environment is None:
            return {}
        attic = Attic(os.path.realpath(environment.root))
        found: dict[NormalizedName, Incoming] = {}
        for entry in entries:
            if not entry.hashes:
                kept = attic.as_found(entry.name, str(entry.version))
            elif entry.source.is_index:
                kept = attic.find(
                    entry.name,
                    sha256=[each.removeprefix("sha256:") for each in entry.hashes],
                    requested=entry.name in self.work.requested,
                )
            else:
                continue
            if kept is not None and kept.version == str(entry.version):
                found[entry.name] = kept
        return found

    def _fetched(self, entries: Sequence[LockEntry]) -> _Incoming:
        """The same as a stage of its own; nothing is said where nothing is to be had."""
        if not entries:
            return _Incoming(wheels={}, direct_urls={})
        with self.watch.stage(Stage.FETCH, total=len(entries)):
            return self._obtain(entries)

    def _obtain(self, entries: Sequence[LockEntry]) -> _Incoming:
        from venvman.obtain.artifacts import obtain

        if not entries:
            return _Incoming(wheels={}, direct_urls={})
        # Before anything is built: what is written meanwhile must not pass for what was built.
        digests = {entry.name: self._described(entry) for entry in entries}
        context = self.context
        with Unpackers() as workers, self._pip_meanwhile(workers.unpack):
            settings = BuildSettings(
                cache=context.directories.cache,
                variables=context.variables,
                supply=supply,
                constraints=context.build_constraints,
                config_settings=self.work.config_settings,
                extra=context.extra_build_requires,
                unisolated=frozenset(map(canonical, context.settings.no_build_isolation.value)),
                python=own_python(context),
                unpack=workers.unpack,
            )
            means = BuildContext(
                interpreter=self.work.location.interpreter,
                options=self.work.options,
                settings=settings,
                reporter=context.reporter,
            )
            found = obtain(
                entries,
                means,
                index=self.index,
                store=self.store,
                root=context.project.root,
                unpack=workers.unpack if len(entries) >= _WORTH_A_POOL else None,
            )
        return _Incoming(
            wheels={name: each.wheel for name, each in found.items()},
            direct_urls={
                name: each.direct_url for name, each in found.items() if each.direct_url is not None
            },
            described={name: digest for name, digest in digests.items() if digest},
        )

    def _described(self, entry: LockEntry) -> str:
        from venvman.project.localproject import described

        if not isinstance(entry.source, DirectorySource):
            return ""
        context = self.context
        source = located(entry.source, context.project.root, variables=context.variables)
        return described(source) if isinstance(source, DirectorySource) else ""


def _entries(plan: Plan) -> tuple[LockEntry, ...]:
    return tuple(step.entry for step in plan.steps if isinstance(step, (Add, Replace)))


def _merged(first: _Incoming, second: _Incoming) -> _Incoming:
    return _Incoming(
        wheels={**first.wheels, **second.wheels},
        direct_urls={**first.direct_urls, **second.direct_urls},
        described={**first.described, **second.described},
    )
