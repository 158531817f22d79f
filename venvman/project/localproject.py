"""Local project folders: their name and the digest of what their build metadata is made from.

Nothing is built or run here: only what the files say literally counts.
"""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.names import NormalizedName, canonical
from venvman.project.localproject import inputs_of, versions_of
from venvman.system.reading import read_regular, read_toml

if TYPE_CHECKING:
    from venvman.model.sources import DirectorySource


def project_name(folder: Path) -> NormalizedName | None:
    """The name that ``folder``'s files state; None where only building would tell it."""
    for find in (_from_pyproject, _from_setup_cfg, _from_setup_py, _from_metadata):
        name = find(folder)
        if name:
            return canonical(name)
    return None


def metadata_digest(folder: Path) -> str:
    """``sha256:<hex>`` over :func:`inputs_of`; a missing file counts as missing."""
    digest = hashlib.sha256()
    for leaf in inputs_of(folder):
        content = _read(folder / leaf)
        digest.update(f"{leaf}:{-1 if content is None else len(content)}\n".encode())
        digest.update((content or "").encode())
    return f"sha256:{digest.hexdigest()}"


def described(source: DirectorySource) -> str:
    """What the metadata of ``source`` (absolute) is made from, by digest; empty if it is gone.

    Besides :func:`metadata_digest` this is git's commit and tags, where they give the version.
    """
    folder = Path(source.path, source.subdirectory or "")
    if not folder.is_dir():
        return ""
    digest, versions = metadata_digest(folder), versions_of(folder)
    return (
        f"sha256:{hashlib.sha256(f'{digest}{versions}'.encode()).hexdigest()}"
        if versions
        else digest
    )


def _read(path: Path) -> str | None:
    try:
        return (
            read_regular(path)
            .decode("utf-8", errors="surrogateescape")
            .encode("utf-8", errors="replace")
            .decode()
        )
    except OSError:
        return None


def _from_pyproject(folder: Path) -> str | None:
    text = _read(folder / "pyproject.toml")
    if text is None:
        return None
    try:
        table = read_toml(text)
    except ValueError:
        return None
    named = (table.get("project"), table.get("tool", {}).get("poetry"))
    for section in named:
        name = section.get("name") if isinstance(section, dict) else None
        if isinstance(name, str):
            return name
    return None


def _from_setup_cfg(folder: Path) -> str | None:
    import configparser

    text = _read(folder / "setup.cfg")
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text or "")
    except configparser.Error:
        return None
    return parser.get("metadata", "name", fallback=None)


def _from_setup_py(folder: Path) -> str | None:
    try:
        tree = ast.parse(_read(folder / "setup.py") or "")
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "setup":
            for keyword in node.keywords:
                value = keyword.value
                if keyword.arg == "name" and isinstance(value, ast.Constant):
                    return str(value.value)
    return None


def _called(node: ast.Call) -> str | None:
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else None


def _from_metadata(folder: Path) -> str | None:
    candidates = (folder / "PKG-INFO", *folder.glob("*.egg-info/PKG-INFO"))
    for path in candidates:
        match = re.search(r"^Name:\s*(\S+)\s*$", _read(path) or "", re.MULTILINE)
        if match:
            return match[1]
    return None
