"""The pip-compile command of a group's lock: what its header says, or will say."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.frozen import dataclass
from venvman.lock.file import LockHeader
from venvman.lock.style import LockStyle, compile_arguments, new_arguments, style_of

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.engines import FreezeRequest
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
    header = existing.header if existing is not None else LockHeader(text="")
    for folder in (root, group.source.parent):
        source = relative(group.source, folder)
        arguments = compile_arguments(header, source=source, hashes=request.hashes)
        if arguments is not None:
            line = shlex.join(["pip-compile", *arguments])
            style = style_of(replace(header, command=line))
            return Command(arguments=arguments, folder=folder, style=style)
    style = style_of(header)
    if request.hashes is not None:
        style = replace(style, hashes=request.hashes)
    arguments = new_arguments(
        style, source=relative(group.source, root), output=relative(group.lock, root)
    )
    return Command(arguments=arguments, folder=root, style=style)


def relative(path: Path, folder: Path) -> str:
    """``path`` as seen from ``folder``, POSIX."""
    return os.path.relpath(path, folder).replace(os.sep, "/")
