"""Why no file of a project will do, and what would let one in: alike reasons said once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.index.candidates import RejectionKind
from venvman.index.filenames import parse_wheel_name
from venvman.model.errors import Advice, Command, Fix
from venvman.model.pep508 import Malformed, parse_specifier
from venvman.resolve.limits import combined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from packaging.version import Version

    from venvman.index.candidates import Rejection
    from venvman.model.errors import Fix
    from venvman.model.target import Target
    from venvman.resolve.demand import Demand

SHOWN = 6
"""Versions or reasons that are listed before the rest is counted."""
_PYTHONS = {(3, minor) for minor in range(8, 16)}
"""Those that an environment may be made of."""


def reasons_of(rejections: Sequence[Rejection], demand: Demand, target: Target) -> str:
    """Why the versions that fit were refused, the newest first; else which versions are nearest."""
    fitting = _fitting(rejections, demand)
    if not fitting:
        versions = sorted({each.version for each in rejections if each.version}, reverse=True)
        if versions:
            return _nearest(versions, demand)
        fitting = list(rejections)
    wheels = [each for each in fitting if each.kind is RejectionKind.TAGS]
    grouped: dict[tuple[RejectionKind, str], list[Rejection]] = {}
    for each in fitting:
        if each.kind is not RejectionKind.TAGS:
            grouped.setdefault(
                (each.kind, each.reason.removeprefix(each.file.filename).strip(" .")), []
            ).append(each)
    sentences = [_sentence(demand, same, tail) for (_, tail), same in grouped.items()]
    if wheels:
        have = _and([f"{major}.{minor}" for major, minor in sorted(_pythons_of(wheels))])
        said = f"{demand.name} {_span(wheels)} has wheels of this system for Python {have} only"
        sentences.insert(0, f"{said}, and the target is {target.python}.")
    more = len(sentences) - SHOWN
    rest = f" And {more} more reason{'s' * (more > 1)}." if more > 0 else ""
    return " ".join(sentences[:SHOWN]) + rest


def cure_of(rejections: Sequence[Rejection], demand: Demand, target: Target) -> Fix:
    """What would let the newest refused version in."""
    fitting = _fitting(rejections, demand)
    kinds = [each.kind for each in fitting]
    first = next((kind for kind in kinds if kind in _CURES), None)
    if first is RejectionKind.PYTHON:
        wanted = next(each.file.requires_python for each in fitting if each.kind is first)
        return with_python(wanted or "")
    if first is RejectionKind.TAGS:
        # The nearest Python that one of them is for, if venvman can have any.
        pythons = _pythons_of(each for each in fitting if each.kind is first) & _PYTHONS
        here = target.minor[1]
        near = min(pythons, key=lambda each: (abs(each[1] - here), each), default=None)
        if near is not None:
            return Command.venvman("freeze", "--python", f"{near[0]}.{near[1]}")
    cure = "Change the version asked for." if first is None else _CURES[first]
    return Advice(cure.format(name=demand.name))


_CURES = {
    RejectionKind.PYTHON: "",
    RejectionKind.TAGS: "Use another Python, or ask for another version.",
    RejectionKind.PLATFORM: "Ask for another version, or keep it off this system by a marker.",
    RejectionKind.PRE_RELEASE: "Ask for {name} by a pre-release's version, or add --pre.",
    RejectionKind.YANKED: "Ask for another version, or pin this one with ==.",
    RejectionKind.TOO_NEW: "Raise exclude-newer, or ask for an older version.",
    RejectionKind.HASH: "Correct the --hash in the requirements file.",
    RejectionKind.BINARY_FORBIDDEN: "Take {name} out of --no-binary.",
    RejectionKind.SOURCE_FORBIDDEN: "Take {name} out of --only-binary.",
}


def _fitting(rejections: Sequence[Rejection], demand: Demand) -> list[Rejection]:
    """Those of versions that the demand allows, for the reason that is left in the end.

    Files for other systems say nothing where there are some for this one, and none of a version's
    tags does where the version is not for this Python at all.
    """
    wanted = combined(frozenset({demand.specifier}), None)
    found = [
        each
        for each in rejections
        if each.version is not None
        and each.kind is not RejectionKind.SPECIFIER
        and wanted.contains(each.version, prereleases=True)
    ]
    nearer = {each.version for each in found if each.kind is not RejectionKind.PLATFORM}
    found = [
        each
        for each in found
        if each.kind is not RejectionKind.PLATFORM or each.version not in nearer
    ]
    elsewhere = {each.version for each in found if each.kind is RejectionKind.PYTHON}
    return [
        each
        for each in found
        if each.kind is not RejectionKind.TAGS or each.version not in elsewhere
    ]


def _sentence(demand: Demand, same: Sequence[Rejection], tail: str) -> str:
    """``same`` are rejections for the same reason."""
    if len(same) == 1:
        return f"{same[0].file.filename} {tail}."
    if len({each.version for each in same}) == 1 and same[0].kind is not RejectionKind.PYTHON:
        return f"{same[0].file.filename} and {len(same) - 1} more of its version: it {tail}."
    several = len({each.version for each in same}) > 1
    return f"{demand.name} {_span(same)}{': each' if several else ''} {tail}."


def _span(rejections: Iterable[Rejection]) -> str:
    versions = sorted({each.version for each in rejections if each.version is not None})
    if not versions:
        return "of some version"
    if len(versions) == 1:
        return str(versions[0])
    return f"{versions[-1]} to {versions[0]} ({len(versions)} versions)"


def _nearest(versions: Sequence[Version], demand: Demand) -> str:
    """``versions``, newest first, about the one that was asked for."""
    from packaging.version import InvalidVersion, Version

    position = 0
    for clause in combined(frozenset({demand.specifier}), None):
        try:
            asked = Version(clause.version.removesuffix(".*"))
        except InvalidVersion:
            continue
        position = sum(version > asked for version in versions)
        break
    start = max(0, min(position - SHOWN // 2, len(versions) - SHOWN))
    shown = ", ".join(str(each) for each in versions[start : start + SHOWN])
    newer, older = start, max(0, len(versions) - start - SHOWN)
    rest = [
        f"{number} {word} one{'s' * (number > 1)}"
        for number, word in ((newer, "newer"), (older, "older"))
        if number
    ]
    return f"There are the versions {shown}{f' and {_and(rest)}' if rest else ''}."


def _pythons_of(rejections: Iterable[Rejection]) -> set[tuple[int, int]]:
    """The CPythons that wheels name."""
    found: set[tuple[int, int]] = set()
    for each in rejections:
        wheel = parse_wheel_name(each.file.filename)
        tags = wheel.tags.split("-")[0].split(".") if wheel else ()
        for tag in tags:
            match = re.fullmatch(r"(?:cp|py)(\d)(\d+)", tag)
            if match:
                found.add((int(match[1]), int(match[2])))
    return found


def _and(texts: Sequence[str]) -> str:
    *others, last = texts or ("others",)
    return f"{', '.join(others)} and {last}" if others else last


_OLDEST, _NEWEST = 8, 30


def with_python(requires_python: str) -> Fix:
    """For the oldest minor version that ``requires_python`` allows."""
    try:
        wanted = parse_specifier(requires_python)
    except Malformed:
        wanted = None
    for minor in range(_OLDEST, _NEWEST):
        # A patch version above any bound within the minor one.
        if wanted is not None and wanted.contains(f"3.{minor}.99", prereleases=True):
            return Command.venvman("freeze", "--python", f"3.{minor}")
    return Advice("Ask for another version of it: no Python that venvman manages will do.")
