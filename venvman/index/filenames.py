"""What the names of distribution files say: project, version, tags. Lean: pages have thousands.

Wheels follow the binary distribution format (PEP 427, PEP 491), sdists PEP 625 and what came
before it. Versions stay text here; only candidates that matter are parsed.
"""

from __future__ import annotations

from functools import lru_cache

from venvman.frozen import dataclass
from venvman.names import NormalizedName, canonical

__all__ = ["SDIST_SUFFIXES", "WheelName", "distribution_of", "parse_wheel_name", "version_of"]

SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tbz", ".txz", ".tar")
"""Archives that pip takes for sdists, the frequent ones first."""

_canonical = lru_cache(maxsize=4096)(canonical)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelName:
    """The parts of a wheel's file name.

    ``build`` sorts as the specification wants: ``()`` without a build tag, else its leading digits
    as a number and the rest. ``tags`` is the compressed tag set, ``cp311-cp311-linux_x86_64``.
    """

    name: NormalizedName
    version: str
    build: tuple[()] | tuple[int, str]
    tags: str


def parse_wheel_name(filename: str) -> WheelName | None:
    """The parts of ``filename``, or None where it is no wheel's name."""
    if not filename.endswith(".whl"):
        return None
    parts = filename[:-4].split("-")
    if len(parts) not in (5, 6) or not all(parts):
        return None
    build: tuple[()] | tuple[int, str] = ()
    if len(parts) == 6:
        digits = parts[2][: len(parts[2]) - len(parts[2].lstrip("0123456789"))]
        if not digits:
            return None
        build = (int(digits), parts[2][len(digits) :])
    tags = "-".join(parts[-3:]).lower()
    return WheelName(name=_canonical(parts[0]), version=parts[1], build=build, tags=tags)


def version_of(filename: str, name: NormalizedName) -> str | None:
    """The version that ``filename`` claims, as written there.

    None where it is neither a wheel nor an sdist, or one of another project than ``name``.
    """
    if filename.endswith(".whl"):
        parts = filename.split("-", 2)
        return parts[1] if len(parts) == 3 and _canonical(parts[0]) == name else None
    stem = _sdist_stem(filename)
    if stem is None:
        return None
    spelled, dash, version = stem.rpartition("-")
    if dash and _canonical(spelled) == name:
        return version or None
    # Before PEP 625 both halves could hold dashes: the first split that gives the name counts.
    for position, letter in enumerate(stem):
        if letter == "-" and canonical(stem[:position]) == name:
            return stem[position + 1 :] or None
    return None


def distribution_of(filename: str) -> NormalizedName | None:
    """The project that ``filename`` most likely belongs to, where nothing else says so."""
    if filename.endswith(".whl"):
        wheel = parse_wheel_name(filename)
        return wheel.name if wheel else None
    stem = _sdist_stem(filename)
    spelled, dash, version = (stem or "").rpartition("-")
    return canonical(spelled) if dash and spelled and version[:1].isdigit() else None


def _sdist_stem(filename: str) -> str | None:
    for suffix in SDIST_SUFFIXES:
        if filename.endswith(suffix):
            return filename[: -len(suffix)]
    return None
