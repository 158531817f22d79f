"""The project's virtual environment: where it is, and how it is made, replaced and removed.

None of these functions writes into or deletes a folder that is not an environment. What state one
is in is told by :mod:`venvman.environment.inspection`.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.environment.creating import (
    fill,
    no_venv_module,
    not_created,
    refused,
    wait_for_the_outliving,
)
from venvman.environment.inspection import (
    FILLING,
    MADE_BY,
    UNFINISHED,
    Environment,
    is_vacant,
    not_an_environment,
    usable,
)
from venvman.model.errors import Advice, ConfigurationError, EnvironmentUnusable
from venvman.python import pyvenv
from venvman.system.files import remove_tree
from venvman.system.locks import LockTaken, held
from venvman.system.reading import read_regular
from venvman.system.seal import STATE, holds, is_own, own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.project.project import Project
    from venvman.project.settings import Settings
    from venvman.python.probe import Interpreter
    from venvman.system.directories import Directories

_UNMOVABLE = frozenset({errno.EXDEV, errno.EBUSY})
"""What renaming says of a folder in a lower layer of an overlay file system (a Docker image), which
can only be copied, and of a mount point."""
_LONGEST_PATH = 4000
_CLAIM = ".venvman-claim"
"""In an environment that was moved aside: held by the process that replaces it."""
_PROJECT_MARKS = (".git", ".hg", "pyproject.toml")
"""A folder with one of these holds more than an environment, whatever else it is."""


def locate(project: Project, settings: Settings) -> Path:
    """Where the environment of ``project`` is or will be; absolute, need not exist.

    ``./venv``, unless the configuration names another, or ``.venv`` is an environment (or a file
    that names the folder of one, as PEP 832 drafts it) and ``./venv`` is not.

    Raises:
        ConfigurationError: the configuration names the project itself or a folder above it.
    """
    named = settings.venv.value
    if named is not None:
        longest = len(max(named.split("/"), key=len))
        if "\0" in named or len(named) > _LONGEST_PATH or longest > 255:
            raise ConfigurationError(
                f"{settings.venv.where} cannot be {named[:40]!r}: no folder can have that name.",
                code="venv-invalid",
            )
        path = Path(os.path.abspath(project.root / Path(named).expanduser()))  # noqa: PTH100 - links are kept
        if project.root.is_relative_to(path):
            raise ConfigurationError(
                f"{settings.venv.where} cannot be {named!r}: the project lies in that folder.",
                code="venv-invalid",
                fix=Advice(f"Name a folder of its own, such as {project.root.name}/venv."),
            )
        return path
    usual, hidden = project.root / "venv", project.root / ".venv"
    if (usual / pyvenv.CONFIG).is_file():
        return usual
    redirected = _redirected(hidden)
    if (redirected / pyvenv.CONFIG).is_file():
        return redirected
    return usual


def create(
    path: Path, interpreter: Interpreter, *, directories: Directories, filling: bool = False
) -> Environment:
    """Makes an environment at ``path`` by the ``venv`` module of ``interpreter``, without pip.

    ``path`` must be vacant (:func:`is_vacant`); where it is a link, the environment is made where
    the link points. With ``.gitignore`` and ``CACHEDIR.TAG``. What was made goes again on any
    exception, Ctrl-C included; what a kill leaves counts as vacant. With ``filling`` it counts so
    until :func:`filled` is called, since an environment without what it was made for is none.

    Raises:
        EnvironmentUnusable: something is at ``path``, another venvman is making an environment
            there, or ``venv`` is missing or failed.
    """
    if not is_vacant(path):
        raise not_an_environment(path, "Something is there already.")
    if not interpreter.has_venv:
        raise no_venv_module(interpreter)
    root = _real(path)
    begun = False
    try:
        root.mkdir(parents=True, exist_ok=True)
        own(str(root))
        with _claimed(root / STATE / UNFINISHED, path):
            begun = True
            fill(root, interpreter, cache=directories.cache, filling=filling)
        made = usable(path, directories=directories, filling=filling)
    except BaseException as error:
        if begun:
            _clear(root)
        if isinstance(error, OSError):
            raise refused(path, error) from error
        raise
    if made is None:  # somebody else removed it at this very moment
        raise not_created(path, "It vanished.")
    return made


def filled(path: Path) -> None:
    """Says that the environment at ``path`` holds what it was made for; from now on it is one.

    Raises:
        EnvironmentUnusable: that cannot be written down.
    """
    try:
        (path / STATE / FILLING).unlink(missing_ok=True)
    except OSError as error:
        raise refused(path, error) from error


@contextmanager
def replaced(path: Path) -> Iterator[None]:
    """Moves the environment at ``path`` aside for the block, which makes another in its place.

    After an exception in the block (Ctrl-C included) ``path`` is what it was; after success the old
    one is deleted. The move is a rename to a hidden sibling, so that a kill at any instant leaves
    something that :func:`recover_replaced` can finish; that one runs here first. Where ``path`` is
    a link, what it points to is moved, and the link stays.

    Raises:
        EnvironmentUnusable: ``path`` is not an environment, venvman itself runs in it, or another
            venvman is replacing it.
    """
    recover_replaced(path)
    root = _real(path)
    if not is_vacant(root):
        _refuse_unless_removable(root)
        try:
            own(str(root))  # by which what is moved aside is known again
            # Ours was settled above: what has this name still came with a clone, say.
            remove_tree(_aside(root))
            _move_aside(root)
        except OSError as error:
            raise refused(path, error) from error
    try:
        with _claimed(_aside(root) / _CLAIM, path) if _aside(root).exists() else nullcontext():
            yield
        if _aside(root).exists():
            _aside(root).rename(_discarded(root))  # the commit
    except BaseException as error:
        _put_back(root)
        if isinstance(error, OSError):
            raise refused(path, error) from error
        raise
    with suppress(OSError):  # what stays is the next command's to remove
        remove_tree(_discarded(root))


def recover_replaced(path: Path) -> bool:
    """Finishes or reverts a :func:`replaced` or a :func:`create` that was killed; whether one was.

    One that another process is in the middle of is let alone; for one that is being filled, the
    caller holds the environment's lock.
    The old environment comes back where the new one was not finished by venvman; one that somebody
    made there by hand in the meantime is kept, and the old one deleted.
    """
    root = _real(path)
    aside, discarded = _aside(root), _discarded(root)
    left, moved = _is_unfinished(root), _is_moved_aside(root)
    if not (moved or discarded.exists() or left) or (moved and _is_claimed(aside / _CLAIM)):
        return False
    if left and not _is_claimed(root / STATE / UNFINISHED):
        wait_for_the_outliving(root)
        _clear(root)
    if moved:
        if is_vacant(root) or holds(str(root), MADE_BY):
            _put_back(root)
        else:
            remove_tree(aside)
    remove_tree(discarded)
    return True


def is_being_replaced(path: Path) -> bool:
    """Whether :func:`recover_replaced` may have something to do: a few system calls."""
    root = _real(path)
    return _is_moved_aside(root) or os.path.lexists(_discarded(root)) or _is_unfinished(root)


def remove(path: Path) -> None:
    """Deletes the environment at ``path``, broken or not, and nothing else.

    Links inside are removed, never followed. Where ``path`` itself is a link, only the link goes:
    what it points to was put there by somebody for a reason, and may be shared.

    Raises:
        EnvironmentUnusable: ``path`` is not an environment, venvman itself runs in it, or the
            operating system refuses.
    """
    recover_replaced(path)
    _refuse_unless_removable(_real(path))
    try:
        if path.is_symlink():
            path.unlink()
            return
        try:
            path.rename(_discarded(path))  # gone at once, whatever happens while files are deleted
        except OSError as error:
            if error.errno not in _UNMOVABLE:
                raise
            _clear(path)
        remove_tree(_discarded(path))
    except OSError as error:
        raise refused(path, error, doing="removed") from error


def _redirected(hidden: Path) -> Path:
    """``.venv``, or the folder that the file ``.venv`` names."""
    if not hidden.is_file():
        return hidden
    try:
        named = read_regular(hidden).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return hidden
    is_path = bool(named) and "\n" not in named and "\0" not in named
    return Path(os.path.normpath(hidden.parent / named)) if is_path else hidden


def _real(path: Path) -> Path:
    """``path``, or what it points to where it is itself a link; need not exist."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _aside(root: Path) -> Path:
    return root.with_name(f".{root.name}.venvman-replaced")


