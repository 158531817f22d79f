"""Virtual environments as they lie on disk: ``pyvenv.cfg``, its interpreter, its shape.

Everything here looks from outside and starts nothing, so a dangling interpreter hides nothing. The
layouts of the standard library, virtualenv and uv are understood.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = "pyvenv.cfg"
SCRIPTS = "bin"
_PYTHON = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class VenvConfig:
    """What ``pyvenv.cfg`` says (PEP 405).

    ``home`` is the folder of the base interpreter, None where it is missing or relative.
    ``version`` is ``(3, 11)``, None where the file has neither ``version`` nor ``version_info``.
    """

    home: Path | None
    version: tuple[int, int] | None
    system_site_packages: bool


def parse_config(text: str) -> VenvConfig:
    """Reads ``key = value`` lines as ``site`` does; unknown keys and other lines are ignored."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            values[key.strip().lower()] = value.strip()
    version = re.match(r"(\d+)\.(\d+)", values.get("version") or values.get("version_info") or "")
    return VenvConfig(
        # Python itself writes an absolute one; from where a relative one counts is anybody's guess.
        home=Path(values["home"]) if Path(values.get("home", "")).is_absolute() else None,
        version=(int(version[1]), int(version[2])) if version else None,
        system_site_packages=values.get("include-system-site-packages", "").lower() == "true",
    )


def is_environment(root: Path) -> bool:
    """Whether ``root`` is a virtual environment, working or broken: what may be removed as one.

    A dangling ``bin/python`` counts: that is what an upgraded base interpreter leaves.
    """
    if not (root / CONFIG).is_file():
        return False
    return any(
        os.path.lexists(root / folder / name)
        for folder in ("bin", "Scripts")
        for name in ("python", "python3", "python.exe")
    )


def environment_of(executable: Path) -> Path | None:
    """The virtual environment that ``executable`` is the Python of; None for a base interpreter."""
    for folder in (executable.parent, executable.parent.parent):  # PEP 405 allows both
        if (folder / CONFIG).is_file():
            return folder
    return None


def python_of(root: Path) -> Path:
    """The environment's own interpreter, which need not exist."""
    return root / SCRIPTS / _PYTHON


def base_candidates(root: Path, config: VenvConfig) -> Iterator[Path]:
    """The paths under which the base interpreter of the environment ``root`` may be, best first.

    What ``bin/python`` links to is what runs, so it is first; an environment made of copies only
    has ``home``.
    """
    linked = _first_target_outside(root)
    if linked is not None:
        yield linked
    if config.home is not None:
        if config.version is not None:
            yield config.home / "python{}.{}".format(*config.version)
        yield config.home / "python3"
        yield config.home / _PYTHON


def _first_target_outside(root: Path) -> Path | None:
    """Follows ``bin/python`` link by link; the first path that is not in the same folder.

    One link at a time: a base that is itself a link (``/usr/bin/python3``, Homebrew's) keeps the
    name that survives its next upgrade.
    """
    path = python_of(root)
    for _ in range(40):  # as many as Linux follows
        if not path.is_symlink():
            return None
        path = Path(os.path.normpath(path.parent / path.readlink()))
        if path.parent != root / SCRIPTS:
            return path
    return None


_ACTIVATE = re.compile(r"^\s*(?:export\s+)?VIRTUAL_ENV=(?P<value>[^\n;]+)", re.MULTILINE)
_SHEBANG = re.compile(rb"#!\s*(?P<python>/[^\n]*?)/(?:bin|Scripts)/python[\d.]*\s*\n")
_LONG_SHEBANG = re.compile(rb"#!/bin/sh\n'''exec' \"?(?P<python>/[^\n\"]*?)/bin/python")


def made_at(root: Path) -> Path | None:
    """The path at which the environment ``root`` was made; None where nothing tells.

    ``activate`` tells it in every layout; without it (``uv venv --relocatable`` computes it there)
    pip's own script does, in either form of shebang.
    """
    import shlex

    try:
        text = read_regular(root / SCRIPTS / "activate").decode("utf-8", "surrogateescape")
    except OSError:
        return _made_at_by_shebang(root)
    for match in _ACTIVATE.finditer(text):
        try:
            words = shlex.split(match["value"])
        except ValueError:
            continue
        # Others are computed (`$(cygpath ...)`), unset, or for Windows shells.
        if len(words) == 1 and "$" not in words[0] and Path(words[0]).is_absolute():
            return Path(words[0])
    return _made_at_by_shebang(root)


def _made_at_by_shebang(root: Path) -> Path | None:
    for script in sorted((root / SCRIPTS).glob("pip*")):
        try:
            begin = read_regular(script)[:1024]
        except OSError:
            continue
        match = _SHEBANG.match(begin) or _LONG_SHEBANG.match(begin)
        if match is not None:
            return Path(os.fsdecode(match["python"]))
    return None
