"""What an engine starts from: the pip-compile command of a lock, and its pins that may stay."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.engines import UpgradeAll, UpgradeSome
from venvman.lock.file import located
from venvman.lock.style import compile_arguments, new_arguments, style_of
from venvman.model.errors import FileLine
from venvman.model.frozen import dataclass
from venvman.requirements.requirement import Requirement
from venvman.resolve.demand import specifier_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from venvman.engines import FreezeRequest
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.project.groups import Group
    from venvman.requirements.header import LockStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileCommand:
    """One group's pip-compile: its arguments, the folder it is run from, what they ask for."""

    arguments: tuple[str, ...]
    folder: Path
    style: LockStyle


def command_of(request: FreezeRequest, group: Group) -> CompileCommand:
    """As the existing lock's header has it, else a new one's."""
    root = request.project.root
    existing = request.locks.get(group.name)
    header = group.header if existing is None else existing.header
    style = style_of(existing) if existing or header is None else header.style
    if request.hashes is not None:
        style = replace(style, hashes=request.hashes)
    folder = group.folder or root
    if header is not None and group.folder is not None:
        arguments = compile_arguments(header, hashes=request.hashes)
        if arguments is not None:
            return CompileCommand(arguments=arguments, folder=folder, style=style)
    arguments = new_arguments(
        style,
        sources=[relative(path, folder) for path in group.sources],
        output=relative(group.lock, folder),
        more=group.compiled.options if group.compiled else (),
    )
    return CompileCommand(arguments=arguments, folder=folder, style=style)


def relative(path: Path, folder: Path) -> str:
    """``path`` as seen from ``folder``, POSIX."""
    return os.path.relpath(path, folder).replace(os.sep, "/")


def kept_entries(request: FreezeRequest, group: Group) -> list[LockEntry]:
    """The entries of the group's lock that may stay and apply on the target; what is installed."""
    upgrade = request.upgrade
    if isinstance(upgrade, UpgradeAll):
        return []
    lock = request.locks.get(group.name)
    locked = () if lock is None else lock.entries
    names = {entry.name for entry in locked}
    dropped: frozenset[NormalizedName] = (
        upgrade.names if isinstance(upgrade, UpgradeSome) else frozenset()
    )
    target = request.target
    return [
        entry
        for entry in (*locked, *(each for each in request.installed if each.name not in names))
        if entry.name not in dropped and target.applies(entry.marker)
    ]


def first_of_each(entries: Iterable[LockEntry]) -> list[LockEntry]:
    """The first entry of each name."""
    found: dict[NormalizedName, LockEntry] = {}
    for entry in entries:
        found.setdefault(entry.name, entry)
    return list(found.values())


def beside_lines(request: FreezeRequest) -> Iterator[Requirement]:
    """The pins of the locks beside the groups, as constraints; each names its lock's line."""
    found: set[NormalizedName] = set()
    for lock in request.beside.values():
        for entry in lock.entries:
            if entry.name in found or not request.target.applies(entry.marker):
                continue
            found.add(entry.name)
            specifier = f"=={entry.version}" if entry.version is not None else ""
            yield Requirement(
                name=entry.name,
                specifier=specifier_set(specifier),
                source=located(entry.source, request.project.root, variables=request.variables),
                constraint=True,
                raw=entry.origin.text if entry.origin else "",
                origin=entry.origin or FileLine(path="", line=0, text=entry.name),
            )
