"""The lock that lets one process at a time change an environment; it lies outside of it.

A container may run with a home that nobody can write to. The locks are then kept in a private
folder for temporary files, which every process of the same user finds again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.install.journal import JOURNAL
from venvman.model.errors import AGAIN, Advice, InstallError, Problem, Severity
from venvman.system.files import make_private_folder, permit
from venvman.system.locks import LockTaken, held, holder
from venvman.system.privacy import temporary_folder
from venvman.system.seal import is_own

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from venvman.model.events import Reporter
    from venvman.system.directories import Directories


@contextlib.contextmanager
def locked(
    environment: Path, directories: Directories | None, *, wait: float = -1, reporter: Reporter
) -> Iterator[None]:
    """Holds the lock of ``environment``, which need not exist; says for whom it waits.

    For whoever makes an environment and then commits to it. Without ``directories`` the caller
    holds the lock already.

    Raises:
        InstallError: it was not free within ``wait`` seconds (``environment-locked``), or there is
            no folder to keep it in (``state-unwritable``).
    """
    if directories is None:
        yield
        return
    path = lock_file(environment, directories, reporter=reporter)
    me = " ".join(sys.argv[:3])
    with contextlib.ExitStack() as stack:
        for patience in (0.0, wait):
            try:
                _enter(stack, held(path, wait=patience, who=me), path)
                break
            except LockTaken:
                message = f"{environment} is being changed by {holder(path)}."
                if patience == wait:
                    raise InstallError(
                        message,
                        code="environment-locked",
                        path=str(environment),
                        why="Two syncs of one environment take turns.",
                        fix=AGAIN,
                    ) from None
                reporter.problem(
                    Problem(
                        code="environment-locked",
                        message=message,
                        severity=Severity.NOTE,
                        path=str(environment),
                        # Nothing is to be done about it: this process goes on by itself.
                        why="Two syncs of one environment take turns: this one waits.",
                    )
                )
        yield


def _enter(stack: contextlib.ExitStack, lock: AbstractContextManager[object], path: Path) -> None:
    """Takes ``lock``; what the operating system has against its file is told as an error."""
    try:
        stack.enter_context(lock)
    except LockTaken:
        raise
    except OSError as error:
        raise InstallError(
            f"The lock file {path} cannot be used: {error.strerror or error}.",
            code="state-unwritable",
            path=str(path),
            why="Another user may have made it: with sudo, say.",
            fix=Advice("Have it given to you, or name another folder in VENVMAN_STATE_DIR."),
        ) from error


def lock_file(environment: Path, directories: Directories, *, reporter: Reporter) -> Path:
    """Where the lock is, in a folder that can be written; a note if that is not the usual one.

    Raises:
        InstallError: there is no folder to keep the lock in (``state-unwritable``).
    """
    path = directories.environment_lock(environment)
    try:
        make_private_folder(directories.state)
        _make_writable(path.parent)
    except OSError as error:
        if directories.state_named:
            raise _state_unwritable(directories.state, error) from error
        unwritable = error
    else:
        return path
    try:
        elsewhere = Path(temporary_folder())
        path = replace(directories, state=elsewhere).environment_lock(environment)
        _make_writable(path.parent)
    except OSError:
        raise _state_unwritable(directories.state, unwritable) from unwritable
    reporter.problem(
        Problem(
            code="state-elsewhere",
            message=f"The folder {directories.state} cannot be written: "
            f"{unwritable.strerror or unwritable}.",
            severity=Severity.NOTE,
            path=str(directories.state),
            why="The locks that keep two syncs of one environment apart are in "
            f"{elsewhere} instead.",
            fix=Advice("Name another folder in VENVMAN_STATE_DIR."),
        )
    )
    return path


def _make_writable(folder: Path) -> None:
    make_private_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _state_unwritable(state: Path, error: OSError) -> InstallError:
    return InstallError(
        f"The folder {state} cannot be written: {error.strerror or error}.",
        code="state-unwritable",
        path=str(state),
        why="The locks that keep two syncs of one environment apart lie there.",
        fix=permit("u+rwX", Path(state), below=True)
        if error.errno == errno.EACCES
        else Advice("Name another folder in VENVMAN_STATE_DIR."),
    )


def is_unfinished(environment_root: Path, *, directories: Directories, reporter: Reporter) -> bool:
    """Whether a killed transaction is to be finished; one that is at work does not count."""
    root = os.path.realpath(environment_root)
    if not os.path.lexists(f"{root}/{JOURNAL}") or not is_own(root):
        return False
    try:
        with locked(environment_root, directories, wait=0, reporter=reporter):
            return os.path.lexists(f"{root}/{JOURNAL}")
    except InstallError:
        return False
