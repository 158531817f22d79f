"""Fixes as text: the one place that writes a command for where the user stands."""

from __future__ import annotations

import os
import shlex
from functools import cache
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Command, Fix, ProjectNotFound
from venvman.model.frozen import dataclass
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from pathlib import Path


# Commands that have commands of their own: options stand after those.
_NESTED = frozenset({"cache", "hooks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the user stands: in ``cwd``, with the home folder ``home``.

    ``root`` is the folder that was named with ``--project``, or the project's above it; None where
    the project is the one that is found from ``cwd``. ``options`` are common options that the next
    command needs as well. Without ``cwd`` it is the project's own folder.
    """

    cwd: Path | None = None
    home: Path | None = None
    root: Path | None = None
    options: tuple[str, ...] = ()


AT_ROOT = Standing()


def shell_line(command: Command, here: Standing) -> str:
    """``command`` as a POSIX shell in ``here.cwd`` takes it; credentials are hidden."""
    if here.cwd is None:
        return redact(str(command))
    nearest = nearest_project(here.cwd, here.home or here.cwd)
    root = command.root or here.root or nearest or here.cwd
    lines: list[str] = []
    lead: list[str]
    for step in command.steps:
        folder, lead = here.cwd, []
        if step[0] == "venvman":
            words = _with_options(step, here, None if root in (nearest, here.cwd) else root)
        elif step[0] == "git" and not here.cwd.is_relative_to(root):
            lead = ["git", "-C", shlex.quote(_path(root, here.cwd))]
            words, folder = step[1:], root
        elif step[0] == "cd" and root / step[1] == here.cwd:
            continue
        else:
            words = step
        shown = [word if isinstance(word, str) else _path(root / word, folder) for word in words]
        lines.append(redact(" ".join([*lead, *map(shlex.quote, shown)])))
    return ("; " if command.always else " && ").join(lines)


def fix_data(fix: Fix | None, here: Standing) -> dict[str, str | None]:
    """The two keys that JSON has for a fix."""
    return {
        "fix": shell_line(fix, here) if isinstance(fix, Command) else None,
        "advice": redact(fix.text) if isinstance(fix, Advice) else None,
    }


def _with_options(
    step: tuple[str | Path, ...], here: Standing, project: Path | None
) -> tuple[str | Path, ...]:
    """Our own command with ``--project``, where it is for another than the one found here."""
    if "--help" in step or "--project" in step:
        return step
    verb = 3 if step[1] in _NESTED else 2
    named = () if project is None else ("--project", project)
    return (*step[:verb], *named, *here.options, *step[verb:])


def _path(path: Path, folder: Path) -> str:
    """``path`` as a command in ``folder`` takes it: relative where it lies below."""
    whole = type(path)(os.path.normpath(path))
    if not whole.is_relative_to(folder):
        return whole.as_posix()
    inside = whole.relative_to(folder).as_posix()
    return f"./{inside}" if inside.startswith("-") else inside


@cache
def nearest_project(cwd: Path, home: Path) -> Path | None:
    """The root of the project that commands in ``cwd`` find."""
    from venvman.project.find import find_project

    try:
        return find_project(cwd, home=home).root
    except ProjectNotFound:
        return None
