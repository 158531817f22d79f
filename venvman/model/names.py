"""Names of distributions and extras, as PEP 503 and PEP 685 normalise them.

A leaf that imports nothing heavy: the nothing-to-do path uses it.
"""

from __future__ import annotations

import re
from typing import NewType

NormalizedName = NewType("NormalizedName", str)
"""A name in PEP 503 form: lower case, runs of ``-_.`` are one ``-``."""

TOOLS = frozenset(map(NormalizedName, ("pip", "setuptools", "wheel")))
"""What no lock names of these is never drift; what they need stays with them."""

_SEPARATORS = re.compile(r"[-_.]+")


_VALID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def is_name(text: str) -> bool:
    """Whether ``text`` can be the name of a distribution (PEP 508)."""
    return _VALID.fullmatch(text) is not None


def canonical(name: str) -> NormalizedName:
    """The PEP 503 form of ``name``; ``name`` is not checked for validity."""
    return NormalizedName(_SEPARATORS.sub("-", name).lower())
