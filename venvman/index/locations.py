"""Indexes and find-links that are folders or files of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from venvman.index.download import local_path
from venvman.index.filenames import distribution_of
from venvman.index.listing import parse_page
from venvman.index.page import FileRow, ProjectPage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.names import NormalizedName

__all__ = ["as_location", "folder_pages", "local_index_page", "read_local_page"]

_HTML = (".html", ".htm")


def as_location(text: str) -> Path | str:
    """A find-links or index value: the path of this machine that it names, or else the URL."""
    if "://" not in text and not text.startswith("file:"):
        return Path(text).expanduser().absolute()
    local = local_path(text) if text.startswith("file:") else None
    return text if local is None else local


def folder_pages(folder: Path) -> Mapping[NormalizedName, ProjectPage]:
    """The archives right in ``folder``, by project.

    Raises:
        OSError: the folder cannot be read.
    """
    rows: dict[NormalizedName, list[FileRow]] = {}
    with os.scandir(folder) as entries:
        # Sorted: what a file system lists first must not decide anything.
        for entry in sorted(entries, key=lambda each: each.name):
            name = distribution_of(entry.name)
            if name is not None and entry.is_file():
                url = Path(entry.path).absolute().as_uri()
                row = FileRow(entry.name, url, {}, None, None, entry.stat().st_size, None, None)
                rows.setdefault(name, []).append(row)
    base = folder.absolute().as_uri() + "/"
    return {name: ProjectPage(url=base, rows=tuple(each)) for name, each in rows.items()}


def html_files(folder: Path) -> list[Path]:
    """The pages of links right in ``folder``, which pip reads as well."""
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in _HTML)


def local_index_page(index: Path, name: NormalizedName) -> ProjectPage | None:
    """The page of ``name`` in an index that is a folder: ``name/index.html`` or ``name/`` itself.

    Raises:
        PageInvalid, OSError: it is there and cannot be read.
    """
    folder = index / name
    for leaf in ("index.html", "index.json"):
        if (folder / leaf).is_file():
            return read_local_page(folder / leaf)
    return folder_pages(folder).get(name) if folder.is_dir() else None


def read_local_page(path: Path) -> ProjectPage:
    """A page of links on disk; relative links are seen from its folder."""
    kind = "application/json" if path.suffix == ".json" else "text/html"
    return parse_page(path.read_bytes(), kind, path.absolute().as_uri())


def is_archive(location: Path | str) -> bool:
    """Whether a find-links value names one wheel or sdist itself."""
    leaf = location.name if isinstance(location, Path) else urlsplit(location).path
    return distribution_of(leaf.rpartition("/")[2]) is not None
