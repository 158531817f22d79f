"""Where Pythons lie on this machine: paths only, no process is started to find them.

findpython knows the places of pyenv, asdf, Rye, uv, the Windows registry and macOS; conda's are
added here. The interpreters of virtual environments and the shims of version managers are left out:
the former are not bases, the latter start one of the others.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.python import pyvenv
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonPath:
    """A path that looks like a Python.

    ``hint`` is what its name says of the version, ``(3, 11)`` or ``(3, 11, 7)``, None where nothing
    does. It orders and spares looks; only a probe knows.
    """

    path: Path
    hint: tuple[int, ...] | None


_NAME = re.compile(r"python(?P<major>\d)?(?:\.(?P<minor>\d+)t?)?(?:\.exe)?", re.IGNORECASE)
_FOLDER = re.compile(r"(?:cpython-)?([23])\.(\d+)(?:\.(\d+))?")
_CONDA_RECORD = re.compile(r"python-(3)\.(\d+)\.(\d+)-")


def find_pythons(variables: Mapping[str, str]) -> tuple[PythonPath, ...]:
    """Every Python once (links to one file are one), under its most telling name."""
    found: dict[str, PythonPath] = {}
    from findpython.providers import ALL_PROVIDERS
    from findpython.providers.path import PathProvider
    from findpython.providers.pyenv import PyenvProvider

    root = Path(variables.get("PYENV_ROOT") or _home(variables) / ".pyenv").expanduser()
    folders = [Path(each) for each in variables.get("PATH", "").split(os.pathsep) if each]
    # The platform's own places and other managers', as findpython's environment names them.
    kinds = (kind for name, kind in ALL_PROVIDERS.items() if name not in {"path", "pyenv"})
    others = filter(None, (kind.create() for kind in kinds))
    places = (
        (each.executable for each in PyenvProvider(root).find_pythons()),
        (each.executable for each in PathProvider(folders).find_pythons()),
        _conda(variables),
        (each.executable for provider in others for each in provider.find_pythons()),
    )
    for paths in places:
        bases = [PythonPath(path=path, hint=_hint(path)) for path in paths if _is_base(path)]
        # python3.11 outlives what python3 links to today.
        bases.sort(key=lambda each: (len(each.hint or ()), len(each.path.name)), reverse=True)
        for each in bases:
            found.setdefault(os.path.realpath(each.path), each)
    return tuple(found.values())


def first_python3(variables: Mapping[str, str]) -> Path | None:
    """What ``python3`` starts in a shell; of a shim of pyenv what that starts outside of projects.

    None where there is none, or where a shim does not tell without being started.
    """
    folders = [Path(each) for each in variables.get("PATH", "").split(os.pathsep) if each]
    places = (each / "python3" for each in folders if each.is_absolute())
    found = next((each for each in places if os.access(each, os.X_OK) and each.is_file()), None)
    if found is None or found.parent.name != "shims":
        return found
    root = found.parent.parent
    chosen = variables.get("PYENV_VERSION")
    with suppress(OSError, UnicodeDecodeError):
        chosen = chosen or read_regular(root / "version").decode()
    words = re.split(r"[:\s]+", chosen or "")
    python = root / "versions" / words[0] / "bin" / "python3"
    return python if words[0] and python.is_file() else None


def _is_base(path: Path) -> bool:
    return (
        _NAME.fullmatch(path.name) is not None
        and path.parent.name != "shims"
        and pyvenv.environment_of(path) is None
    )


def _hint(path: Path) -> tuple[int, ...] | None:
    above = path.parent.parent if path.parent.name in {"bin", "Scripts"} else path.parent
    folder = _FOLDER.match(above.name)
    if folder is not None:
        return _numbers(folder.groups())
    records = (_CONDA_RECORD.match(each.name) for each in (above / "conda-meta").glob("python-3*"))
    record = next((each for each in records if each is not None), None)
    if record is not None:
        return _numbers(record.groups())
    name = _NAME.fullmatch(path.name)
    return _numbers(name.groups()) if name is not None and name["minor"] else None


def _numbers(groups: Iterable[str | None]) -> tuple[int, ...]:
    return tuple(int(each) for each in groups if each is not None)


def _home(variables: Mapping[str, str]) -> Path:
    return Path(variables.get("HOME") or Path.home())


def _conda(variables: Mapping[str, str]) -> Iterator[Path]:
    prefixes: list[Path] = []
    if variables.get("CONDA_PREFIX"):
        prefixes.append(Path(variables["CONDA_PREFIX"]))
    if variables.get("CONDA_EXE"):
        root = Path(variables["CONDA_EXE"]).parent.parent
        prefixes += [root, *sorted((root / "envs").glob("*"))]
    # conda notes every environment that it makes here.
    listed = _home(variables) / ".conda" / "environments.txt"
    if listed.is_file():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        prefixes += [Path(line.strip()) for line in lines if line.strip()]
    for prefix in prefixes:
        python = prefix / "bin" / "python"
        if python.is_file():
            yield python
