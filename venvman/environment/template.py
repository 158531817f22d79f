"""What the ``venv`` module makes, kept: the third environment of an interpreter starts no process.

The module runs once in a place whose name stands nowhere else; what it made is kept with the place
for a gap, to be filled in. The first environment of an interpreter is the module's own work.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.system.files import make_private_folder
from venvman.system.process import ProcessFault, run, without_python_variables
from venvman.system.writing import replace

if TYPE_CHECKING:
    from venvman.python.probe import Interpreter

_FOLDER = "venvs-v1"
_PLACE, _NAME = "\0place\0", "\0name\0"
_PLAIN = re.compile(r"[A-Za-z0-9_@+:./-]+")
"""Paths that every shell takes as they are, so that the module quotes nothing."""


def made_from_template(root: Path, interpreter: Interpreter, cache: Path) -> bool:
    """Fills the folder ``root`` as ``venv --without-pip`` would; whether that could be done.

    Raises:
        OSError: ``root`` cannot be written.
    """
    if not _PLAIN.fullmatch(str(root)):
        return False
    kept = cache / _FOLDER / f"{_key(interpreter)}.json"
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


def _key(interpreter: Interpreter) -> str:
    facts: list[object] = [str(interpreter.path), interpreter.target.python]
    with suppress(OSError):
        status = interpreter.path.stat()
        facts += [status.st_size, status.st_mtime_ns]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


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
        command: list[str | Path] = [interpreter.path, "-I", "-m", "venv", "--without-pip", root]
        try:
            done = run(command, env=without_python_variables(os.environ))
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
