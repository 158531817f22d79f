"""How much the attic keeps, as the setting ``attic`` says it."""

from __future__ import annotations

import re

from venvman.frozen import dataclass

__all__ = ["AtticLimit"]

_UNITS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class AtticLimit:
    """How much is kept: ``size`` in bytes, or ``count`` distributions; None is no limit."""

    size: int | None = None
    count: int | None = None

    @classmethod
    def parse(cls, text: str) -> AtticLimit:
        """From a setting: ``2 GiB``, ``500 MB``, or a bare number of distributions.

        Raises:
            ValueError: it is none of these; the message is the end of a sentence.
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kmgt]?)(i?)b)?", text.strip().lower())
        if match is None:
            raise ValueError("a size such as 2 GiB, or a number of distributions, is expected")
        number, unit, binary = match.groups()
        if unit is None:
            return cls(count=int(float(number)))
        return cls(size=int(float(number) * (1024 if binary else 1000) ** _UNITS[unit]))
