"""Git hooks: put in, taken out, looked at. Foreign hooks are kept and called first.

What a hook does when it runs is in :mod:`venvman.workflow.hooking`; its text in
:mod:`venvman.hookscript`.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from venvman import hookscript
from venvman.errors import Advice, Command, GitError, Problem, Severity
from venvman.files import write_atomically
from venvman.frozen import dataclass
from venvman.git import git, try_git
from venvman.hookscript import BACKUP_SUFFIX, HookMode, HookName, HookScript

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "HookState",
    "HookStatus",
    "HooksReport",
    "hooks_status",
    "install_hooks",
    "uninstall_hooks",
]


class HookState(str, Enum):
    """What lies at a hook's place."""

    ABSENT = "absent"
    OURS = "installed"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStatus:
    """One hook: ``mode`` is None unless it is ours; ``chained`` says that another one is called."""

    name: HookName
    path: Path
    state: HookState
    mode: HookMode | None = None
    projects: tuple[str, ...] = ()
    chained: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HooksReport:
    """All hooks of a repository. ``folder`` is absolute; ``problems`` are what was left alone."""

    folder: Path
    hooks: tuple[HookStatus, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Repository:
    top: Path
    folder: Path
    variables: Mapping[str, str]


def hooks_status(root: Path, *, variables: Mapping[str, str]) -> HooksReport:
    """What is there now, for the repository that holds ``root``.

    Raises:
        GitError: ``root`` is in no work tree, or git is missing.
    """
    repository = _repository(root, variables)
    return _report(repository)


def install_hooks(
    root: Path,
    *,
    mode: HookMode,
    variables: Mapping[str, str],
    patterns: Sequence[str] = (),
) -> HooksReport:
    """Puts all hooks in for the project at ``root``; doing it again changes mode and command.

    ``patterns`` are further git pathspecs to watch (files included from odd places). Projects of
    the same repository that were installed before stay. A foreign hook is renamed and called
    first; one that git tracks is left alone, since a tracked file is never changed, and named in
    the report's problems.

    Raises:
        GitError: no work tree, no git, or a hooks folder outside the repository.
    """
    repository = _repository(root, variables)
    _refuse_shared_folder(repository)
    repository.folder.mkdir(parents=True, exist_ok=True)
    project = _relative(Path(root).resolve(), repository.top)
    problems = []
    for name in HookName:
        before = _status(repository, name)
        if before.state is HookState.FOREIGN and _is_tracked(repository, before.path):
            problems.append(_tracked_hook(before.path, repository, project, mode))
            continue
        script = HookScript(
            name=name,
            mode=mode,
            command=_own_command(),
            projects=tuple(sorted({*before.projects, project})),
            patterns=(*hookscript.PATTERNS, *patterns),
        )
        _put(script, before)
    return replace(_report(repository), problems=tuple(problems))


def uninstall_hooks(root: Path, *, variables: Mapping[str, str]) -> HooksReport:
    """Takes our hooks out and puts back what they replaced; foreign hooks stay as they are.

    Raises:
        GitError: no work tree, or no git.
    """
    repository = _repository(root, variables)
    for name in HookName:
        status = _status(repository, name)
        if status.state is not HookState.OURS:
            continue
        backup = _backup(status.path)
        if backup.exists():
            backup.replace(status.path)
        else:
            status.path.unlink()
    return _report(repository)


def _repository(root: Path, variables: Mapping[str, str]) -> _Repository:
    """The work tree around ``root``; its hooks folder is shared by all worktrees."""
    done = try_git(
        "rev-parse", "--show-toplevel", "--git-path", "hooks", cwd=root, variables=variables
    )
    if not done.ok:
        raise GitError(
            f"{root} is in no git work tree.",
            code="git-no-repository",
            why="hooks live in a repository",
            fix=Command.of("git", "init"),
        )
    top, folder = done.stdout.splitlines()[:2]
    # `--git-path` answers relative to the working directory, and follows core.hooksPath.
    return _Repository(
        top=Path(top), folder=Path(os.path.normpath(Path(root) / folder)), variables=variables
    )


def _refuse_shared_folder(repository: _Repository) -> None:
    common = git(
        "rev-parse", "--git-common-dir", cwd=repository.top, variables=repository.variables
    ).rstrip("\n")
    inside = (repository.top, Path(os.path.normpath(repository.top / common)))
    real = Path(os.path.realpath(repository.folder))
    if any(real.is_relative_to(os.path.realpath(place)) for place in inside):
        return
    raise GitError(
        f"core.hooksPath is {repository.folder}, which this repository does not own.",
        code="git-hooks-shared",
        why="a hook put there would run for every repository that shares the folder",
        fix=Command.of("git", "config", "--local", "core.hooksPath", f"{common}/hooks").then(
            "hooks", "install"
        ),
    )


def _report(repository: _Repository) -> HooksReport:
    return HooksReport(
        folder=repository.folder,
        hooks=tuple(_status(repository, name) for name in HookName),
    )


def _status(repository: _Repository, name: HookName) -> HookStatus:
    path = repository.folder / name.value
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        # lexists: a dangling symbolic link is somebody's hook too.
        state = HookState.FOREIGN if os.path.lexists(path) else HookState.ABSENT
        return HookStatus(name=name, path=path, state=state)
    ours = hookscript.parse(text, name=name)
    if ours is None:
        return HookStatus(name=name, path=path, state=HookState.FOREIGN)
    return HookStatus(
        name=name,
        path=path,
        state=HookState.OURS,
        mode=ours.mode,
        projects=ours.projects,
        chained=_backup(path).exists(),
    )


def _put(script: HookScript, before: HookStatus) -> None:
    """The foreign hook moves aside before ours is there: a stop in between loses neither."""
    if before.state is HookState.FOREIGN:
        before.path.rename(_backup(before.path))
    write_atomically(before.path, hookscript.render(script).encode())
    before.path.chmod(0o755)


def _backup(path: Path) -> Path:
    return path.with_name(path.name + BACKUP_SUFFIX)


def _is_tracked(repository: _Repository, path: Path) -> bool:
    return try_git(
        "ls-files",
        "--error-unmatch",
        "--",
        str(path),
        cwd=repository.top,
        variables=repository.variables,
    ).ok


def _tracked_hook(path: Path, repository: _Repository, project: str, mode: HookMode) -> Problem:
    shown = _relative(path, repository.top)
    name = HookName(path.name)
    words = ["venvman", "hooks", "run", name.value, "--in", project]
    if name is not HookName.PRE_COMMIT and mode is not HookMode.REPORT:
        words += ["--mode", mode.value]
    line = shlex.join(words) + ("" if name is HookName.PRE_COMMIT else " || :")
    return Problem(
        code="git-hook-tracked",
        message=f"{shown} is a tracked file and was left alone.",
        severity=Severity.WARNING,
        path=shown,
        why="a hook never changes a tracked file",
        fix=Advice(f"Add this line to it: {line}"),
    )


def _relative(path: Path, top: Path) -> str:
    try:
        return Path(os.path.realpath(path)).relative_to(os.path.realpath(top)).as_posix()
    except ValueError:
        return path.as_posix()


def _own_command() -> tuple[str, ...]:
    """How to start this very venvman without PATH: its script, else its interpreter.

    ``-I`` keeps the work tree's own modules from shadowing venvman's.
    """
    script = Path(sys.executable).with_name("venvman" + (".exe" if os.name == "nt" else ""))
    if script.exists():
        return (str(script),)
    return (sys.executable, "-I", "-m", "venvman")
