"""Which Pythons there are, and which one to use.

Candidates are probed as late and as seldom as the request allows, since the first look at each is a
process: ``python3`` on PATH, the one running venvman, then those whose names fit the request,
newest minor first.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, EnvironmentUnusable
from venvman.model.pep508 import parse_specifier
from venvman.python import pyvenv
from venvman.python.probe import OLDEST, OWN, By, Interpreter, probe
from venvman.python.request import Executable, PythonRequest, Versions
from venvman.system.secrets import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvman.python.discover import PythonPath
    from venvman.system.directories import Directories


def running(*, directories: Directories) -> Interpreter:
    """The interpreter that runs venvman; its base where that is an environment's."""
    return probe(OWN, directories=directories, by=By.USER)


def choose(
    *, request: PythonRequest, directories: Directories, variables: Mapping[str, str]
) -> Interpreter:
    """The interpreter that ``request`` asks for.

    ``python3`` on PATH where it will do, else the one running venvman; else the newest minor
    version, of it the newest patch; pre-releases, free-threaded and debug builds only where nothing
    else fulfils the request.

    Raises:
        EnvironmentUnusable: there is none; names those found.
    """
    match request.wanted:
        case Executable(path=path):
            return _at(path, directories=directories, by=_by(request))
        case Versions() as versions:
            found = _found(versions, directories=directories, variables=variables)
            if found is not None:
                return found
            raise _none_found(request, directories=directories, variables=variables)


def available(*, directories: Directories, variables: Mapping[str, str]) -> tuple[Interpreter, ...]:
    """Every interpreter that can be used, newest first; unusable ones are passed over."""
    from venvman.python.discover import find_pythons

    found = [running(directories=directories)]
    supported = (each for each in find_pythons(variables) if _is_supported(each.hint))
    found += _usable(supported, directories)
    once = {os.path.realpath(each.path): each for each in reversed(found)}
    return tuple(sorted(once.values(), key=_preference, reverse=True))


def fulfils(interpreter: Interpreter, request: PythonRequest, *, directories: Directories) -> bool:
    """Whether ``interpreter`` is what ``request`` asks for, to the letter.

    Raises:
        EnvironmentUnusable: the path that is wanted is no usable interpreter.
    """
    match request.wanted:
        case Executable(path=path):
            other = _at(path, directories=directories, by=_by(request))
            return os.path.realpath(other.path) == os.path.realpath(interpreter.path)
        case Versions() as versions:
            return _is_among(interpreter, versions)


def is_near(interpreter: Interpreter, request: PythonRequest, *, directories: Directories) -> bool:
    """Whether ``interpreter`` is the build and minor version that ``request`` asks for.

    A range is kept to the letter: its patch version is there for a reason.
    """
    match request.wanted:
        case Executable(path=path):
            other = _at(path, directories=directories, by=_by(request))
            same_build = other.free_threaded == interpreter.free_threaded
            return same_build and other.minor == interpreter.minor
        case Versions(specifier=text, free_threaded=threads):
            exact = text.startswith("=={}.{}.".format(*interpreter.minor)) and "," not in text
            return exact and threads in {None, interpreter.free_threaded}


def stand_in(
    minor: tuple[int, int], *, directories: Directories, variables: Mapping[str, str]
) -> Interpreter | None:
    """A Python of this machine of the version ``minor``, for one that is not to be started."""
    versions = Versions(specifier="=={}.{}.*".format(*minor))
    return _found(versions, directories=directories, variables=variables)


def _found(
    versions: Versions, *, directories: Directories, variables: Mapping[str, str]
) -> Interpreter | None:
    from venvman.python.discover import PythonPath, first_python3

    # What `python3` starts, then what runs venvman.
    first = first_python3(variables)
    # By another name of the same one, which mostly it is, nothing more would be learnt.
    if first is not None and os.path.realpath(first) != os.path.realpath(OWN):
        for each in _usable([PythonPath(path=first, hint=None)], directories):
            if _is_among(each, versions):
                return each
    own = running(directories=directories)
    if _is_among(own, versions):
        return own
    return _best(versions, directories=directories, variables=variables)


def _by(request: PythonRequest) -> By:
    return By.USER if request.binding else By.PROJECT


