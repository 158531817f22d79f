"""Tool environments: pip-tools for interpreters of another minor version than venvman's own.

One for each minor version (pip-tools is not the same on all of them), kept in the cache, made with
the interpreter's own ``venv``, shared by all projects and rebuilt when broken.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from venvman.errors import Advice, FreezeError
from venvman.files import make_private_folder
from venvman.locks import held
from venvman.process import ProcessFault, run, stream
from venvman.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvman.directories import Directories
    from venvman.events import Reporter
    from venvman.target import Target

__all__ = ["compiler"]

_LAST_FOR_3_8 = "pip-tools==7.5.2"
_CURRENT = "pip-tools>=7.5"
_COMMAND = ("-m", "piptools", "compile")


def compiler(
    python: Path,
    target: Target,
    *,
    directories: Directories,
    environment: Mapping[str, str],
    reporter: Reporter,
) -> tuple[str, ...]:
    """The words that run pip-compile on an interpreter like ``python``.

    ``environment`` is what pip runs with. Needs the index only when the environment is made.

    Raises:
        FreezeError: it could not be made.
    """
    if _is_this_python(target):
        return (sys.executable, *_COMMAND)
    minor = ".".join(map(str, target.minor))
    folder = directories.cache / "tools" / f"pip-tools-{minor}"
    executable = _executable(folder)
    make_private_folder(folder.parent)
    with held(folder.with_name(f"{folder.name}.lock")):
        if not _works(executable, environment):
            reporter.detail(f"Making a tool environment for Python {minor}.")
            _make(folder, python, target, environment, reporter)
    return (str(executable), *_COMMAND)


def _is_this_python(target: Target) -> bool:
    markers = dict(target.markers)
    implementation = markers.get("implementation_name", sys.implementation.name)
    return target.minor == sys.version_info[:2] and implementation == sys.implementation.name


def _executable(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _works(executable: Path, environment: Mapping[str, str]) -> bool:
    """Whether pip-compile would start; an upgrade of the interpreter can have broken it."""
    try:
        return run((executable, "-c", "import piptools, pip"), env=environment).ok
    except ProcessFault:
        return False


def _make(
    folder: Path,
    python: Path,
    target: Target,
    environment: Mapping[str, str],
    reporter: Reporter,
) -> None:
    make_private_folder(folder.parent)
    if folder.exists():
        shutil.rmtree(folder)
    tools = _LAST_FOR_3_8 if target.minor <= (3, 8) else _CURRENT
    install = ("-m", "pip", "install", "--upgrade", "pip", tools)
    for words in ((python, "-m", "venv", folder), (_executable(folder), *install)):
        said = _failure([str(word) for word in words], environment, reporter)
        if said is not None:
            shutil.rmtree(folder, ignore_errors=True)
            raise _not_made(target, said)


def _failure(words: list[str], environment: Mapping[str, str], reporter: Reporter) -> str | None:
    """What a program that failed said; None if it went well."""
    try:
        done = stream(words, on_line=lambda line: reporter.detail(redact(line)), env=environment)
    except ProcessFault as error:
        return error.message
    return None if done.ok else done.stdout


def _not_made(target: Target, said: str) -> FreezeError:
    lines = [line for line in redact(said).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    minor = ".".join(map(str, target.minor))
    return FreezeError(
        f"pip-tools could not be installed for Python {minor}.",
        code="tool-environment-failed",
        why=(errors or lines or ["No output."])[-1],
        fix=Advice("Freeze without --engine pip-tools, or for another Python."),
    )
