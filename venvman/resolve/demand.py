"""What ``Requires-Dist`` lines mean on one target. Remembers: thousands of lines repeat themselves.

Parsing a line by :mod:`packaging` costs 50 to 100 microseconds, and a large project has thousands;
the plain ones are read by a regular expression, all others go to packaging.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical
from venvman.model.pep508 import Malformed, parse_marker, parse_requirement, parse_specifier
from venvman.system.secrets import is_broken, redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    from venvman.index.candidates import Candidate
    from venvman.model.sources import Source
    from venvman.model.target import Target
    from venvman.requirements.file import Requirement


class DependencyInvalid(ValueError):
    """A line that is no requirement (PEP 508)."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """One line that applies: ``specifier`` is text, ``url`` the direct reference or None.

    ``respelled``: the line writes the name in another way than the canonical one.
    """

    name: NormalizedName
    extras: tuple[str, ...]
    specifier: str
    url: str | None = None
    respelled: bool = False


_PLAIN = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*"
    r"(?:\[([A-Za-z0-9._, -]*)\]\s*)?"
    r"(?:\(([^()@;]*)\)|([<>=!~][^()@;]*))?\s*"
    r"(?:;(.*))?"
)
_NUMBER = r"[0-9]{1,18}"
_CLAUSE = rf"(?:[<>]=?|==|!=|~=)\s*{_NUMBER}(?:\.{_NUMBER})+(?:(?:a|b|rc|\.post|\.dev){_NUMBER})?"
_CERTAIN = re.compile(rf"\s*(?:{_CLAUSE}\s*(?:,\s*{_CLAUSE}\s*)*)?")
_EXTRA_ONLY = re.compile(r"""\s*\(?\s*extra\s*==\s*(?:"([^"]*)"|'([^']*)')\s*\)?\s*""")
_EXTRA_LAST = re.compile(r""".*\band\s+extra\s*==\s*(?:"([^"]*)"|'([^']*)')\s*""", re.DOTALL)
_EXTRA = re.compile(r"\bextra\b")


