"""Making an environment: the process of the ``venv`` module, what venvman adds, what may fail.

A venvman that is killed leaves that process behind, and it goes on writing. It inherits a lock, so
that whoever clears up or fills the same place waits until it has ended.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from venvman.environment.inspection import FILLING, MADE_BY, UNFINISHED
from venvman.environment.template import made_from_template
from venvman.model.errors import AGAIN, Advice, EnvironmentUnusable, Fix
from venvman.system.files import CACHEDIR_TAG, permit, remove_tree
from venvman.system.locks import LockTaken, held
from venvman.system.seal import OWNER, STATE, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvman.python.probe import Interpreter


RUNNING = "venv-runs"
"""In the state folder: locked for as long as a ``venv`` process writes into the environment."""

# Without pip it takes a tenth of a second; on a slow disk some.
_PATIENCE = 60.0


def fill(root: Path, interpreter: Interpreter, *, cache: Path, filling: bool) -> None:
    """Makes the environment in ``root``, which holds no more than a claim and leftovers.

    With ``filling`` a mark says that it does not hold yet what it is made for. ``cache`` keeps what
    ``venv`` has made before (:mod:`venvman.environment.template`).

    Raises:
        EnvironmentUnusable: ``venv`` failed, or one that was left behind does not end.
        OSError: the place cannot be written.
    """
    with _held(root) as inherited:
        for leftover in (*root.iterdir(), *(root / STATE).iterdir()):
            if leftover.name not in (STATE, OWNER, UNFINISHED, RUNNING):
                remove_tree(leftover)
        if filling:
            (root / STATE / FILLING).touch()
        if not made_from_template(root, interpreter, cache):
            _run_venv(root, interpreter, inherited)
    _write_marks(root)


def wait_for_the_outliving(root: Path) -> None:
    """Returns when no ``venv`` that a killed venvman left behind writes into ``root`` any more.

    Raises:
        EnvironmentUnusable: it does not end.
    """
    if (root / STATE / RUNNING).is_file():
        with _held(root):
            pass


@contextmanager
def _held(root: Path) -> Iterator[tuple[int, ...]]:
    """Holds the lock that ``venv`` is to inherit: its descriptor."""
    file = root / STATE / RUNNING
    try:
        with held(file, wait=_PATIENCE) as descriptor:
            yield (descriptor,)
            with suppress(OSError):
                file.unlink(missing_ok=True)
    except LockTaken:
        raise not_created(
            root, "An earlier command was killed, and its `venv` is still running."
        ) from None


def _run_venv(root: Path, interpreter: Interpreter, inherited: tuple[int, ...]) -> None:
    from venvman.system.process import ProcessFault, run, without_python_variables

    command: list[str | Path] = [interpreter.path, "-I", "-m", "venv", "--without-pip", root]
    try:
        done = run(command, env=without_python_variables(os.environ), inherited=inherited)
    except ProcessFault as fault:
        raise not_created(root, fault.message) from fault
    if not done.ok:
        said = (done.stderr or done.stdout).strip()
        raise not_created(root, said.splitlines()[-1] if said else f"Exit code {done.code}.")


def _write_marks(root: Path) -> None:
    from venvman.version import __version__

    (root / ".gitignore").write_text("*\n", encoding="utf-8")
    (root / "CACHEDIR.TAG").write_text(CACHEDIR_TAG, encoding="utf-8")
    write(str(root), MADE_BY, f"venvman {__version__}\n".encode())


def no_venv_module(interpreter: Interpreter) -> EnvironmentUnusable:
    """``interpreter`` lacks what makes environments."""
    package = "python{}.{}-venv".format(*interpreter.minor)
    return EnvironmentUnusable(
        f"{interpreter} has no venv module, so it cannot make environments.",
        code="venv-module-missing",
        path=interpreter.path.as_posix(),
        why="Some Linux distributions keep it in a package of its own.",
        fix=Advice(f"On Debian and its kind: sudo apt install {package}."),
    )


def refused(path: Path, error: OSError, *, doing: str = "made") -> EnvironmentUnusable:
    """What the operating system said to making or removing the environment, and what may help."""
    named = error.filename2 or error.filename
    why = f"{error.strerror or error}{'' if named in (None, str(path)) else f': {named}'}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return not_created(path, why, fix=Advice("Free some space on its disk, then sync again."))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        why += " Another user may have made the folder, or it is on a read-only filesystem."
        fix = permit("u+rwx", path.parent)
        return not_created(path, why, fix=fix, doing=doing)
    return not_created(path, why, doing=doing)


def not_created(
    path: Path, why: str, *, fix: Fix = AGAIN, doing: str = "made"
) -> EnvironmentUnusable:
    """The environment at ``path`` could not be ``doing``, a participle."""
    return EnvironmentUnusable(
        f"The environment {path} could not be {doing}.",
        code="environment-not-created" if doing == "made" else "environment-not-removed",
        path=path.as_posix(),
        why=why,
        fix=fix,
    )
