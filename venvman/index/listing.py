"""One project's files on one index, parsed, grouped by version, kept encoded until asked for.

Decoding every row of the 178 pages of a large project takes 0.15 s, and a run looks at one release
in fifty: so a listing holds a table of versions and, for each, the bytes of its rows. The same
bytes go to disk and come back. Folders and pages of this machine are listed as an index is.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from venvman.index.download import local_path
from venvman.index.filenames import distribution_of, version_of
from venvman.index.page import FileRow, PageInvalid, ProjectPage, SkippedFile, parse_json
from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvman.model.names import NormalizedName
    from venvman.model.sources import IndexFile


_ENCODER = msgspec.msgpack.Encoder()
_ROWS = msgspec.msgpack.Decoder(tuple[FileRow, ...])


class ListingDamaged(ValueError):
    """Bytes that are no listing, or not the ones that were written."""


class _Table(msgspec.Struct, array_like=True):
    url: str
    versions: dict[str, tuple[int, int]]  # offset and length of the rows
    skipped: tuple[SkippedFile, ...]
    checksum: int


_TABLE = msgspec.msgpack.Decoder(_Table)


@dataclass(frozen=True, slots=True)
class Listing:
    """Read it through :attr:`versions` and :meth:`files`; make it with :meth:`of`."""

    table: _Table
    body: bytes | memoryview

    @classmethod
    def of(cls, page: ProjectPage, name: NormalizedName) -> Listing:
        """Groups the rows of ``page`` that are files of ``name``; the others are skipped."""
        groups, strange = _grouped(page.rows, name)
        reason = f"it is neither a wheel nor an sdist of {name}"
        skipped = [*page.skipped, *(SkippedFile(row.filename, reason) for row in strange)]
        body = bytearray()
        places: dict[str, tuple[int, int]] = {}
        for version, rows in groups.items():
            start = len(body)
            _ENCODER.encode_into(rows, body, start)
            places[version] = (start, len(body) - start)
        table = _Table(page.url, places, tuple(skipped), zlib.adler32(body))
        return cls(table, bytes(body))

    @classmethod
    def from_bytes(cls, content: bytes | memoryview) -> Listing:
        """The inverse of :meth:`to_parts`.

        Raises:
            ListingDamaged: a byte is missing or another one.
        """
        view = memoryview(content)
        try:
            size = int.from_bytes(view[:4], "big")
            table = _TABLE.decode(view[4 : 4 + size])
        except (msgspec.DecodeError, ValueError) as error:
            raise ListingDamaged(str(error)) from error
        body = view[4 + size :]
        if zlib.adler32(body) != table.checksum:
            raise ListingDamaged("the checksum is another one")
        return cls(table, body)

    def to_parts(self) -> tuple[bytes | memoryview, ...]:
        """For keeping on disk: what :meth:`from_bytes` reads, in pieces."""
        head = _ENCODER.encode(self.table)
        return len(head).to_bytes(4, "big"), head, self.body

    @property
    def versions(self) -> Iterable[str]:
        """As file names spell them, so that ``1.0`` and ``1.0.0`` are two; in the page's order."""
        return self.table.versions

    @property
    def skipped(self) -> tuple[SkippedFile, ...]:
        """Rows that are of no use."""
        return self.table.skipped

    def files(self, version: str) -> tuple[IndexFile, ...]:
        """The files of one of :attr:`versions`; none for any other text."""
        return tuple(row.resolved(self.table.url) for row in self.rows(version))

    def rows(self, version: str) -> tuple[FileRow, ...]:
        """The same as the index wrote them: a tenth of the cost, where few are looked at."""
        start, size = self.table.versions.get(version, (0, 0))
        return _ROWS.decode(self.body[start : start + size]) if size else ()


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """What all locations together have of one project, find-links first, then pip's index order."""

    name: NormalizedName
    listings: tuple[Listing, ...]
    _listings: dict[str, list[Listing]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, list[Listing]] = {}
        for listing in self.listings:
            for version in listing.versions:
                found.setdefault(version, []).append(listing)
        object.__setattr__(self, "_listings", found)

    @property
    def known(self) -> bool:
        """Whether there is any file at all."""
        return bool(self._listings)

    @property
    def versions(self) -> Iterable[str]:
        """Every version of any location, as spelled in file names, each once."""
        return self._listings

    def files(self, version: str) -> tuple[IndexFile, ...]:
        """All files of that spelling of a version."""
        listings = self._listings.get(version, ())
        return tuple(file for listing in listings for file in listing.files(version))

    def rows(self, version: str) -> Iterator[tuple[FileRow, str]]:
        """The same as the index wrote them, each with the URL that it is relative to."""
        for listing in self._listings.get(version, ()):
            for row in listing.rows(version):
                yield row, listing.table.url

    def all_files(self) -> tuple[IndexFile, ...]:
        """Every file, location by location: thousands of values on a large page."""
        return tuple(
            file
            for listing in self.listings
            for version in listing.versions
            for file in listing.files(version)
        )


def _grouped(
    rows: Iterable[FileRow], name: NormalizedName
) -> tuple[dict[str, list[FileRow]], list[FileRow]]:
    """Rows by version, and those that are no files of ``name``."""
    groups: dict[str, list[FileRow]] = {}
    strange: list[FileRow] = []
    # Of the wheels of a release, which mostly stand together, only the first is looked at closely.
    beginning, group = "/", strange
    for row in rows:
        filename = row.filename
        if filename.startswith(beginning) and filename.endswith(".whl"):
            group.append(row)
            continue
        version = version_of(filename, name)
        if version is None:
            strange.append(row)
            continue
        group = groups.setdefault(version, [])
        group.append(row)
        is_wheel = filename.endswith(".whl")
        beginning = f"{filename.partition('-')[0]}-{version}-" if is_wheel else "/"
    return groups, strange


_UNTYPED = ("", "application/octet-stream", "binary/octet-stream", "text/plain")
_JSON_SUFFIX = "+json"


def parse_page(content: bytes, content_type: str, url: str) -> ProjectPage:
    """Reads the page of one project, served from ``url`` with the header ``content_type``.

    Rows that cannot be understood are skipped with a reason, not errors.

    Raises:
        PageInvalid: neither the JSON nor the HTML form.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _UNTYPED:
        kind = "application/json" if content.lstrip()[:1] == b"{" else "text/html"
        if content.lstrip()[:1] not in (b"{", b"<"):
            raise PageInvalid(f"it is of type {content_type or 'unknown'}, not a list of files")
    if kind == "application/json" or kind.endswith(_JSON_SUFFIX):
        return parse_json(content, url)
    if kind in ("text/html", "application/xhtml+xml") or kind.endswith("+html"):
        from venvman.index.html import parse_html

        return parse_html(content, content_type, url)
    raise PageInvalid(f"it is of type {kind}, not a list of files")


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