class Dependencies:
    """Reads lines for one target. Safe to share by threads: at worst a line is read twice."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._lines: dict[str, tuple[Dependency, str]] = {}
        self._verdicts: dict[tuple[str, str], bool] = {}

    def of(self, lines: Iterable[str], *, extra: str = "") -> tuple[Dependency, ...]:
        """The dependencies that apply; with ``extra`` (canonical) only those that it adds.

        Raises:
            DependencyInvalid: a line is malformed, whether it applies or not.
        """
        found: dict[Dependency, None] = {}
        for line in lines:
            known = self._lines.get(line)
            if known is None:
                known = self._lines[line] = _parse(line)
            dependency, marker = known
            if not marker:
                if not extra:
                    found[dependency] = None
            elif (not extra or _EXTRA.search(marker)) and self.applies(marker, extra):
                found[dependency] = None
        return tuple(found)

    def applies(self, marker: str, extra: str = "") -> bool:
        """Whether ``marker`` (text) holds on the target, ``extra`` being asked for."""
        key = (marker, extra)
        known = self._verdicts.get(key)
        if known is None:
            known = self._verdicts[key] = self._evaluate(marker, extra)
        return known

    def _evaluate(self, marker: str, extra: str) -> bool:
        alone = _EXTRA_ONLY.fullmatch(marker)
        if alone:
            return canonical(alone[1] or alone[2] or "") == extra
        last = _EXTRA_LAST.fullmatch(marker)
        if last and " or " not in marker and canonical(last[1] or last[2] or "") != extra:
            return False
        try:
            return self._target.applies(parse_marker(marker), extra=extra)
        except Malformed as error:
            raise DependencyInvalid(f"{_shown(marker)} is no environment marker: {error}") from None


def specifier_set(text: str) -> SpecifierSet:
    """The set that ``text`` means.

    Raises:
        DependencyInvalid: it means none.
    """
    try:
        return parse_specifier(text)
    except Malformed as error:
        raise DependencyInvalid(f"{_shown(text)} is no version specifier: {error}") from None


def _parse(line: str) -> tuple[Dependency, str]:
    plain = _PLAIN.fullmatch(line)
    if plain is None:
        return _parse_fully(line)
    name, extras, bracketed, bare, marker = plain.groups()
    specifier = (bracketed or bare or "").strip()
    if not _CERTAIN.fullmatch(specifier):
        specifier_set(specifier)  # a malformed line makes the whole release unusable, as with pip
    asked = sorted({canonical(each.strip()) for each in (extras or "").split(",") if each.strip()})
    plain_name = canonical(name)
    dependency = Dependency(plain_name, tuple(asked), specifier, None, name != plain_name)
    return dependency, (marker or "").strip()


def _parse_fully(line: str) -> tuple[Dependency, str]:
    try:
        parsed = parse_requirement(line)
    except Malformed as error:
        raise DependencyInvalid(f"{_shown(line)} is no requirement: {error}") from None
    if parsed.url is not None and is_broken(parsed.url):
        raise DependencyInvalid(
            f"the URL of {_shown(redact(line))} cannot be taken apart: what is no letter or digit "
            "in a user name or password must be percent-encoded"
        )
    extras = tuple(sorted({canonical(each) for each in parsed.extras}))
    specifier = str(parsed.specifier)
    name = canonical(parsed.name)
    dependency = Dependency(name, extras, specifier, parsed.url, name != parsed.name)
    return dependency, str(parsed.marker or "")


def _shown(text: str) -> str:
    """``text`` in quotes, cut where nobody would read on."""
    return repr(text if len(text) <= 80 else f"{text[:77]}...")


IMPOSSIBLE = NormalizedName("<impossible>")
"""The name of a demand that nothing meets: the solver then takes another version of who has it."""


def identifier_of(name: NormalizedName, extra: str) -> str:
    """What the solver knows a distribution, or one extra of it, by."""
    return f"{name}[{extra}]" if extra else name


class Demand:
    """What resolvelib calls a requirement: that something be there, in a version that fits.

    ``specifier`` is text. ``pin`` is the only thing that will do for a direct reference. ``line``
    is the requirements line it stands in, None for dependencies of distributions. ``note`` says
    what is wrong with an impossible one. ``echoed``: who asked for extras of it in a spelling that
    is not the canonical one, and for versions. Compared by identity: each exists once.
    """

    __slots__ = (
        "_fits", "_specifiers", "bounded", "echoed", "extra", "free", "hashes", "identifier",
        "line", "name", "note", "pin", "pinned", "specifier",
    )  # fmt: skip

    def __init__(
        self,
        name: NormalizedName,
        extra: str,
        specifier: str,
        *,
        pin: Pin | None = None,
        line: Requirement | None = None,
        hashes: tuple[str, ...] = (),
        note: str = "",
        echoed: bool = False,
    ) -> None:
        self.identifier = identifier_of(name, extra)
        self.name = name
        self.extra = extra
        self.specifier = specifier
        self.pin = pin
        self.line = line
        self.hashes = hashes
        self.note = note
        self.echoed = echoed
        self._specifiers = specifier_set(specifier)
        operators = [(each.operator, each.version) for each in self._specifiers]
        # pip's order of preference: what is pinned first, then what has an upper limit.
        self.pinned = any(sign[:2] == "==" and "*" not in version for sign, version in operators)
        self.bounded = any(
            sign in ("<", "<=", "~=") or (sign == "==" and "*" in version)
            for sign, version in operators
        )
        self.free = not operators
        self._fits: dict[Version, bool] = {}

    def fits(self, pin: Pin) -> bool:
        """Whether ``pin``, which has the same identifier, will do."""
        if self.pin is not None:
            return pin.base is self.pin.base
        version = pin.version
        known = self._fits.get(version)
        if known is None:
            known = self._specifiers.contains(version, prereleases=True)
            self._fits[version] = known
        return known

    def __repr__(self) -> str:
        return f"<Demand {self}>"

    def __str__(self) -> str:
        """As a requirement: ``name[extra]>=1``."""
        if self.note:
            return self.note
        if self.pin is not None and self.pin.source is not None:
            return f"{self.identifier} @ {self.pin.source}"
        return f"{self.identifier}{self.specifier}"


class Pin:
    """What resolvelib calls a candidate: one version of a distribution, or of one extra of it.

    ``files`` are what could be taken of it, the best first; empty for a direct ``source``.
    ``base`` is the pin of the distribution itself, the same object for all its extras.
    ``demands`` is filled in by whoever learns them; ``guessed`` is the sdist whose word was taken
    for them. Compared by identity: each exists once.
    """

    __slots__ = (
        "base", "demands", "extra", "extras", "files", "guessed", "identifier", "name", "requires",
        "source", "version",
    )  # fmt: skip

    def __init__(
        self,
        name: NormalizedName,
        version: Version,
        *,
        files: tuple[Candidate, ...] = (),
        source: Source | None = None,
        requires: tuple[str, ...] | None = None,
        extras: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.extra = ""
        self.identifier: str = name
        self.version = version
        self.files = files
        self.source = source
        self.requires = requires
        self.extras = extras
        self.base = self
        self.demands: tuple[Demand, ...] | None = None
        self.guessed: Candidate | None = None

    def with_extra(self, extra: str) -> Pin:
        """The pin of ``extra``; the caller keeps it, since each exists once."""
        pin = Pin(self.name, self.version, files=self.files, source=self.source)
        pin.extra = extra
        pin.identifier = identifier_of(self.name, extra)
        pin.base = self
        return pin

    def __repr__(self) -> str:
        return f"<Pin {self}>"

    def __str__(self) -> str:
        """``name 1.0``."""
        return f"{self.identifier} {self.version}"
