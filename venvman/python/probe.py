"""Asking an interpreter about itself, once.

:func:`probe` runs :mod:`venvman.python.facts` in it and keeps the answer on disk, keyed by
everything that could change it; the second look starts no process. Environments are never asked:
their interpreter is the base one, whose markers, tags and paths are theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.model.errors import Advice, EnvironmentUnusable
from venvman.model.frozen import dataclass
from venvman.model.target import Target
from venvman.python import pyvenv
from venvman.system import records
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

    from venvman.system.directories import Directories
    from venvman.system.process import Completed

OWN = Path(getattr(sys, "_base_executable", None) or sys.executable)
"""The interpreter that runs venvman; its base where that is an environment's."""
OLDEST = (3, 8)
"""The first CPython that can be managed."""

_KIND = "interpreter 2"
"""Rises when what is kept on disk changes its meaning."""
_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemePaths:
    """Where environments of an interpreter keep things: POSIX paths relative to their root."""

    purelib: str
    platlib: str
    scripts: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A CPython that environments can be made of; never itself the Python of an environment.

    ``path`` is absolute and as it was found: links such as ``/usr/bin/python3`` are kept.
    ``prefix`` is its ``sys.prefix``. ``has_venv`` says whether it has the ``venv`` module.
    ``pip_version`` is what its ensurepip bundles, ``pip_folders`` where the wheel may be.
    """

    path: Path
    prefix: Path
    target: Target
    scheme: SchemePaths
    free_threaded: bool
    debug: bool
    has_venv: bool
    pip_version: str | None
    pip_folders: tuple[Path, ...]
    implementation: str = "cpython"

    @property
    def version(self) -> Version:
        """The full version, parsed."""
        from packaging.version import Version

        return Version(self.target.python)

    @property
    def minor(self) -> tuple[int, int]:
        """``(3, 11)``."""
        return self.target.minor

    def __str__(self) -> str:
        return f"Python {self.target.python}{'t' if self.free_threaded else ''} ({self.path})"


class By(Enum):
    """Who says that there is an interpreter at a path, and thereby how far it is trusted."""

    USER = "user"
    """A flag or a variable of this command: it is started wherever it lies."""
    MACHINE = "machine"
    """It was found where this machine keeps its Pythons, or on PATH."""
    PROJECT = "project"
    """A file of the project, or an environment that anybody may have made."""


def probe(path: Path, *, directories: Directories, by: By = By.PROJECT) -> Interpreter:
    """The interpreter at ``path``; for the Python of an environment, its base.

    Kept under ``directories.cache``, where a damaged or unwritable file only costs time. What lies
    in the project's work tree is started only where the user names it; who only looks starts
    nothing that just the project names (trust.md), and takes a Python of the machine of the same
    version for an environment's.

    Raises:
        EnvironmentUnusable: it is not there, does not run, is not CPython, is older than 3.8, or
            is not to be started (``interpreter-untrusted``).
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would lose links
    environment = pyvenv.environment_of(path)
    if environment is not None:
        # Whoever names an environment does not know what its files name in turn.
        path, by = _base_of(environment), By.PROJECT
    kept = _cache_file(path, directories)
    known = kept and records.load(kept, _KIND)
    if known:
        return _interpreter(path, known)
    if by is not By.USER and directories.holds_stranger(path):
        raise _untrusted(path, "it lies in the project, where it may be anybody's.")
    if by is By.PROJECT and directories.looks and not _is_of_machine(path):
        raise _untrusted(path, "only the project's own files name it.")
    facts = _ask(path)
    actual = Path(facts["executable"] or path)
    if os.path.realpath(path) != os.path.realpath(actual):
        # A shim: which Python it starts depends on folder and variables, so it is not remembered.
        path = actual
    _remember(path, facts, directories)
    return _interpreter(path, facts)


def bundled_pip(interpreter: Interpreter) -> Path | None:
    """The wheel of pip that came with ``interpreter``; None where there is none.

    ensurepip says which of several it would take; without ensurepip (Debian splits it off) the
    newest of the distributor's own is taken.
    """
    for folder in interpreter.pip_folders:
        wheels = {wheel.name.split("-")[1]: wheel for wheel in folder.glob("pip-*.whl")}
        if interpreter.pip_version in wheels:
            return wheels[interpreter.pip_version]
        if interpreter.pip_version is None and wheels:
            from packaging.version import Version

            return wheels[max(wheels, key=Version)]
    return None


def _is_of_machine(path: Path) -> bool:
    from venvman.python.discover import find_pythons

    known = chain([OWN], (each.path for each in find_pythons(os.environ)))
    return any(os.path.realpath(path) == os.path.realpath(each) for each in known)


def _untrusted(path: Path, why: str) -> EnvironmentUnusable:
    return EnvironmentUnusable(
        f"{path} is not started: {why}",
        code="interpreter-untrusted",
        path=path.as_posix(),
        why="A repository or an environment may bring any program and call it Python.",
        fix=Advice("Name it with --python if you know what it is."),
    )


