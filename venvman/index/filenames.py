"""What the names of distribution files say, and whether their tags suit a target.

Lean: pages have thousands. Wheels follow the binary distribution format (PEP 427, PEP 491), sdists
PEP 625 and what came before it. Versions stay text here; only candidates that matter are parsed.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical
from venvman.model.pep508 import Malformed, parse_specifier

if TYPE_CHECKING:
    from venvman.model.target import Target

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


class Compatibility:
    """Answers for one target. Get it with :meth:`of`, so that projects share what it remembers."""

    def __init__(self, tags: tuple[str, ...], python: str, system: str) -> None:
        self._ranks: dict[str, int] = {}
        for rank, tag in enumerate(tags):
            self._ranks.setdefault(tag.lower(), rank)
        self._platforms = frozenset(tag.rpartition("-")[2] for tag in self._ranks)
        self._python = python
        self._system = system
        self._best: dict[str, int | None] = {}
        self._reasons: dict[str, str] = {}
        self._allowed: dict[str, bool] = {}

    @classmethod
    def of(cls, target: Target) -> Compatibility:
        """The one for ``target``."""
        markers = dict(target.markers)
        system = markers.get("sys_platform", "another system")
        return _compatibility(
            target.tags, target.python, f"{system} {markers.get('platform_machine', '')}".strip()
        )

    @property
    def count(self) -> int:
        """How many tags the target supports."""
        return len(self._ranks)

    def rank(self, tags: str) -> int | None:
        """The best rank of a compressed tag set among the target's tags (0 is best), or None."""
        try:
            return self._best[tags]
        except KeyError:
            parts = product(*(each.split(".") for each in tags.split("-")))
            ranks = (self._ranks.get("-".join(tag)) for tag in parts)
            found = min((rank for rank in ranks if rank is not None), default=None)
            self._best[tags] = found
            return found

    def suits_system(self, tags: str) -> bool:
        """Whether a wheel with ``tags`` is for the target's system, if for another Python."""
        return not self._platforms.isdisjoint(tags.rpartition("-")[2].split("."))

    def reason(self, tags: str) -> str:
        """What a wheel with ``tags`` is for, and what the target is: the rest of a sentence."""
        known = self._reasons.get(tags)
        if known is None:
            pythons, _, platforms = tags.split("-")
            if not self.suits_system(tags):
                meant, have = platforms, self._system
            else:
                meant, have = pythons, f"Python {self._python}"
            known = f"is for {meant.replace('.', ' or ')}, and the target is {have}"
            self._reasons[tags] = known
        return known

    def allows(self, requires_python: str) -> bool:
        """Whether the target's full version satisfies a file's Requires-Python."""
        known = self._allowed.get(requires_python)
        if known is None:
            try:
                known = parse_specifier(requires_python).contains(self._python, prereleases=True)
            except Malformed:
                known = True  # pip takes a requirement that makes no sense for none
            self._allowed[requires_python] = known
        return known


_compatibility = lru_cache(maxsize=32)(Compatibility)
