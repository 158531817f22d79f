"""Simple API pages: bytes in, values out, nothing fetched.

JSON (PEP 691, 700, 714) is decoded by msgspec, HTML (PEP 503, 592, 658) by :mod:`.html`. A page may
list ten thousand files of which a run looks at three, so rows stay as the index wrote them until
somebody asks for an :class:`IndexFile`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from venvman.model.frozen import dataclass
from venvman.model.sources import IndexFile

STRONG_HASHES = ("sha256", "sha384", "sha512")
"""What files are checked by; md5 and sha1 are never believed."""

_ABSOLUTE = ("https://", "http://", "file://")


class PageInvalid(ValueError):
    """The bytes are no Simple API page; the text says why, as half a sentence."""


class FileRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file as the index wrote it; ``url`` may be relative. Compact, for keeping on disk."""

    filename: str
    url: str
    hashes: dict[str, str] = {}
    requires_python: str | None = None
    yanked: bool | str | None = None
    size: int | None = None
    upload_time: str | None = None
    metadata: bool | dict[str, str] | None = None

    def resolved(self, base: str) -> IndexFile:
        """The value, with the URL absolute as seen from ``base``."""
        absolute = self.url if self.url.startswith(_ABSOLUTE) else urljoin(base, self.url)
        yanked, metadata = self.yanked, "" if self.metadata else None
        if isinstance(self.metadata, dict):
            metadata = next(iter(strong(self.metadata)), "")
        return IndexFile(
            filename=self.filename,
            url=absolute.partition("#")[0],
            hashes=strong(self.hashes),
            requires_python=self.requires_python or None,
            yanked=yanked if isinstance(yanked, str) else ("" if yanked else None),
            size=self.size,
            upload_time=self.upload_time,
            metadata_hash=metadata,
        )


class SkippedFile(msgspec.Struct, frozen=True, array_like=True):
    """A row that is of no use, and why (half a sentence)."""

    filename: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage:
    """All rows of a page. ``url`` is what relative URLs are resolved against.

    ``listing`` tells whether the page names itself a Simple API page, or at least cannot be
    mistaken for something else, such as the log-in page of a network.
    """

    url: str
    rows: tuple[FileRow, ...]
    skipped: tuple[SkippedFile, ...] = ()
    listing: bool = True


def strong(hashes: dict[str, str]) -> tuple[str, ...]:
    """``{"sha256": "ab", "md5": "cd"}`` as ``("sha256:ab",)``."""
    if len(hashes) == 1 and "sha256" in hashes:
        return (f"sha256:{hashes['sha256'].lower()}",)
    return tuple(f"{each}:{hashes[each].lower()}" for each in STRONG_HASHES if hashes.get(each))


class _WireFile(msgspec.Struct, gc=False, rename="kebab"):
    filename: str
    url: str
    hashes: dict[str, str] = {}
    requires_python: str | None = None
    yanked: bool | str | None = None
    size: int | None = None
    upload_time: str | None = None
    core_metadata: bool | dict[str, str] | None = None
    dist_info_metadata: bool | dict[str, str] | None = None


class _WireMeta(msgspec.Struct, rename="kebab"):
    api_version: str = "1.0"


class _WirePage(msgspec.Struct):
    files: list[_WireFile]
    meta: _WireMeta = msgspec.field(default_factory=_WireMeta)


class _LoosePage(msgspec.Struct):
    files: list[dict[str, Any]]
    meta: _WireMeta = msgspec.field(default_factory=_WireMeta)


_PAGE = msgspec.json.Decoder(_WirePage)
_LOOSE_PAGE = msgspec.json.Decoder(_LoosePage)


def parse_json(content: bytes, url: str) -> ProjectPage:
    """Reads the JSON form.

    Raises:
        PageInvalid: it is broken, or of another major version of the API (PEP 629).
    """
    skipped: list[SkippedFile] = []
    try:
        page = _PAGE.decode(content)
    except msgspec.ValidationError:
        page = _parse_loosely(content, skipped)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PageInvalid(f"its JSON is broken ({error})") from error
    if page.meta.api_version.partition(".")[0] != "1":
        # PEP 629: another major version must not be read as this one.
        raise PageInvalid(f"it is of Simple API version {page.meta.api_version}, not 1.x")
    rows = tuple(
        FileRow(
            each.filename,
            each.url,
            each.hashes,
            each.requires_python,
            each.yanked,
            each.size,
            each.upload_time,
            # PEP 714: the new key wins where both are there.
            each.dist_info_metadata if each.core_metadata is None else each.core_metadata,
        )
        for each in page.files
    )
    return ProjectPage(url=url, rows=rows, skipped=tuple(skipped))


def _parse_loosely(content: bytes, skipped: list[SkippedFile]) -> _WirePage:
    """The same page, its rows judged one by one."""
    try:
        loose = _LOOSE_PAGE.decode(content)
    except msgspec.ValidationError as error:
        raise PageInvalid(f"it is JSON, but no Simple API page ({error})") from error
    files: list[_WireFile] = []
    for row in loose.files:
        try:
            files.append(msgspec.convert(row, _WireFile))
        except msgspec.ValidationError as error:
            named = str(row.get("filename", "a file without a name"))
            skipped.append(SkippedFile(named, f"its row is malformed: {error}"))
    return _WirePage(files=files, meta=loose.meta)


def leaf_of(url: str) -> str:
    """The file name at the end of a URL's path, unquoted."""
    return unquote(urlsplit(url).path.rpartition("/")[2])
