"""``doctor --audit``: what databases of advisories and indexes say of pins and installs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor.examination import Audit
from venvman.errors import VenvmanError
from venvman.index.advisories import SERVICE, advisories_in, asked
from venvman.sources import IndexSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.version import Version

    from venvman.environment.inventory import Inventory
    from venvman.errors import Problem
    from venvman.index.client import Index
    from venvman.index.page import IndexFile
    from venvman.index.session import Session
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName
    from venvman.options import IndexOptions
    from venvman.workflow.context import Context

_AT_ONCE = 16


def audit(
    context: Context,
    options: IndexOptions,
    entries: Sequence[LockEntry],
    inventory: Inventory | None,
    advisories: str | None,
) -> Audit:
    """Asks the service or reads the copy that ``advisories`` names (None: as configured)."""
    there = inventory.distributions if inventory is not None else ()
    known = [(each.name, each.version, each.source) for each in entries]
    known += [(each.name, each.version, each.source) for each in there]
    pins = sorted(
        {
            (name, version)
            for name, version, source in known
            if version is not None and isinstance(source, IndexSource)
        }
    )
    locked = {each.name for each in entries}
    chosen = context.settings.doctor.value
    where = advisories or chosen.advisories or SERVICE
    faults: list[Problem] = []
    found = {}
    try:
        if "://" in where:
            with _session(context, options) as session:
                found = dict(asked(where, pins, session, context.directories.cache))
        else:
            base = context.cwd if advisories else context.project.root
            found = dict(advisories_in(base / Path(where).expanduser(), pins))
    except VenvmanError as error:
        faults += error.problems
    yanked: dict[tuple[NormalizedName, Version], str] = {}
    if not options.offline:
        yanked, more = _yanked(context, options, [pin for pin in pins if pin[0] in locked])
        faults += more
    return Audit(
        advisories=found, yanked=yanked, faults=tuple(faults), accepted=dict(chosen.accepted)
    )


def _session(context: Context, options: IndexOptions) -> closing[Session]:
    from venvman.index.session import Session

    return closing(
        Session(options, variables=context.variables, home=context.home, reporter=context.reporter)
    )


def _yanked(
    context: Context, options: IndexOptions, pins: Sequence[tuple[NormalizedName, Version]]
) -> tuple[dict[tuple[NormalizedName, Version], str], list[Problem]]:
    """The pins all of whose files were yanked, with the reason; and what could not be asked."""
    from concurrent.futures import ThreadPoolExecutor

    index = context.open_index(options)
    try:
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            asked = list(pool.map(lambda pin: _reason(index, *pin), pins))
    finally:
        index.close()
    found = {pin: each for pin, each in zip(pins, asked, strict=True) if isinstance(each, str)}
    faults = {each for each in asked if each is not None and not isinstance(each, str)}
    return found, sorted(faults, key=lambda each: each.message)[:3]


def _reason(index: Index, name: NormalizedName, version: Version) -> str | Problem | None:
    from packaging.version import InvalidVersion, Version

    try:
        project = index.project(name, refresh=True)  # pages may count as fresh for minutes
    except VenvmanError as error:
        return error.problems[0]
    files: list[IndexFile] = []
    for spelled in project.versions:
        try:
            if Version(spelled) == version:
                files += project.files(spelled)
        except InvalidVersion:
            continue
    return files[0].yanked if files and all(each.yanked is not None for each in files) else None
