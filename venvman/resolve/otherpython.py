"""The command that resolves for a Python that a package runs on."""

from __future__ import annotations

from venvman.errors import Advice, Command, Fix
from venvman.pep508 import Malformed, parse_specifier

__all__ = ["with_python"]

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