def _base_of(environment: Path, *, depth: int = 5) -> Path:
    """The base interpreter; up to Python 3.10 an environment may be made of another one's."""
    content = read_regular(environment / pyvenv.CONFIG)
    config = pyvenv.parse_config(content.decode("utf-8", errors="replace"))
    for candidate in pyvenv.base_candidates(environment, config):
        if not candidate.exists():
            continue
        between = pyvenv.environment_of(candidate)
        if between is None:
            return candidate
        if depth:
            with suppress(OSError, EnvironmentUnusable):
                return _base_of(between, depth=depth - 1)
    raise EnvironmentUnusable(
        f"The interpreter that {environment} was made of is gone.",
        code="interpreter-gone",
        path=environment.as_posix(),
        why=f"{pyvenv.CONFIG} says it was in {config.home}." if config.home else None,
    )


def _remember(path: Path, facts: Mapping[str, Any], directories: Directories) -> None:
    from venvman.system.files import make_cache_folder

    kept = _cache_file(path, directories)
    if kept is None:
        return
    try:
        make_cache_folder(directories.cache)
        kept.parent.mkdir(exist_ok=True)
        records.save(kept, _KIND, facts)
    except OSError:
        return  # a cache that cannot be written costs a process, nothing else


def _cache_file(path: Path, directories: Directories) -> Path | None:
    """Named after all that the answer depends on; None where there is nothing to look at.

    A link may be turned to another Python, an upgraded system has another libc and kernel (markers
    tell the kernel's version), and a shared home folder is seen by several machines.
    """
    import packaging  # its order of tags has changed between versions

    try:
        real = Path(os.path.realpath(path, strict=True))
        seen = real.stat()
    except OSError:
        return None
    file = (str(path), str(real), seen.st_size, seen.st_mtime_ns)
    told = os.uname()
    libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    system = (told.sysname, told.release, told.version, told.machine, libc or "")
    key = repr((_KIND, packaging.__version__, file, system))
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return directories.cache / "interpreters" / f"{digest[:32]}.json"


def _ask(path: Path) -> dict[str, Any]:
    """Facts and ``tags``, fresh from the interpreter."""
    from venvman.python.tags import tags_of

    if not path.is_file():
        raise _unusable(path, f"There is no Python at {path}.", code="interpreter-missing")
    answer = _run(path, "-I", "-S", str(Path(__file__).with_name("facts.py")))
    # Too old for that script, or no Python at all: ask only for the version.
    facts = _read(answer) or _read(_run(path, "-c", _VERSION_ONLY))
    if facts is None:
        why = "".join((answer.stderr or answer.stdout).strip().splitlines()[-1:])
        message = f"{path} does not run as a Python."
        raise _unusable(path, message, code="interpreter-broken", why=why)
    version = facts["version"]
    refused = None
    if facts["implementation"] != "cpython":
        refused = f"{path} is {facts['implementation']}, and venvman manages CPython only."
    elif tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        refused = f"{path} is Python {version}, and venvman manages 3.8 and newer."
    if refused is not None:
        raise _unusable(path, refused, code="interpreter-unsupported")
    facts["tags"] = tags_of(facts)
    return facts


def _run(path: Path, *arguments: str) -> Completed:
    from venvman.system.process import ProcessFault, run, without_python_variables

    variables = without_python_variables(os.environ)
    try:
        # Not from the working directory: it may be gone, and with -c its modules would come first.
        there = Path(path.anchor)
        return run([path, *arguments], cwd=there, env=variables, timeout=_TIMEOUT)
    except ProcessFault as fault:
        raise _unusable(path, fault.message, code="interpreter-broken") from fault


_VERSION_ONLY = (
    "import json, sys; print(json.dumps({'version': '%d.%d.%d' % tuple(sys.version_info[:3]), "
    "'implementation': getattr(getattr(sys, 'implementation', None), 'name', 'cpython')}))"
)


def _read(answer: Completed) -> dict[str, Any] | None:
    try:
        facts = json.loads(answer.stdout)
    except ValueError:
        return None
    return facts if isinstance(facts, dict) and "version" in facts else None


def _unusable(
    path: Path, message: str, *, code: str, why: str | None = None
) -> EnvironmentUnusable:
    return EnvironmentUnusable(
        message,
        code=code,
        path=path.as_posix(),
        why=why or None,
        fix=Advice("Name another Python with --python, or where this one is named."),
    )


def _interpreter(path: Path, facts: Mapping[str, Any]) -> Interpreter:
    return Interpreter(
        path=path,
        prefix=Path(facts["prefix"]),
        target=Target(
            python=facts["version"],
            markers=tuple(sorted(facts["markers"].items())),
            tags=tuple(facts["tags"]),
        ),
        scheme=SchemePaths(**facts["paths"]),
        free_threaded=facts["free_threaded"],
        debug=facts["debug"],
        has_venv=facts["has_venv"],
        pip_version=facts["pip"]["version"],
        pip_folders=tuple(Path(folder) for folder in facts["pip"]["folders"]),
    )
