"""Targets other than the environment's own: their names, their markers, their tags. Pure.

A name is ``SYSTEM[-MACHINE][:PYTHONS]``: ``linux``, ``linux-aarch64``, ``windows:3.12``,
``macos:3.10-3.13``. Without a machine it is the usual one of the system, without Pythons every
minor version that ``requires-python`` allows, else the one in use. ``universal`` is ``linux``,
``macos`` and ``windows``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from venvman.model.frozen import dataclass
from venvman.model.pep508 import parse_specifier
from venvman.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Minor: TypeAlias = "tuple[int, int]"

KNOWN_MINORS: tuple[Minor, ...] = tuple((3, minor) for minor in range(8, 15))
"""The Pythons that an open-ended ``requires-python`` stands for."""

CURRENT = "current"
"""The name that asks for no named target at all: the environment's own, as if nothing was said."""

_UNIVERSAL = ("linux", "macos", "windows")
_GLIBC, _MUSL, _MACOS = (2, 28), (1, 2), (14, 0)
_PATCHES = 40  # more than any minor version ever had


class _Place(NamedTuple):
    """A system on a machine: what markers say of it, and its ``sysconfig.get_platform()``."""

    sys_platform: str
    system: str
    machine: str
    platform: str
    musl: bool = False


def _linux(machine: str, *, musl: bool = False) -> _Place:
    return _Place("linux", "Linux", machine, f"linux-{machine}", musl)


