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
from venvman.model.events import Relay
from venvman.obtain.sources import working_folder
from venvman.project.groups import Group
from venvman.project.project import Project
from venvman.requirements.file import parse
from venvman.store.store import Store
from venvman.system.directories import Directories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from venvman.build.backend import BuildContext
    from venvman.model.names import NormalizedName
    from venvman.requirements.file import Requirement
    from venvman.store.store import StoredWheel

_STATED = "build-system.requires"
_ATTEMPTS = 3
_LOCKS: dict[str, Lock] = {}


def supply(requirements: frozenset[str], context: BuildContext) -> Path:
    """The folder of an environment with ``requirements`` and what they need, kept in the cache.

    Raises:
        VenvmanError: they could not be had, or need themselves to be built.
    """
    context = replace(context, options=replace(context.options, require_hashes=False))
    key = _key(requirements, context)
    if key in context.settings.within:
        raise InstallError("To build them they are needed themselves.", code="build-circle")
    with _LOCKS.setdefault(key, Lock()):  # another thread may be getting the same
        return _kept_or_made(key, requirements, context)


def _key(requirements: frozenset[str], context: BuildContext) -> str:
    """A digest of everything that decides what is installed, but what the indexes have."""
    options, interpreter = context.options, context.interpreter
    said = [getattr(options, each.name) for each in fields(options) if each.name != "offline"]
    facts = (
        str(interpreter.path), interpreter.target.python, sorted(requirements),
        context.settings.constraints,
        [sorted(each) if isinstance(each, frozenset) else str(each) for each in said],
    )  # fmt: skip
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _kept_or_made(key: str, requirements: frozenset[str], context: BuildContext) -> Path:
    """The environment's folder; ``key`` is what it is kept under."""
    settings, interpreter, reporter = context.settings, context.interpreter, context.reporter
    cache = settings.cache
    known = Entries(cache / "build-requirements-v1", reporter=reporter)
    kept = known.read(key)
    if kept is not None:
        content, facts = kept
        if context.options.offline or 0 <= time.time() - facts.st_mtime < UNSAID:
            root = cache / ENVIRONMENTS / content.decode()
            if is_as_made(root):
                return root
    inner = replace(
        context,
        settings=replace(settings, within=settings.within | {key}),
        # What is worth showing of work that nobody asked for by name.
        reporter=Relay(reporter, "build_started", "build_finished", "detail", "problem"),
    )
    with Store(cache, reporter=reporter) as store, ThreadPoolExecutor(1) as beside:
        for _ in range(_ATTEMPTS):
            try:
                with working_folder(cache) as folder:
                    blank = beside.submit(blank_environment, interpreter, folder / "blank")
                    wheels = _wheels(requirements, inner, store)
                    root = environment_with(
                        wheels, blank=blank.result, interpreter=interpreter, cache=cache
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
    requirements: frozenset[str], context: BuildContext, store: Store
) -> Mapping[NormalizedName, StoredWheel]:
    from venvman.engines import native
    from venvman.engines.solving import open_index
    from venvman.obtain.artifacts import obtain

    if not requirements:
        return {}
    settings = context.settings
    with working_folder(settings.cache) as folder:
        group = Group(
            name="build",
            sources=(),
            lock=folder / "build.txt",
            requirements=_parsed(requirements, _STATED, folder),
            constraints=_parsed(settings.constraints, "build-constraints", folder),
        )
        request = FreezeRequest(
            project=Project(root=folder),
            groups=(group,),
            python=context.interpreter.path,
            target=context.interpreter.target,
            index=context.options,
            directories=Directories(cache=settings.cache, state=folder),
            variables=settings.variables,
            supply=supply,
            build_constraints=settings.constraints,
            extra_build_requires=settings.extra,
            building=settings.within,
        )
        entries = native.freeze(request, context.reporter).locks[group.name].entries
        with closing(open_index(request, context.reporter)) as index:
            found = obtain(
                entries, context, index=lambda: index, store=store, root=folder,
                unpack=settings.unpack,
            )  # fmt: skip
    return {name: each.wheel for name, each in found.items()}


def _parsed(texts: Iterable[str], path: str, folder: Path) -> tuple[Requirement, ...]:
    parsed = parse("\n".join(sorted(texts)), path=path, variables={}, cwd=str(folder))
    if parsed.errors:
        raise RequirementsError.of(parsed.errors)
    return tuple(line.requirement for line in parsed.requirements)
