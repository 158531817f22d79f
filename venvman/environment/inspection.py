"""What is at the path of an environment: nothing, something else, a broken one, or a working one.

Looked at from outside. The values here are those of :mod:`venvman.environment.lifecycle`, which
makes and removes environments.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from venvman.model.errors import Advice, Command, EnvironmentUnusable, Fix
from venvman.model.frozen import dataclass
from venvman.python import pyvenv
from venvman.system.files import aside, permit
from venvman.system.reading import read_regular
from venvman.system.seal import OWNER, STATE, holds, is_own

if TYPE_CHECKING:
    from venvman.python.probe import Interpreter
    from venvman.python.request import PythonRequest
    from venvman.system.directories import Directories


MADE_BY = "made-by"
"""In :data:`STATE`: who made the environment. A foreign environment may have STATE without it."""
UNFINISHED = "unfinished"
"""In :data:`STATE` while the environment is being made; still there, it never was one."""
FILLING = "filling"
"""In :data:`STATE` from then on until it holds what it was made for; the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallPaths:
    """Where the parts of a wheel go in one environment; absolute (``sysconfig``'s names).

    ``headers`` is the folder that gets one folder for each distribution, as pip has it.
    """

    purelib: Path
    platlib: Path
    scripts: Path
    data: Path
    headers: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment that works: ``root`` is absolute and as it was named.

    ``interpreter`` is the base one; ``paths`` are of its version. ``state`` is where venvman keeps
    what belongs to this environment alone; it need not exist.
    """

    root: Path
    interpreter: Interpreter
    paths: InstallPaths
    made_by_venvman: bool
    state: Path

    @property
    def python(self) -> Path:
        """The environment's own interpreter, for processes that must see what is installed."""
        return pyvenv.python_of(self.root)

    @property
    def site_folders(self) -> tuple[Path, ...]:
        """The folders that distributions are installed in, each once: ``lib64`` is often a link."""
        pure, platform = self.paths.purelib, self.paths.platlib
        is_one = os.path.realpath(pure) == os.path.realpath(platform)
        return (pure,) if is_one else (pure, platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Nothing is at ``path``, or an empty folder, or what a killed creation left."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnEnvironment:
    """Something else is at ``path``, never to be written into; ``reason`` is a sentence."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An environment that cannot be used as it is: ``reason`` is a sentence, ``fix`` fixes it.

    ``code`` is ``config-unreadable``, ``interpreter-gone``, ``interpreter-broken``,
    ``interpreter-untrusted``, ``interpreter-changed``, ``system-site-packages`` or ``moved``.
    """

    path: Path
    reason: str
    code: str
    fix: Fix = Command.venvman("sync", "--recreate")


Condition: TypeAlias = Absent | NotAnEnvironment | Broken | Environment


def inspect(path: Path, *, directories: Directories, filling: bool = False) -> Condition:
    """What is at ``path``; starts no process but the first probe of a base interpreter.

    ``filling`` says that the caller is who fills a new environment, for which nobody else takes it.
    """
    if not (filling and _is_begun(path, FILLING)) and is_vacant(path):
        return Absent(path=path)
    foreign = _why_no_environment(path)
    if foreign is not None:
        return NotAnEnvironment(path=path, reason=foreign)
    try:
        text = read_regular(path / pyvenv.CONFIG).decode("utf-8", errors="replace")
    except OSError as error:
        reason = f"{pyvenv.CONFIG} cannot be read: {error.strerror}."
        return Broken(path=path, reason=reason, code="config-unreadable")
    config = pyvenv.parse_config(text)
    interpreter = _interpreter_of(path, config, directories=directories)
    if isinstance(interpreter, Broken):
        return interpreter
    return (
        _ill_configured(path, config, interpreter)
        or _unreadable(path / interpreter.scheme.purelib, path)
        or _moved(path)
        or environment_at(path, interpreter)
    )


def usable(path: Path, *, directories: Directories, filling: bool = False) -> Environment | None:
    """The environment at ``path``, None where there is none yet; ``filling`` as for `inspect`.

    Raises:
        EnvironmentUnusable: it is broken, or something else is there; says what fixes it.
    """
    match inspect(path, directories=directories, filling=filling):
        case Environment() as environment:
            return environment
        case Absent():
            return None
        case Broken(reason=reason, code=code, fix=fix):
            raise EnvironmentUnusable(
                f"The environment {path} is broken.",
                code=f"environment-{code}",
                path=path.as_posix(),
                why=reason,
                fix=fix,
            )
        case NotAnEnvironment(reason=reason):
            raise not_an_environment(path, reason)


def conflict(
    environment: Environment, request: PythonRequest, *, directories: Directories
) -> str | None:
    """Why ``environment`` cannot serve ``request``, as a sentence; None where it can.

    Another minor version, or another build (free-threaded) of it, never serves. A patch version
    that a file names is not worth a new environment; one that a flag names is.
    """
    from venvman.python.interpreters import fulfils, is_near

    interpreter = environment.interpreter
    if fulfils(interpreter, request, directories=directories):
        return None
    if not request.binding and is_near(interpreter, request, directories=directories):
        return None
    return (
        f"The environment {environment.root} is of Python {interpreter.target.python}, but "
        f"{request.where} asks for {request.text}."
    )


def is_vacant(path: Path) -> bool:
    """Whether an environment may be made at ``path``: nothing there, or nothing of anyone's."""
    if not path.exists():
        return not _is_endless(path)  # a link to a path that is not there yet included
    state = path / STATE
    if _is_begun(path, UNFINISHED) or _is_begun(path, FILLING):
        return True
    if not path.is_dir() or any(child.name != STATE for child in path.iterdir()):
        return False
    return (
        not state.exists()
        or is_own(str(path))
        or (state.is_dir() and all(child.name.startswith(OWNER) for child in state.iterdir()))
    )


def _is_endless(path: Path) -> bool:
    """Whether ``path`` is a link that leads back to itself."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _is_begun(path: Path, mark: str) -> bool:
    """Whether venvman began to make an environment at ``path`` and has not taken ``mark`` away."""
    # One that cannot be read holds nothing of ours that counts.
    return os.path.isfile(path / STATE / mark) and is_own(str(path))  # noqa: PTH113 - Path raises


def environment_at(path: Path, interpreter: Interpreter) -> Environment:
    """The environment at ``path``, known to be one of ``interpreter``."""
    scheme = interpreter.scheme
    python = "python{}.{}".format(*interpreter.minor)
    return Environment(
        root=path,
        interpreter=interpreter,
        paths=InstallPaths(
            purelib=path / scheme.purelib,
            platlib=path / scheme.platlib,
            scripts=path / scheme.scripts,
            data=path / scheme.data,
            headers=path / "include" / "site" / python,
        ),
        made_by_venvman=holds(str(path), MADE_BY),
        state=path / STATE,
    )


def not_an_environment(path: Path, reason: str, *, fix: Fix | None = None) -> EnvironmentUnusable:
    """The error for a path that venvman must leave alone."""
    return EnvironmentUnusable(
        f"{path} is not a virtual environment.",
        code="not-an-environment",
        path=path.as_posix(),
        why=reason,
        fix=fix or out_of_the_way(path),
    )


def out_of_the_way(path: Path) -> Fix:
    """What helps against a folder that is no environment; a whole Python is never moved away."""
    if _is_python(path) or (path / "conda-meta").is_dir():
        return Advice("Name another folder: `venv` in [tool.venvman], or VENVMAN_VENV.")
    return aside(path)


def _is_python(path: Path) -> bool:
    """Whether a Python is installed with ``path`` as its prefix."""
    return any(path.glob("lib*/python3*/os.py")) or (path / "Lib" / "os.py").is_file()


def _why_no_environment(path: Path) -> str | None:
    if not path.is_dir():
        return "The link leads to itself." if _is_endless(path) else "A file is in the way."
    if pyvenv.is_environment(path):
        return None
    if (path / "conda-meta").is_dir():
        return "It is a conda environment."
    if (path / pyvenv.CONFIG).is_file():
        return f"It has {pyvenv.CONFIG}, but no interpreter."
    if any(path.glob("lib*/python3*/EXTERNALLY-MANAGED")):
        return "It is the system's Python, whose packages the system itself manages (PEP 668)."
    if _is_python(path):
        return "It is a Python itself, and no environment of one."
    return f"The folder has no {pyvenv.CONFIG}."


def _interpreter_of(
    path: Path, config: pyvenv.VenvConfig, *, directories: Directories
) -> Interpreter | Broken:
    from venvman.python.probe import probe

    own = pyvenv.python_of(path)
    if not own.exists():
        gone = f"Its interpreter {own.readlink()} is gone." if own.is_symlink() else None
        reason = gone or f"It has no {pyvenv.SCRIPTS}/{own.name}."
        return Broken(path=path, reason=reason, code="interpreter-gone")
    if config.home is None:
        reason = f"{pyvenv.CONFIG} does not say where its interpreter is."
        return Broken(path=path, reason=reason, code="config-unreadable")
    if not config.home.is_dir():
        reason = f"The folder {config.home} of its interpreter is gone."
        return Broken(path=path, reason=reason, code="interpreter-gone")
    if not os.access(own, os.X_OK) or not _is_program_of(own, config.home):
        reason = f"Its interpreter {own} cannot be executed, or is not one of {config.home}."
        return Broken(path=path, reason=reason, code="interpreter-broken")
    try:
        return probe(own, directories=directories)
    except OSError as error:
        reason = f"{pyvenv.CONFIG} cannot be read: {error.strerror}."
        return Broken(path=path, reason=reason, code="config-unreadable")
    except EnvironmentUnusable as error:
        if error.code == "interpreter-untrusted":
            return _unasked(path, config, error, directories=directories)
        code = error.code if error.code == "interpreter-gone" else "interpreter-broken"
        return Broken(path=path, reason=error.message, code=code)


def _is_program_of(own: Path, home: Path) -> bool:
    """Whether ``own`` is a link, or as large as a Python in ``home``, whose copy it has to be.

    Nothing is started to know: it lies in the project.
    """
    real = Path(os.path.realpath(own))
    if not real.is_file():
        return False
    if not real.is_relative_to(os.path.realpath(own.parent)):
        return True
    there = [each for each in home.glob("[Pp]ython*") if each.is_file()]
    return not there or real.stat().st_size in {each.stat().st_size for each in there}


def _unasked(
    path: Path, config: pyvenv.VenvConfig, why: EnvironmentUnusable, *, directories: Directories
) -> Interpreter | Broken:
    """For an environment whose interpreter is not to be started: another one of its version."""
    from venvman.python.interpreters import stand_in

    inside = directories.holds_stranger(Path(why.problems[0].path or path))
    if config.version is not None and not inside:
        found = stand_in(config.version, directories=directories, variables=os.environ)
        if found is not None:
            return found
    fix = Command.venvman("sync", *(["--recreate"] if inside else []))
    return Broken(path=path, reason=why.message, code="interpreter-untrusted", fix=fix)


def _ill_configured(
    path: Path, config: pyvenv.VenvConfig, interpreter: Interpreter
) -> Broken | None:
    if config.system_site_packages:
        reason = (
            "It sees the packages of its interpreter (include-system-site-packages), which no "
            "lock can describe."
        )
        return Broken(path=path, reason=reason, code="system-site-packages")
    made_for = config.version or interpreter.minor
    if made_for != interpreter.minor or not (path / interpreter.scheme.purelib).is_dir():
        is_now = "{}.{}".format(*interpreter.minor)
        reason = (
            f"Its interpreter {interpreter.path} is Python {is_now} now, but its packages were "
            f"installed for {_installed_for(path, made_for)}."
        )
        if _installed_for(path, made_for) == is_now:
            reason = f"Its folder of packages, {interpreter.scheme.purelib}, is gone."
        return Broken(path=path, reason=reason, code="interpreter-changed")
    return None


def _unreadable(site: Path, path: Path) -> Broken | None:
    if os.access(site, os.R_OK | os.X_OK):
        return None
    return Broken(
        path=path,
        reason=f"Its folder {site} cannot be read.",
        code="site-packages-unreadable",
        fix=permit("u+rwx", site),
    )


def _installed_for(path: Path, made_for: tuple[int, int]) -> str:
    found = sorted(each.name.removeprefix("python") for each in (path / "lib").glob("python*"))
    return ", ".join(found) or "{}.{}".format(*made_for)


def _moved(path: Path) -> Broken | None:
    """Scripts and ``activate`` hold the path at which the environment was made."""
    made_at = pyvenv.made_at(path)
    with suppress(OSError):
        if made_at is None or made_at.samefile(path):
            return None
    reason = (
        f"It was made at {made_at} and moved, so that its scripts start another Python or none."
    )
    return Broken(path=path, reason=reason, code="moved")
