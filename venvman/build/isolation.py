"""Environments of the target's interpreter for build backends to run in, apart from all else.

One is made for each set of wheels, by the transaction that fills every environment, and kept in the
cache: the next build that wants the same is not kept waiting. A kept one is used only as long as
nothing but bytecode has come to it.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import tempfile
from collections import deque
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from venvman.environment.creating import run_venv
from venvman.environment.inspection import environment_at
from venvman.install.attic import AtticLimit
from venvman.install.transaction import Request, commit
from venvman.lock.file import LockEntry
from venvman.model.errors import Advice, InstallError
from venvman.plan import Add, Plan
from venvman.project.settings import Link
from venvman.python import pyvenv
from venvman.system.files import make_private_folder, remove_tree, write_atomically
from venvman.system.git import without_repository
from venvman.system.locks import FetchLock
from venvman.system.process import stream, without_python_variables
from venvman.system.reading import read_regular
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman.model.events import Reporter
    from venvman.model.names import NormalizedName
    from venvman.python.probe import Interpreter
    from venvman.store.store import StoredWheel

ENVIRONMENTS = "builds-v1"
"""In the cache: a folder for each set of wheels that something was built with."""
_MADE = ".made"
"""In an environment that is complete: what was in it then."""
_KEPT_LINES = 20_000
_TURNS = BoundedSemaphore(os.cpu_count() or 1)
"""As many backends work at once as there are cores."""


def blank_environment(interpreter: Interpreter, folder: Path) -> Path:
    """Makes an environment with nothing in it at ``folder``, which is returned.

    Raises:
        InstallError: ``build-environment`` where the interpreter cannot make one.
    """
    made = run_venv(interpreter, folder)
    if not made.ok:
        raise InstallError(
            f"{interpreter} could not create an environment to build in.",
            code="build-environment",
            why=(made.stderr or made.stdout).strip()[-500:] or None,
            fix=None if interpreter.has_venv else Advice("Install its venv module."),
        )
    return folder


def environment_with(
    wheels: Mapping[NormalizedName, StoredWheel],
    *,
    blank: Callable[[], Path],
    interpreter: Interpreter,
    cache: Path,
) -> Path:
    """The folder of an environment of ``interpreter`` with ``wheels`` in it, and nothing else.

    Where none is kept, what :func:`blank_environment` made is moved there: ``blank`` tells of it.

    Raises:
        InstallError: as :func:`blank_environment`.
        StoreDamaged: wheels must be obtained again.
    """
    facts = [str(interpreter.path), interpreter.target.python, interpreter.target.tags[:1]]
    wanted = json.dumps([facts, sorted(wheel.sha256 for wheel in wheels.values())])
    root = cache / ENVIRONMENTS / hashlib.sha256(wanted.encode()).hexdigest()[:32]
    if is_as_made(root):
        return root
    try:
        for folder in (cache, root.parent):
            make_private_folder(folder)
    except OSError:
        spare = Path(os.path.realpath(tempfile.mkdtemp(prefix="venvman-build-")))
        atexit.register(shutil.rmtree, spare, ignore_errors=True)
        root = spare / root.name
    turn = FetchLock(cache, root.name)
    try:
        if not is_as_made(root):
            if root.exists():
                remove_tree(root)
            shutil.move(blank(), root)
            names = sorted(wheels)
            steps = (Add(entry=LockEntry(name=each, version=None), because="") for each in names)
            plan = Plan(steps=tuple(steps), unchanged=0)
            request = Request(plan=plan, wheels=wheels, link=Link.AUTO)
            commit(request, environment_at(root, interpreter), attic=AtticLimit(entries=0))
            write_atomically(root / _MADE, _digest(root).encode())
    finally:
        turn.release()
    return root


def is_as_made(root: Path) -> bool:
    """Whether the environment ``root`` is complete, and no build has changed anything in it."""
    try:
        return read_regular(root / _MADE).decode() == _digest(root)
    except (OSError, ValueError):
        return False


def _digest(root: Path) -> str:
    """The sha256 (hex) of names, sizes and times of all files that matter but bytecode."""
    digest = hashlib.sha256()
    folders = [pyvenv.python_of(root).parent, *sorted(root.glob("lib/python*/site-packages"))]
    for watched in folders:
        for folder, inner, files in os.walk(watched):
            inner[:] = sorted(set(inner) - {"__pycache__"})
            for name in sorted(files):
                found = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - hundreds of them
                row = f"{folder}/{name} {found.st_size} {found.st_mtime_ns}\n"
                digest.update(row.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


class BuildEnvironment:
    """Implements ``build.env.IsolatedEnv`` for ``python``; ``said`` is what its processes said.

    ``variables`` is the environment mapping that backends see, less what would lead them out of
    the isolation.
    """

    def __init__(self, python: Path, *, variables: Mapping[str, str], reporter: Reporter) -> None:
        self._python = python
        # Less those of pip, Python, this virtual environment and a running git hook.
        self._variables = {
            name: value
            for name, value in without_repository(without_python_variables(variables)).items()
            if not name.startswith("PIP_") and name not in ("VIRTUAL_ENV", "CONDA_PREFIX")
        }
        self._reporter = reporter
        self.said: deque[str] = deque(maxlen=_KEPT_LINES)

    @property
    def python_executable(self) -> str:
        """The Python inside, absolute."""
        return str(self._python)

    def make_extra_environ(self) -> dict[str, str]:
        """What a backend sees besides this environment's own variables: its scripts come first."""
        path = self._variables.get("PATH", os.defpath)
        return {"PATH": f"{self._python.parent}{os.pathsep}{path}"}

    def run(
        self,
        cmd: Sequence[str],
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
    ) -> None:
        """Runs ``cmd`` in the environment; the runner of ``build.ProjectBuilder``.

        Raises:
            CalledProcessError: an exit code other than 0; ``said`` says more.
        """
        variables = {**self._variables, **self.make_extra_environ(), **(extra_environ or {})}
        folder = Path(cwd) if cwd else None

        def heard(line: str) -> None:
            if told := redact(line.rstrip()):
                self.said.append(told)
                self._reporter.detail(told)

        with _TURNS:
            done = stream(cmd, on_line=heard, cwd=folder, env=variables)
        done.check()
