"""What builds require, solved and installed as everything is: no other installer is started.

An answer counts as long as an index page does that says nothing of itself; offline for ever.
"""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, replace
from threading import Lock
from typing import TYPE_CHECKING

from venvman.build.isolation import (
    ENVIRONMENTS,
    blank_environment,
    environment_with,
    is_as_made,
)
from venvman.engines import FreezeRequest
from venvman.index.cache import UNSAID, Entries
from venvman.install.link import StoreDamaged
from venvman.model.errors import InstallError, RequirementsError
from venvman.model.events import Relay, Reporter
from venvman.model.frozen import dataclass
from venvman.obtain.sources import working_folder
from venvman.project.groups import Group
from venvman.project.project import Project
from venvman.requirements.file import parse
from venvman.store.store import Store
from venvman.system.directories import Directories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvman.build.backend import BuildSettings
    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.python.probe import Interpreter
    from venvman.requirements.file import Requirement
    from venvman.store.store import StoredWheel

_STATED = "build-system.requires"
_ATTEMPTS = 3
_LOCKS: dict[str, Lock] = {}


def supply(
    requirements: frozenset[str],
    *,
    interpreter: Interpreter,
    options: IndexOptions,
    settings: BuildSettings,
    reporter: Reporter,
) -> Path:
    """The folder of an environment with ``requirements`` and what they need, kept in the cache.

    Raises:
        VenvmanError: they could not be had, or need themselves to be built.
    """
    making = _Making(
        requirements=requirements,
        interpreter=interpreter,
        options=replace(options, require_hashes=False),
        settings=settings,
        reporter=reporter,
    )
    key = making.key
    if key in settings.within:
        raise InstallError("To build them they are needed themselves.", code="build-circle")
    with _LOCKS.setdefault(key, Lock()):  # another thread may be getting the same
        return making.kept_or_made(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """See :func:`supply`."""

    requirements: frozenset[str]
    interpreter: Interpreter
    options: IndexOptions
    settings: BuildSettings
    reporter: Reporter

    @property
    def key(self) -> str:
        """A digest of everything that decides what is installed, but what the indexes have."""
        options = self.options
        said = [getattr(options, each.name) for each in fields(options) if each.name != "offline"]
        facts = (
            str(self.interpreter.path), self.interpreter.target.python, sorted(self.requirements),
            self.settings.constraints,
            [sorted(each) if isinstance(each, frozenset) else str(each) for each in said],
        )  # fmt: skip
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def kept_or_made(self, key: str) -> Path:
        """The environment's folder; ``key`` is what it is kept under."""
        cache = self.settings.cache
        known = Entries(cache / "build-requirements-v1", reporter=self.reporter)
        kept = known.read(key)
        if kept is not None:
            content, facts = kept
            if self.options.offline or 0 <= time.time() - facts.st_mtime < UNSAID:
                root = cache / ENVIRONMENTS / content.decode()
                if is_as_made(root):
                    return root
        settings = replace(self.settings, within=self.settings.within | {key})
        with Store(cache, reporter=self.reporter) as store, ThreadPoolExecutor(1) as beside:
            for _ in range(_ATTEMPTS):
                try:
                    with working_folder(cache) as folder:
                        blank = beside.submit(blank_environment, self.interpreter, folder / "blank")
                        root = environment_with(
                            self._wheels(settings, store),
                            blank=blank.result,
                            interpreter=self.interpreter,
                            cache=cache,
                        )
                except StoreDamaged as error:
                    for wheel in error.wheels:
                        store.discard(wheel.sha256)
                else:
                    known.write(key, root.name.encode())
                    return root
        message = "Files in the cache change while they are linked."
        raise InstallError(message, code="store-unstable")

    def _wheels(
        self, settings: BuildSettings, store: Store
    ) -> Mapping[NormalizedName, StoredWheel]:
        from venvman.engines import native
        from venvman.engines.solving import open_index
        from venvman.obtain.artifacts import obtain

        if not self.requirements:
            return {}
        # What is worth showing of work that nobody asked for by name.
        quiet = Relay(self.reporter, "build_started", "build_finished", "detail", "problem")
        with working_folder(settings.cache) as folder:
            group = Group(
                name="build",
                sources=(),
                lock=folder / "build.txt",
                requirements=_parsed(self.requirements, _STATED, folder),
                constraints=_parsed(settings.constraints, "build-constraints", folder),
            )
            request = FreezeRequest(
                project=Project(root=folder),
                groups=(group,),
                python=self.interpreter.path,
                target=self.interpreter.target,
                index=self.options,
                directories=Directories(cache=settings.cache, state=folder),
                variables=settings.variables,
                supply=supply,
                build_constraints=settings.constraints,
                extra_build_requires=settings.extra,
                building=settings.within,
            )
            lock = native.freeze(request, quiet).locks[group.name]
            with closing(open_index(request, quiet)) as index:
                found = obtain(
                    lock.entries,
                    interpreter=self.interpreter,
                    index=lambda: index,
                    store=store,
                    root=folder,
                    options=self.options,
                    build=settings,
                    reporter=quiet,
                    unpack=settings.unpack,
                )
        return {name: each.wheel for name, each in found.items()}


def _parsed(texts: Iterable[str], path: str, folder: Path) -> tuple[Requirement, ...]:
    parsed = parse("\n".join(sorted(texts)), path=path, variables={}, cwd=str(folder))
    if parsed.errors:
        raise RequirementsError.of(parsed.errors)
    return tuple(line.requirement for line in parsed.requirements)
