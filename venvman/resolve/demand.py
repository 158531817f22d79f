"""Demand and Pin: what the solver matches. Identifiers are ``name`` and ``name[extra]``.

An extra is an identifier of its own that depends on its distribution in the same version; so
versions of a distribution are chosen in one place, whoever asks for which of its extras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.names import NormalizedName
from venvman.resolve.dependency import specifier_set

if TYPE_CHECKING:
    from packaging.version import Version

    from venvman.candidates import Candidate
    from venvman.requirements.requirement import Requirement
    from venvman.sources import Source

__all__ = ["IMPOSSIBLE", "Demand", "Pin", "identifier_of"]

IMPOSSIBLE = NormalizedName("<impossible>")
"""The name of a demand that nothing meets: the solver then takes another version of who has it."""


def identifier_of(name: NormalizedName, extra: str) -> str:
    """What the solver knows a distribution, or one extra of it, by."""
    return f"{name}[{extra}]" if extra else name


class Demand:
    """That something be there, in a version that fits.

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
    """One version of a distribution, or of one extra of it.

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
