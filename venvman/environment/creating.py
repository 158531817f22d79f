"""Making an environment: the ``venv`` module, what it made before, what venvman adds and may fail.

A venvman that is killed leaves that process behind, and it goes on writing. It inherits a lock, so
that whoever clears up or fills the same folder waits until it has ended.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.environment.inspection import FILLING, MADE_BY, UNFINISHED
from venvman.model.errors import AGAIN, Advice, EnvironmentUnusable, Fix
from venvman.system.files import CACHEDIR_TAG, make_private_folder, permit, remove_tree
from venvman.system.locks import LockTaken, held
from venvman.system.process import ProcessFault, run, without_python_variables
from venvman.system.seal import OWNER, STATE, write
from venvman.system.writing import replace
from venvman.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.python.probe import Interpreter
    from venvman.system.process import Completed


RUNNING = "venv-runs"
"""In the state folder: locked for as long as a ``venv`` process writes into the environment."""

# Without pip it takes a tenth of a second; on a slow disk some.
_PATIENCE = 60.0
_FOLDER = "venvs-v1"
_PLACE, _NAME = "\0place\0", "\0name\0"
_PLAIN = re.compile(r"[A-Za-z0-9_@+:./-]+")
"""Paths that every shell takes as they are, so that the module quotes nothing."""


def fill(root: Path, interpreter: Interpreter, *, cache: Path, filling: bool) -> None:
    """Makes the environment in ``root``, which holds no more than a claim and leftovers.

    With ``filling`` a mark says that it does not hold yet what it is made for. ``cache`` keeps what
    ``venv`` has made before.

    Raises:
        EnvironmentUnusable: ``venv`` failed, or one that was left behind does not end.
        OSError: the folder cannot be written.
    """
    with _held(root) as inherited:
        for leftover in (*root.iterdir(), *(root / STATE).iterdir()):
            if leftover.name not in (STATE, OWNER, UNFINISHED, RUNNING):
                remove_tree(leftover)
        if filling:
            (root / STATE / FILLING).touch()
        if not _made_from_template(root, interpreter, cache):
            try:
                done = run_venv(interpreter, root, inherited=inherited)
            except ProcessFault as fault:
                raise not_created(root, fault.message) from fault
            if not done.ok:
                said = (done.stderr or done.stdout).strip()
                raise not_created(
                    root, said.splitlines()[-1] if said else f"Exit code {done.code}."
                )
    (root / ".gitignore").write_text("*\n", encoding="utf-8")
    (root / "CACHEDIR.TAG").write_text(CACHEDIR_TAG, encoding="utf-8")
    write(str(root), MADE_BY, f"venvman {__version__}\n".encode())


def run_venv(
    interpreter: Interpreter, root: str | Path, *, inherited: tuple[int, ...] = ()
) -> Completed:
    """The ``venv`` module of ``interpreter`` makes ``root``, without pip.

    ``inherited`` are descriptors that the process gets, too.

    Raises:
        ProcessFault: it cannot be started.
    """
    command: list[str | Path] = [interpreter.path, "-I", "-m", "venv", "--without-pip", root]
    return run(command, env=without_python_variables(os.environ), inherited=inherited)


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


def _made_from_template(root: Path, interpreter: Interpreter, cache: Path) -> bool:
    """Fills the folder ``root`` as ``venv --without-pip`` would; whether that could be done.

    The module runs once in a folder whose name stands nowhere else; what it made is kept with the
    path for a gap, to be filled in. The first environment of an interpreter is the module's own
    work, the third starts no process.

    Raises:
        OSError: ``root`` cannot be written.
    """
    if not _PLAIN.fullmatch(str(root)):
        return False
    facts: list[object] = [str(interpreter.path), interpreter.target.python]
    with suppress(OSError):
        status = interpreter.path.stat()
        facts += [status.st_size, status.st_mtime_ns]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
    kept = cache / _FOLDER / f"{key}.json"
    try:
        content = kept.read_bytes()
    except OSError:
        _keep(kept, b"")
        return False
    if not content:
        try:
            content = json.dumps(_made(interpreter, cache)).encode()
        except OSError:  # a cache that cannot be written
            return False
        _keep(kept, content)
    with suppress(ValueError, TypeError):
        entries = json.loads(content)
        if entries:
            _fill(root, entries)
            return True
    return False


def _keep(path: Path, content: bytes) -> None:
    with suppress(OSError):
        make_private_folder(path.parent.parent)
        make_private_folder(path.parent)
        replace(str(path), content, mode=0o600)


def _made(interpreter: Interpreter, cache: Path) -> list[list[Any]]:
    """Path, kind and content of everything; nothing where that cannot be told."""
    with tempfile.TemporaryDirectory(dir=cache / _FOLDER, prefix="template-") as folder:
        root = os.path.realpath(folder)
        if not _PLAIN.fullmatch(root):
            return []
        try:
            done = run_venv(interpreter, root)
        except ProcessFault:
            return []
        return _read(Path(root)) if done.ok else []


def _read(root: Path) -> list[list[Any]]:
    def gaps(text: str) -> str:
        return text.replace(str(root), _PLACE).replace(root.name, _NAME)

    found: list[list[Any]] = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found.append([name, "link", gaps(str(path.readlink()))])
        elif path.is_dir():
            found.append([name, "folder", ""])
        else:
            executable = os.access(path, os.X_OK)
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            found.append([name, "program" if executable else "file", gaps(text)])
    return found


def _fill(root: Path, entries: list[list[Any]]) -> None:
    for name, kind, content in entries:
        path = root / name
        text = content.replace(_PLACE, str(root)).replace(_NAME, root.name)
        if kind == "folder":
            path.mkdir(exist_ok=True)
        elif kind == "link":
            path.symlink_to(text)
        else:
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
            if kind == "program":
                path.chmod(path.stat().st_mode | 0o111)


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
