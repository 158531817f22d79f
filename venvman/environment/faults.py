"""What stands in the way of making or removing an environment, said so that a person can help."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from venvman.errors import AGAIN, Advice, EnvironmentUnusable, Fix
from venvman.files import permit

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.python.probe import Interpreter

__all__ = ["no_venv_module", "not_created", "refused"]


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
    place = error.filename2 or error.filename
    why = f"{error.strerror or error}{'' if place in (None, str(path)) else f': {place}'}."
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
