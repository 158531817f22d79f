"""The pip-compile command of a group's lock: what its header says, or will say."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.frozen import dataclass
from venvman.lock.style import compile_arguments, new_arguments, style_of

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.engines import FreezeRequest
    from venvman.lock.header import LockStyle
    from venvman.requirements.groups import Group

__all__ = ["Command", "command_of", "relative"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One group's pip-compile: its arguments, the folder it is run from, what they ask for."""

    arguments: tuple[str, ...]
    folder: Path
    style: LockStyle


def command_of(request: FreezeRequest, group: Group) -> Command:
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
            return Command(arguments=arguments, folder=folder, style=style)
    arguments = new_arguments(
        style,
        sources=[relative(path, folder) for path in group.sources],
        output=relative(group.lock, folder),
    )
    return Command(arguments=arguments, folder=folder, style=style)


def relative(path: Path, folder: Path) -> str:
    """``path`` as seen from ``folder``, POSIX."""
    return os.path.relpath(path, folder).replace(os.sep, "/")
