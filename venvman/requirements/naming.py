"""What a file's name says about its part in a project (docs/reference/requirements-files.md). Pure.

Names are told relative to the project root, POSIX: ``requirements-dev.in``,
``requirements/dev.txt``. What only neighbours and headers can say: :mod:`venvman.project.roles`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.model.names import canonical

if TYPE_CHECKING:
    from collections.abc import Collection

DEFAULT, DEV = "default", "dev"
FOLDER = "requirements"
"""The folder whose files are a project's, and which is never a project itself."""

_BASES = ("base", "common", "main", "default", "requirements")
_SAME_GROUP = {
    "develop": DEV,
    "development": DEV,
    "local": DEV,
    "tests": "test",
    "testing": "test",
}
WELL_KNOWN = frozenset({DEFAULT, *_BASES, *_SAME_GROUP.values()})
"""The groups that the table spells out."""
_CONSTRAINTS = re.compile(r"(?:.*-)?constraints.*")
_GROUPED = re.compile(r"requirements[-_.](?P<after>.+)|(?P<before>.+)[-_]requirements")
# `X.in` beside requirements.in is a group; these belong to setuptools, autoconf and CMake.
_TEMPLATES = frozenset({"manifest", "makefile", "gnumakefile", "configure", "config", "version"})
_PYLOCK = re.compile(r"pylock(?:\.(?P<group>[^./]+))?\.toml")


def pylock_group(path: str) -> str | None:
    """The group whose lock a root's ``pylock.toml`` or ``pylock.NAME.toml`` is (PEP 751)."""
    match = _PYLOCK.fullmatch(path)
    return None if match is None else match["group"] or DEFAULT


def is_pylock(path: str) -> bool:
    """Whether a file so named, wherever it is, is in the format of PEP 751."""
    return pylock_group(re.split("[/:]", path)[-1]) is not None


def pylock_of(group: str) -> str:
    """The name of the lock of ``group`` in the format of PEP 751."""
    return "pylock.toml" if group == DEFAULT else f"pylock.{group}.toml"


def stem_of(path: str) -> tuple[str, str, str]:
    """``requirements/dev.in`` as its folder, stem and ending: ``requirements``, ``dev``, ``in``."""
    folder, _, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    return (folder, stem, ending) if dot else (folder, name, "")


def is_constraints(path: str) -> bool:
    """``constraints*`` and ``*-constraints*``."""
    return _CONSTRAINTS.fullmatch(stem_of(path)[1]) is not None


def is_default(path: str) -> int | None:
    """How good a source of group ``default`` the name makes: 0 is best, None is none."""
    folder, stem, ending = stem_of(path)
    if not folder:
        return (0 if ending == "in" else 1) if stem == FOLDER else None
    if stem not in _BASES:
        return None
    return 2 + 2 * _BASES.index(stem) + (ending != "in")


def group_of(path: str, *, beside: Collection[str]) -> str | None:
    """The group of a source so named, None where the name is no requirements file's.

    ``beside`` are the names in the project root. :func:`is_default` is asked first; a file that
    could have been the default's source has a group of its own where another one is.
    """
    folder, stem, ending = stem_of(path)
    match = _GROUPED.fullmatch(stem)
    word = (match["after"] or match["before"]) if match else None
    if word is None and folder == FOLDER:
        word = stem
    if word is None and not folder and stem == FOLDER:
        return DEFAULT
    beside_source = ending == "in" and f"{FOLDER}.in" in beside and "." not in stem
    if word is None and beside_source and stem.lower() not in _TEMPLATES:
        word = stem
    name = canonical(word or "").strip("-").removeprefix("for-")
    if "uninstall" in name:  # packages to remove
        return None
    return _SAME_GROUP.get(name, name) or None