def _at(path: Path, *, directories: Directories, by: By) -> Interpreter:
    """The interpreter at ``path``, or in the folder ``path``: an environment or an installation."""
    if not path.is_dir():
        return probe(path, directories=directories, by=by)
    inside = [pyvenv.python_of(path), path / "bin" / "python3", path / "python.exe"]
    for each in inside:
        if os.path.lexists(each):
            return probe(each, directories=directories, by=by)
    raise EnvironmentUnusable(
        f"The folder {path} has no Python in it.",
        code="interpreter-missing",
        path=path.as_posix(),
        why=f"Looked for {pyvenv.SCRIPTS}/python.",
        fix=Advice("Name a version such as 3.12, or the path of an interpreter."),
    )


def _best(
    versions: Versions, *, directories: Directories, variables: Mapping[str, str]
) -> Interpreter | None:
    from venvman.python.discover import find_pythons

    fitting = (each for each in find_pythons(variables) if _may_fulfil(each.hint, versions))
    ordered = sorted(
        fitting, key=lambda each: ((each.hint or ())[:2], len(each.hint or ())), reverse=True
    )
    second_choice: Interpreter | None = None
    for _, places in groupby(ordered, key=lambda each: (each.hint or ())[:2]):
        found = [each for each in _usable(places, directories) if _is_among(each, versions)]
        best = max(found, key=_preference, default=None)
        if best is not None and _is_ordinary(best):
            return best
        second_choice = second_choice or best
    return second_choice


def _usable(places: Iterable[PythonPath], directories: Directories) -> Iterator[Interpreter]:
    for place in places:
        # A broken Python somewhere on PATH is nobody's concern until it is asked for.
        with suppress(EnvironmentUnusable):
            yield probe(place.path, directories=directories, by=By.MACHINE)


def _is_supported(hint: tuple[int, ...] | None) -> bool:
    return hint is None or hint[:2] >= OLDEST


def _may_fulfil(hint: tuple[int, ...] | None, versions: Versions) -> bool:
    """Whether a look is worth it: False only where the name rules the request out."""
    if hint is None or not versions.specifier:
        return _is_supported(hint)
    minor = "{}.{}".format(*hint)
    patches = range(40) if len(hint) == 2 else hint[2:3]
    specifier = parse_specifier(versions.specifier)
    fits = any(specifier.contains(f"{minor}.{patch}", prereleases=True) for patch in patches)
    # A name hardly ever tells that it is a pre-release.
    pre_release = f"=={minor}." + (str(hint[2]) if len(hint) == 3 else "")
    return _is_supported(hint) and (fits or versions.specifier.startswith(pre_release))


def _is_among(interpreter: Interpreter, versions: Versions) -> bool:
    if versions.free_threaded not in {None, interpreter.free_threaded}:
        return False
    return parse_specifier(versions.specifier).contains(interpreter.version, prereleases=True)


def _is_ordinary(interpreter: Interpreter) -> bool:
    special = interpreter.free_threaded or interpreter.debug
    return not special and not interpreter.version.is_prerelease


def _preference(interpreter: Interpreter) -> tuple[object, ...]:
    return (_is_ordinary(interpreter), interpreter.version)


def _none_found(
    request: PythonRequest, *, directories: Directories, variables: Mapping[str, str]
) -> EnvironmentUnusable:
    found = available(directories=directories, variables=variables)
    versions = request.wanted if isinstance(request.wanted, Versions) else None
    manageable = versions is not None and _is_manageable(versions)
    limit = " venvman manages 3.8 and newer." if versions and not manageable else ""
    root = Path(variables.get("PYENV_ROOT") or Path.home() / ".pyenv")
    bring = "install it"
    if manageable and request.text[:1].isdigit() and (root / "versions").is_dir():
        bring = f"let `pyenv install {request.text}` bring it"
    newest = "{}.{}".format(*found[0].minor)
    listed = ", ".join(f"{each.target.python} ({each.path})" for each in found)
    return EnvironmentUnusable(
        f"No Python {request.text} was found.",
        code="interpreter-not-found",
        **line_of(request.origin),
        why=f"{request.where} asks for it. Found: {listed}.{limit}",
        fix=Advice(f"Ask for one that is here, {newest} say, or {bring}."),
    )


def _is_manageable(versions: Versions) -> bool:
    """Whether any version that venvman manages would do; those not yet released included."""
    oldest = OLDEST[1]
    return any(_may_fulfil((OLDEST[0], minor), versions) for minor in range(oldest, oldest + 100))