def _discarded(root: Path) -> Path:
    return root.with_name(f".{root.name}.venvman-discarded")


def _is_moved_aside(root: Path) -> bool:
    """Whether this user's venvman has moved aside what was at ``root``."""
    return is_own(str(_aside(root)), known_as=str(root))


def _is_unfinished(root: Path) -> bool:
    """Whether there is what a killed creation left: no environment, and not nothing."""
    return (root / STATE).is_dir() and is_vacant(root)


def _move_aside(root: Path) -> None:
    try:
        root.rename(_aside(root))
    except OSError as error:
        if error.errno not in _UNMOVABLE:
            raise
        # Until the copy is whole it bears the name of what is to be deleted.
        shutil.copytree(root, _discarded(root), symlinks=True)
        own(str(_discarded(root)), known_as=str(root))
        _discarded(root).rename(_aside(root))
        _clear(root)


@contextmanager
def _claimed(file: Path, path: Path) -> Iterator[None]:
    """Holds ``file`` for the block, so that others can tell work in progress from leftovers."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with held(file, wait=0):
            yield
    except LockTaken:
        raise EnvironmentUnusable(
            f"Another venvman is making the environment {path}.",
            code="environment-busy",
            path=path.as_posix(),
            fix=Advice("Wait for it, then run the same command again."),
        ) from None
    finally:
        if not _is_claimed(file):
            file.unlink(missing_ok=True)


def _is_claimed(file: Path) -> bool:
    """Whether a living process holds ``file``; a killed one's hold ended with it."""
    if not file.is_file():
        return False
    try:
        with held(file, wait=0):
            return False
    except LockTaken:
        return True