_PLACES = {
    "linux": _linux("x86_64"),
    "linux-aarch64": _linux("aarch64"),
    "linux-musl": _linux("x86_64", musl=True),
    "linux-musl-aarch64": _linux("aarch64", musl=True),
    "macos": _Place("darwin", "Darwin", "arm64", "macosx-11.0-arm64"),
    "macos-x86_64": _Place("darwin", "Darwin", "x86_64", "macosx-10.13-x86_64"),
    "windows": _Place("win32", "Windows", "AMD64", "win-amd64"),
    "windows-arm64": _Place("win32", "Windows", "ARM64", "win-arm64"),
}
_ALIASES = {
    "linux-x86_64": "linux",
    "linux-amd64": "linux",
    "linux-arm64": "linux-aarch64",
    "linux-musl-x86_64": "linux-musl",
    "linux-musl-amd64": "linux-musl",
    "linux-musl-arm64": "linux-musl-aarch64",
    "macos-arm64": "macos",
    "macos-aarch64": "macos",
    "macos-amd64": "macos-x86_64",
    "windows-amd64": "windows",
    "windows-x86_64": "windows",
    "windows-aarch64": "windows-arm64",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What one name says: the canonical name of a place, and Pythons; None leaves those open."""

    place: str
    minors: tuple[Minor, ...] | None = None


def parse_target(text: str) -> tuple[Named, ...]:
    """What ``text`` names: one target, for ``universal`` three.

    Raises:
        ValueError: it names none; the message is the rest of a sentence.
    """
    place, colon, pythons = text.strip().lower().partition(":")
    minors = parse_minors(pythons) if colon else None
    if place == "universal":
        return tuple(Named(place=each, minors=minors) for each in _UNIVERSAL)
    place = _ALIASES.get(place, place)
    if place not in _PLACES:
        known = ", ".join(_PLACES)
        raise ValueError(f"there is no target {place!r}; known are {known} and universal")
    return (Named(place=place, minors=minors),)


def parse_minors(text: str) -> tuple[Minor, ...]:
    """``3.12``, or from ``3.10-3.13`` all four.

    Raises:
        ValueError: it is neither.
    """
    match = re.fullmatch(r"3\.(\d+)(?:-3\.(\d+))?", text.strip())
    if match is None or (match[2] and int(match[2]) < int(match[1])):
        raise ValueError(f"{text!r} is neither a Python such as 3.12 nor a range such as 3.10-3.13")
    last = int(match[2] or match[1])
    return tuple((3, minor) for minor in range(int(match[1]), last + 1))


def expand(
    texts: Iterable[str],
    *,
    requires_python: str | None,
    current: Minor,
    pythons: Sequence[Minor] = (),
) -> tuple[Target, ...]:
    """The targets that ``texts`` name, the newest Python first, then in the order of ``texts``.

    ``pythons`` are for names without any; without them ``requires_python`` decides, and where that
    is None too, it is ``current``.

    Raises:
        ValueError: a name makes no sense, or ``requires_python`` excludes its Python.
    """
    found: dict[tuple[str, Minor], Target] = {}
    for text in texts:
        for named in parse_target(text):
            for minor in named.minors or pythons or _allowed(requires_python, current):
                patch = _first_patch(minor, requires_python)
                if patch is None:
                    at = _shown(minor)
                    raise ValueError(f"requires-python {requires_python} excludes Python {at}")
                found[named.place, minor] = synthetic(named.place, f"{_shown(minor)}.{patch}")
    return tuple(found[key] for key in sorted(found, key=lambda key: key[1], reverse=True))


@lru_cache(maxsize=256)
def synthetic(place: str, python: str) -> Target:
    """The CPython ``python`` (``3.12.0``) at the canonical name ``place``.

    What nobody can know of a machine that is not there (``platform_release``,
    ``platform_version``) is empty. Wheels count as far as glibc 2.28, musl 1.2 and macOS 14 take
    them.
    """
    from venvman.python.tags import tags_of

    said = _PLACES[place]
    minor = ".".join(python.split(".")[:2])
    markers = {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "nt" if said.sys_platform == "win32" else "posix",
        "platform_machine": said.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": said.system,
        "platform_version": "",
        "python_full_version": python,
        "python_version": minor,
        "sys_platform": said.sys_platform,
    }
    gnu = said.sys_platform == "linux" and not said.musl
    facts = {
        "version": python,
        "markers": markers,
        "platform": said.platform,
        "bits": 64,
        "debug": False,
        "free_threaded": False,
        "macos": (_MACOS, said.machine) if said.sys_platform == "darwin" else None,
        "glibc": _GLIBC if gnu else None,
        "musl": _MUSL if said.musl else None,
        "elf": "",
        "manylinux_refused": (),
    }
    return Target(python=python, markers=tuple(sorted(markers.items())), tags=tags_of(facts))


def label_of(target: Target) -> str:
    """The name of ``target``, be it named or an interpreter's own: ``linux-aarch64:3.12``."""
    return f"{_place_of(target)}:{_shown(target.minor)}"


def names_of(targets: Iterable[Target]) -> tuple[str, ...]:
    """The fewest names for ``targets``, in their order: ``linux:3.10-3.13``."""
    minors: dict[str, set[Minor]] = {}
    for target in targets:
        minors.setdefault(_place_of(target), set()).add(target.minor)
    return tuple(
        f"{place}:{each}" for place, found in minors.items() for each in _ranges(sorted(found))
    )


def is_covered(target: Target, targets: Iterable[Target]) -> bool:
    """Whether one of ``targets`` speaks for ``target``: its system, machine and minor version."""
    label = label_of(target)
    return any(label_of(each) == label for each in targets)


def _allowed(requires_python: str | None, current: Minor) -> tuple[Minor, ...]:
    if requires_python is None:
        return (current,)
    known = dict.fromkeys((*KNOWN_MINORS, current))
    found = tuple(
        minor for minor in sorted(known) if _first_patch(minor, requires_python) is not None
    )
    return found or (current,)


def _first_patch(minor: Minor, requires_python: str | None) -> int | None:
    """0, as a minor version by itself means, or the first that ``requires_python`` allows."""
    if not requires_python:
        return 0
    wanted = parse_specifier(requires_python)
    fitting = (patch for patch in range(_PATCHES) if f"{_shown(minor)}.{patch}" in wanted)
    return next(fitting, None)


def _place_of(target: Target) -> str:
    markers = dict(target.markers)
    system, machine = markers.get("sys_platform", ""), markers.get("platform_machine", "")
    musl = any("musllinux" in tag for tag in target.tags)
    for name, place in _PLACES.items():
        if (place.sys_platform, place.machine, place.musl) == (system, machine, musl):
            return name
    return f"{system}-{machine}".lower()


def _ranges(minors: Sequence[Minor]) -> Iterable[str]:
    """``3.8`` and ``3.10-3.13`` for sorted minors."""
    begin = 0
    for place, minor in enumerate(minors):
        following = minors[place + 1] if place + 1 < len(minors) else None
        if following == (minor[0], minor[1] + 1):
            continue
        first = minors[begin]
        yield _shown(first) if first == minor else f"{_shown(first)}-{_shown(minor)}"
        begin = place + 1


def _shown(minor: Minor) -> str:
    return f"{minor[0]}.{minor[1]}"
