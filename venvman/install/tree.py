"""The digest of a local project folder: has anything changed that a build may look at?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tree_digest"]

# Made by builds, tests and tools, not by people.
_IGNORED_FOLDERS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".bzr", ".tox", ".nox", ".mypy_cache", ".ruff_cache",
     ".pytest_cache", ".hypothesis", "node_modules", "build", "dist", ".eggs", ".venvman"}
)  # fmt: skip
_IGNORED_SUFFIXES = (".pyc", ".pyo", ".egg-info", ".dist-info")


def tree_digest(folder: Path) -> str:
    """The sha256 (hex) of paths, sizes, rights and modification times of all files in ``folder``.

    Left out: version control, caches, environments, and what builds leave behind (``build``,
    ``dist``, ``*.egg-info``), since the build itself changes those. A file rewritten with equal
    size and time is not noticed, nor is a commit that only a version derived from tags shows.
    """
    digest = hashlib.sha256()
    for row in sorted(_rows(folder)):
        digest.update(row)
    return digest.hexdigest()


def _rows(folder: Path) -> Iterator[bytes]:
    for parent, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not _is_ignored(name)]
        for name in files:
            if name.endswith(_IGNORED_SUFFIXES):
                continue
            path = Path(parent, name)
            seen = path.lstat()
            row = (os.fsencode(path.relative_to(folder)), seen.st_size, seen.st_mtime_ns)
            yield repr((*row, seen.st_mode & 0o111)).encode()


def _is_ignored(name: str) -> bool:
    return name in _IGNORED_FOLDERS or name.endswith(_IGNORED_SUFFIXES)