def _put_back(root: Path) -> None:
    """Whatever the block left at ``root`` goes, and what was there before comes back."""
    aside = _aside(root)
    if _is_claimed(root / STATE / UNFINISHED):
        return  # somebody else's, who did not wait for the environment's lock
    if is_vacant(root) or pyvenv.is_environment(root):
        _clear(root)
    if not aside.exists():
        return
    (aside / _CLAIM).unlink(missing_ok=True)
    if root.is_dir() and is_vacant(root):  # a mount point, which stays
        shutil.copytree(aside, root, symlinks=True, dirs_exist_ok=True)
        remove_tree(aside)
    else:
        aside.rename(root)


def _clear(root: Path) -> None:
    """Deletes the folder ``root`` if it is there; only what is in it where it is a mount point."""
    if not root.is_dir():
        return
    remove_tree(_discarded(root))
    with suppress(OSError):  # gone at once, whatever happens while files are deleted
        root.rename(_discarded(root))
        remove_tree(_discarded(root))
        return
    # What says that this is no environment goes last.
    for child in sorted(root.iterdir(), key=lambda child: child.name == STATE):
        remove_tree(child)
    with suppress(OSError):
        root.rmdir()


def _refuse_unless_removable(root: Path) -> None:
    if not pyvenv.is_environment(root):
        raise not_an_environment(root, f"It has no {pyvenv.CONFIG} with an interpreter.")
    marks = [name for name in _PROJECT_MARKS if (root / name).exists()]
    if marks:
        raise not_an_environment(
            root,
            f"It also holds {', '.join(marks)}.",
            fix=Advice("Name another folder as venv in [tool.venvman], or remove it by hand."),
        )
    if Path(os.path.realpath(sys.prefix)).is_relative_to(os.path.realpath(root)):
        raise EnvironmentUnusable(
            f"venvman itself runs in {root}, so it cannot remove it.",
            code="environment-runs-venvman",
            path=root.as_posix(),
            why="Its own files would vanish under it.",
            fix=Advice("Install venvman elsewhere: with pipx, say."),
        )
