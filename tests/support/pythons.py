"""The interpreters of this machine, for tests that must hold on every one of them.

At least the one that runs the tests is always there, so that nothing is skipped anywhere.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import packaging.tags

from venvman.directories import Directories
from venvman.probe import OLDEST
from venvman.pythonplaces import find_places

__all__ = ["EVERY_PYTHON", "OWN_PYTHON", "OWN_SITE_PACKAGES", "kept_in"]

OWN_PYTHON = Path(getattr(sys, "_base_executable", sys.executable))
"""The base interpreter of the tests' own environment."""
OWN_SITE_PACKAGES = Path(packaging.tags.__file__).parent.parent
"""Where packages that the tests themselves use lie."""


def kept_in(folder: Path) -> Directories:
    """A cache and a state folder below ``folder``."""
    return Directories(cache=folder / "cache", state=folder / "state")


def _every_python() -> list[Path]:
    # Names only: at collection time no process is started.
    named = [
        place.path
        for place in find_places(os.environ)
        if place.hint is not None and place.hint[:2] >= OLDEST
    ]
    others = [path for path in named if os.path.realpath(path) != os.path.realpath(OWN_PYTHON)]
    return [OWN_PYTHON, *others]


EVERY_PYTHON = _every_python()
