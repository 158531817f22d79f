"""What is there of our hooks, and what installing would leave alone."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.githooks import script
from venvman.githooks.managers import (
    LEFTHOOK_LOCAL,
    PRE_COMMIT_CONFIG,
    is_called,
    is_lefthook,
    left_alone,
    shared_folder,
)
from venvman.githooks.repository import HookedProject, Repository, hook_text, repository_around
from venvman.githooks.script import EARLIER, HookName
from venvman.model.errors import GitError, Problem, Severity
from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


class HookState(str, Enum):
    """What lies at a hook's path."""

    ABSENT = "absent"
    OURS = "installed"
    FOREIGN = "foreign"
    EDITED = "edited"
    """Ours, and not as this version writes it."""
    IDLE = "idle"
    """Ours, but git does not run it: it is not executable, or a manager has set it aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStatus:
    """One hook; ``chained`` says that another one is run first, or runs it."""

    name: HookName
    path: Path
    state: HookState
    chained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HooksReport:
    """All hooks of a repository. ``folder`` is absolute; ``problems`` are what was left alone.

    ``program`` is what the hooks start, None if that is not known; ``starts`` whether it, or one on
    PATH in its place, is there.
    """

    folder: Path
    hooks: tuple[HookStatus, ...]
    projects: tuple[HookedProject, ...] = ()
    problems: tuple[Problem, ...] = ()
    program: str | None = None
    starts: bool = True


def hooks_status(root: Path, *, variables: Mapping[str, str]) -> HooksReport:
    """What is there now, for the repository that holds the folder ``root``.

    Problems are what installing would leave alone.

    Raises:
        GitError: ``root`` is in no work tree, or git is missing.
    """
    repository = repository_around(root, variables)
    report = report_of(repository)
    if repository.is_shared:
        (problem,) = shared_folder(repository).problems
        return replace(report, problems=(replace(problem, severity=Severity.WARNING),))
    left = (each for each in report.hooks if each.state is HookState.FOREIGN)
    problems = (left_alone(repository, each.name) for each in left)
    return replace(report, problems=tuple(each for each in problems if each))


def hook_files(top: Path) -> tuple[Path, ...]:
    """What :func:`hooks_status` looks at in the work tree ``top`` that has git's own hooks folder.

    Folders stand for the files in them.
    """
    folder = top / ".git" / "hooks"
    beside = folder.with_name(folder.name + EARLIER)
    return folder, beside, top / LEFTHOOK_LOCAL, top / PRE_COMMIT_CONFIG


def hooked_projects(root: Path, *, variables: Mapping[str, str]) -> tuple[HookedProject, ...]:
    """The projects that hooks were installed for, in the repository that holds ``root``.

    Raises:
        GitError: as :func:`hooks_status`.
    """
    return repository_around(root, variables).projects


def is_hooked(root: Path, *, variables: Mapping[str, str]) -> bool:
    """Whether hooks were installed for the project at ``root``, which may be gone."""
    with suppress(GitError):
        repository = repository_around(root, variables)
        path = repository.shown(Path(root).resolve())
        return any(each.path == path for each in repository.projects)
    return False


def report_of(repository: Repository) -> HooksReport:
    """What lies there now, without problems."""
    program = hook_text(repository.data / "program").strip() or None
    on_path = shutil.which("venvman", path=repository.variables.get("PATH", ""))
    return HooksReport(
        program=program,
        starts=on_path is not None or (program is not None and os.access(program, os.X_OK)),
        folder=repository.folder,
        hooks=tuple(_status(repository, name) for name in HookName),
        projects=repository.projects,
    )


def _status(repository: Repository, name: HookName) -> HookStatus:
    first, *moved = repository.paths(name)
    local = repository.top / LEFTHOOK_LOCAL
    if is_lefthook(repository, name) and f"\n{name.value}:" in hook_text(local):
        return HookStatus(name=name, path=local, state=HookState.OURS, chained=True)
    if is_called(repository, name, hook_text(first)):
        return HookStatus(name=name, path=first, state=HookState.OURS, chained=True)
    chained = (repository.earlier / name.value).exists()
    if script.is_ours(hook_text(first)):
        runs = os.access(first, os.X_OK) or first.parent != repository.folder
        state = HookState.OURS if runs else HookState.IDLE
        if runs and not script.is_whole(name, hook_text(first)):
            state = HookState.EDITED
        return HookStatus(name=name, path=first, state=state, chained=chained)
    ours = next((path for path in moved if script.is_ours(hook_text(path))), None)
    if ours is not None:
        called = ours.suffix == ".legacy" and script.is_calling_legacy(hook_text(first))
        state = HookState.OURS if called else HookState.IDLE
        return HookStatus(name=name, path=ours, state=state, chained=True)
    # lexists: a dangling symbolic link is somebody's hook too.
    state = HookState.FOREIGN if os.path.lexists(first) else HookState.ABSENT
    return HookStatus(name=name, path=first, state=state)
