"""Which Python is asked for: text becomes values.

Who asks is found in :mod:`venvman.project.python`; :mod:`venvman.python.interpreters` finds what is
asked for.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from venvman.model.frozen import dataclass
from venvman.model.pep508 import Malformed, parse_specifier

if TYPE_CHECKING:
    from venvman.model.errors import FileLine


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
    ``passed_over`` is a line there that names no version of CPython.
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


def parse_request(text: str, *, base: Path) -> Wanted:
    """What ``text`` asks for: ``3.11``, ``python3.12``, ``>=3.10``, ``3.13t``, or a path.

    Raises:
        ValueError: neither; the message is a sentence.
    """
    wanted = parse_versions(text)
    if wanted is not None:
        return wanted
    if is_other_implementation(text) and os.sep not in text:
        raise ValueError(f"{text} is not CPython, the one implementation that venvman manages.")
    path = base / Path(text).expanduser()
    if path.exists() or (os.sep in text or text.startswith(("~", "."))):
        return Executable(path=Path(os.path.abspath(path)))  # noqa: PTH100 - links are kept
    if text == "python":
        return Versions()
    raise ValueError(f"{text!r} is neither a version, nor a specifier, nor a path that exists.")


def parse_versions(text: str) -> Versions | None:
    """``text`` as a version of CPython or a specifier; None where it is neither.

    Raises:
        ValueError: a specifier that PEP 440 does not have; the message is a sentence.
    """
    match = _VERSION.fullmatch(text)
    if match is None:
        return Versions(specifier=checked_specifier(text)) if _SPECIFIER.match(text) else None
    release, stage = match["release"], match["stage"] or ""
    exact = release.count(".") == 2
    return Versions(
        specifier=f"=={release}{stage}" if exact else f"=={release}.*",
        free_threaded=match["threads"] is not None,
    )


def is_other_implementation(text: str) -> bool:
    """Whether ``text`` names another implementation than CPython, or begins so."""
    return _OTHERS.match(text) is not None


def checked_specifier(text: str) -> str:
    """``text`` as PEP 440 spells it; raises ValueError with a sentence."""
    try:
        return str(parse_specifier(text))
    except Malformed:
        raise ValueError(f"{text!r} is not a version specifier as PEP 440 has it.") from None
