"""Requirements, markers and specifiers from text, tried once as they are read.

:mod:`packaging` finds some faults only when it evaluates: comparisons that mean nothing
(``python_version ~= "3"``), names that it does not know, numbers of too many digits. What comes out
of here has been evaluated, so that whoever asks it later gets an answer.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from venvman.model.names import canonical, is_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.markers import Marker
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from venvman.model.names import NormalizedName


class Malformed(ValueError):
    """Text that says nothing; ``str`` is a clause that says why."""


def parse_requirement(text: str) -> Requirement:
    """One requirement (PEP 508).

    Raises:
        Malformed: it is none, or its marker or specifier cannot be evaluated.
    """
    from packaging.requirements import Requirement

    with _tried():
        found = Requirement(text)
        if found.marker is not None:
            found.marker.evaluate({**_ANY})
        found.specifier.contains("0")
        return found


def parse_marker(text: str) -> Marker:
    """An environment marker.

    Raises:
        Malformed: it is none, or it cannot be evaluated.
    """
    from packaging.markers import Marker

    with _tried():
        found = Marker(text)
        found.evaluate({**_ANY})
        return found


def parse_override(text: str) -> tuple[NormalizedName, Requirement | None]:
    """What stands for every requirement of a name: of ``a>=1`` that, of ``a -> b`` another package.

    Of ``a ->`` nothing does.

    Raises:
        Malformed: it is neither.
    """
    replaced, arrow, instead = text.partition("->")
    if not arrow:
        parsed = parse_requirement(text)
        return canonical(parsed.name), parsed
    if not is_name(replaced.strip()):
        raise Malformed(f"{replaced.strip()!r} is no name of a package")
    parsed_instead = parse_requirement(instead.strip()) if instead.strip() else None
    return canonical(replaced.strip()), parsed_instead


@lru_cache(maxsize=65536)
def parse_specifier(text: str) -> SpecifierSet:
    """A set of version specifiers (PEP 440).

    Raises:
        Malformed: it is none, or no version can be compared with it.
    """
    from packaging.specifiers import SpecifierSet

    with _tried():
        found = SpecifierSet(text)
        found.contains("0")
        return found


# Whether a comparison means something depends on its operator and literal, not on the environment.
_ANY = {
    "extra": "",
    "implementation_name": "",
    "implementation_version": "3",
    "os_name": "",
    "platform_machine": "",
    "platform_python_implementation": "",
    "platform_release": "",
    "platform_system": "",
    "platform_version": "",
    "python_full_version": "3",
    "python_version": "3",
    "sys_platform": "",
}


@contextmanager
def _tried() -> Iterator[None]:
    """What :mod:`packaging` has against the text, as a clause."""
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    try:
        yield
    except UndefinedEnvironmentName as error:
        raise Malformed(f"there is no {error.args[0]} to compare with") from None
    except ValueError as error:  # what packaging raises, and int() of too many digits
        why = str(error).splitlines()[0].rstrip(".")
        if isinstance(error, UndefinedComparison):
            why = "its operator compares versions, and one side of it is no version"
        elif why.startswith("Exceeds the limit"):
            why = "it has a number of too many digits"
        raise Malformed(why) from None
