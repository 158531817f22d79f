"""Filling the place of an environment: the ``venv`` module's process, and what venvman adds.

A venvman that is killed leaves that process behind, and it goes on writing. It inherits a lock, so
that whoever clears up or fills the same place waits until it has ended.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from venvman.environment.faults import not_created
from venvman.environment.inspection import FILLING, MADE_BY, STATE, UNFINISHED
from venvman.files import CACHEDIR_TAG, remove_tree
from venvman.locks import LockTaken, held
from venvman.seal import OWNER, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvman.python.probe import Interpreter

__all__ = ["fill", "wait_for_the_outliving"]

RUNNING = "venv-runs"
"""In the state folder: locked for as long as a ``venv`` process writes into the environment."""

# Without pip it takes a tenth of a second; on a slow disk some.
_PATIENCE = 60.0


def fill(place: Path, interpreter: Interpreter, *, filling: bool) -> None:
    """Makes the environment in ``place``, which holds no more than a claim and leftovers.

    With ``filling`` a mark says that it does not hold yet what it is made for.

    Raises:
        EnvironmentUnusable: ``venv`` failed, or one that was left behind does not end.
        OSError: the place cannot be written.
    """
    with _held(place) as inherited:
        for leftover in (*place.iterdir(), *(place / STATE).iterdir()):
            if leftover.name not in (STATE, OWNER, UNFINISHED, RUNNING):
                remove_tree(leftover)
        if filling:
            (place / STATE / FILLING).touch()
        _run_venv(place, interpreter, inherited)
    _write_marks(place)


def wait_for_the_outliving(place: Path) -> None:
    """Returns when no ``venv`` that a killed venvman left behind writes into ``place`` any more.

    Raises:
        EnvironmentUnusable: it does not end.
    """
    if (place / STATE / RUNNING).is_file():
        with _held(place):
            pass


@contextmanager
def _held(place: Path) -> Iterator[tuple[int, ...]]:
    """Holds the lock that ``venv`` is to inherit: its descriptor."""
    file = place / STATE / RUNNING
    try:
        with held(file, wait=_PATIENCE) as descriptor:
            yield (descriptor,)
            with suppress(OSError):
                file.unlink(missing_ok=True)
    except LockTaken:
        raise not_created(
            place, "An earlier command was killed, and its `venv` is still running."
        ) from None


def _run_venv(place: Path, interpreter: Interpreter, inherited: tuple[int, ...]) -> None:
    from venvman.process import ProcessFault, run, without_python_variables

    command: list[str | Path] = [interpreter.path, "-I", "-m", "venv", "--without-pip", place]
    try:
        done = run(command, env=without_python_variables(os.environ), inherited=inherited)
    except ProcessFault as fault:
        raise not_created(place, fault.message) from fault
    if not done.ok:
        said = (done.stderr or done.stdout).strip()
        raise not_created(place, said.splitlines()[-1] if said else f"Exit code {done.code}.")


def _write_marks(place: Path) -> None:
    from venvman.version import __version__

    (place / ".gitignore").write_text("*\n", encoding="utf-8")
    (place / "CACHEDIR.TAG").write_text(CACHEDIR_TAG, encoding="utf-8")
    write(str(place), MADE_BY, f"venvman {__version__}\n".encode())
