"""What git knows of the project's locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.doctor.examination import LockTracking
from venvman.errors import GitError
from venvman.git import try_git

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from venvman.workflow.context import Context

__all__ = ["lock_tracking"]


def lock_tracking(context: Context, locks: Sequence[Path]) -> Mapping[Path, LockTracking]:
    """Each of ``locks`` that lies in the project's work tree; empty outside git and without git."""
    top = context.project.git_root
    inside = [path for path in locks if top is not None and path.is_relative_to(top)]
    if top is None or not inside:
        return {}
    names = {path.relative_to(top).as_posix(): path for path in inside}
    try:
        tracked = _listed(context, top, "ls-files", "-z", "--", *names)
        ignored = _listed(context, top, "check-ignore", "-z", "--", *names)
    except GitError:
        return {}
    return {path: _state(name, tracked, ignored) for name, path in names.items()}


def _listed(context: Context, top: Path, *words: str) -> set[str]:
    # check-ignore exits with 1 where nothing is ignored: an answer, not an error.
    return set(try_git(*words, cwd=top, variables=context.variables).stdout.split("\0"))


def _state(name: str, tracked: set[str], ignored: set[str]) -> LockTracking:
    if name in tracked:
        return LockTracking.TRACKED
    return LockTracking.IGNORED if name in ignored else LockTracking.UNTRACKED
