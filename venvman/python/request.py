"""Which Python is asked for, and who says so (DESIGN 4.2).

``--python``, configuration, ``.python-version`` and ``requires-python``: the first that speaks.
Here text becomes values; :mod:`venvman.python.interpreters` finds what the request asks for.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from venvman.model.errors import Advice, ConfigurationError, FileLine
from venvman.model.frozen import dataclass
from venvman.project.settings import Origin
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.project.project import Project
    from venvman.project.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Any CPython whose version ``specifier`` (PEP 440; "" allows all) contains.

    ``free_threaded`` is None where either build will do.
    """

    specifier: str = ""
    free_threaded: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Executable:
    """This one: the absolute path of an interpreter, or of an environment's folder."""

    path: Path


Wanted: TypeAlias = Versions | Executable


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonRequest:
    """What is ``wanted``, as it was written (``text``), and ``where``, as a message names it.

    ``binding`` requests are the user's at this moment (a flag or a variable): an environment whose
    patch version differs does not fulfil them. ``origin`` is set for ``.python-version``;
    ``passed_over`` is a line there that names another implementation.
    """

    wanted: Wanted
    text: str = ""
    where: str = ""
    binding: bool = False
    origin: FileLine | None = None
    passed_over: FileLine | None = None

    @property
    def is_open(self) -> bool:
        """Whether it leaves several versions to choose from, and nobody asks for one just now."""
        if self.binding or not isinstance(self.wanted, Versions):
            return False
        return not self.wanted.specifier.startswith("==") or "," in self.wanted.specifier


# 3.11, 3.11.7, 3.15.0a2, 3.13t, 3.13-dev, python3.12, cpython-3.11.7-linux-x86_64-gnu, cp311 is not
_VERSION = re.compile(
    r"(?:(?:c?python)[-@]?)?"
    r"(?P<release>\d+(?:\.\d+){0,2})(?P<stage>(?:a|b|rc)\d+)?(?P<threads>t)?"
    r"(?:-dev|-[a-z][\w.-]*)?",
    re.IGNORECASE,
)
_SPECIFIER = re.compile(r"[<>]|[=!~]=")
_OTHERS = re.compile(
    r"(pypy|graalpy|jython|ironpython|pyston|micropython|stackless)", re.IGNORECASE
)


def request_of(project: Project, settings: Settings, *, cwd: Path | None = None) -> PythonRequest:
    """The request of ``project``; relative paths of flags and variables start at ``cwd``.

    Raises:
        ConfigurationError: a request that cannot be understood; names who wrote it.
    """
    chosen = settings.python
    if chosen.value is not None:
        binding = chosen.origin in {Origin.FLAG, Origin.VARIABLE}
        base = (cwd or Path.cwd()) if binding else project.root
        wanted = _understood(chosen.value, where=chosen.where, base=base)
        return PythonRequest(wanted=wanted, text=chosen.value, where=chosen.where, binding=binding)
    lines = _pins(project)
    passed_over = next((each for each in lines if _OTHERS.match(each.text)), None)
    pinned = next(filter(None, map(_of_line, lines)), None)
    required = settings.requires_python
    if pinned is None and required.value is not None:
        wanted = Versions(specifier=_specifier(required.value, where=required.where))
        pinned = PythonRequest(wanted=wanted, text=required.value, where=required.where)
    return replace(pinned or PythonRequest(wanted=Versions()), passed_over=passed_over)


def parse_request(text: str, *, base: Path) -> Wanted:
    """What ``text`` asks for: ``3.11``, ``python3.12``, ``>=3.10``, ``3.13t``, or a path.

    Raises:
        ValueError: neither; the message is a sentence.
    """
    wanted = _version_request(text)
    if wanted is not None:
        return wanted
    if _SPECIFIER.match(text):
        return Versions(specifier=_checked_specifier(text))
    if _OTHERS.match(text) and os.sep not in text:
        raise ValueError(f"{text} is not CPython, the one implementation that venvman manages.")
    path = base / Path(text).expanduser()
    if path.exists() or (os.sep in text or text.startswith(("~", "."))):
        return Executable(path=Path(os.path.abspath(path)))  # noqa: PTH100 - links are kept
    if text == "python":
        return Versions()
    raise ValueError(f"{text!r} is neither a version, nor a specifier, nor a path that exists.")


def _understood(text: str, *, where: str, base: Path) -> Wanted:
    try:
        return parse_request(text, base=base)
    except ValueError as error:
        raise ConfigurationError(
            f"{where} cannot be {text!r}.",
            code="python-wish-invalid",
            why=str(error),
            fix=Advice("Name a version such as 3.12, a specifier such as >=3.10, or a path."),
        ) from error


def _version_request(text: str) -> Versions | None:
    match = _VERSION.fullmatch(text)
    if match is None:
        return None
    release, stage = match["release"], match["stage"] or ""
    exact = release.count(".") == 2
    return Versions(
        specifier=f"=={release}{stage}" if exact else f"=={release}.*",
        free_threaded=match["threads"] is not None,
    )


def _checked_specifier(text: str) -> str:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        raise ValueError(f"{text!r} is not a version specifier as PEP 440 has it.") from None


def _specifier(text: str, *, where: str) -> str:
    try:
        return _checked_specifier(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{where} cannot be {text!r}.",
            code="requires-python-invalid",
            path="pyproject.toml",
            why=str(error),
        ) from error


def _pins(project: Project) -> list[FileLine]:
    """The lines of ``.python-version``, the nearest file first, up to the git root."""
    found: list[FileLine] = []
    for folder in _folders_up(project):
        file = folder / ".python-version"
        with suppress(OSError, UnicodeDecodeError):
            lines = read_regular(file).decode("utf-8-sig").splitlines()
            path = project.display(file)
            found += [
                FileLine(path=path, line=number, text=line.partition("#")[0].strip())
                for number, line in enumerate(lines, start=1)
            ]
    return found


def _folders_up(project: Project) -> Iterator[Path]:
    yield project.root
    if project.git_root is None:
        return
    for folder in project.root.parents:
        if not folder.is_relative_to(project.git_root):
            return
        yield folder


def _of_line(origin: FileLine) -> PythonRequest | None:
    """None for names of pyenv's virtual environments, ``system`` and other implementations."""
    wanted = _version_request(origin.text)
    if wanted is None and _SPECIFIER.match(origin.text):
        with suppress(ValueError):
            wanted = Versions(specifier=_checked_specifier(origin.text))
    if wanted is None:
        return None
    return PythonRequest(wanted=wanted, text=origin.text, where=str(origin), origin=origin)
