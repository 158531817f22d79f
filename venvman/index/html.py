"""The HTML form of Simple API pages (PEP 503), and of any page of links given as find-links."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

from venvman.index.filenames import SDIST_SUFFIXES
from venvman.index.page import FileRow, PageInvalid, ProjectPage, SkippedFile, leaf_of

_CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_ARCHIVES = (".whl", *SDIST_SUFFIXES)
# What people fill in or run, and no list of files needs.
_FOREIGN_TAGS = frozenset({"form", "input", "script", "iframe", "noscript"})


def parse_html(content: bytes, content_type: str, url: str) -> ProjectPage:
    """Reads the anchors of a page.

    Raises:
        PageInvalid: the page says that it is of another major version of the API (PEP 629).
    """
    reader = _Anchors()
    reader.feed(_decoded(content, content_type))
    reader.close()
    if reader.version is not None and reader.version.partition(".")[0] != "1":
        raise PageInvalid(f"it is of Simple API version {reader.version}, not 1.x")
    base = urljoin(url, reader.base) if reader.base else url
    rows: list[FileRow] = []
    skipped: list[SkippedFile] = []
    for anchor in reader.anchors:
        href = (anchor["href"] or "").strip()
        try:
            link = urljoin(base, href)
            filename = leaf_of(link)
        except ValueError as error:
            skipped.append(SkippedFile(href, f"its URL is malformed: {error}"))
            continue
        if filename.endswith(_ARCHIVES):
            rows.append(_row(anchor, link, filename))
        elif filename:
            skipped.append(SkippedFile(filename, "it is neither a wheel nor an sdist"))
    return ProjectPage(
        url=base,
        rows=tuple(rows),
        skipped=tuple(skipped),
        listing=bool(rows) or reader.version is not None or not reader.foreign,
    )


def _row(anchor: dict[str, str | None], link: str, filename: str) -> FileRow:
    parts = urlsplit(link)
    # PEP 503: the fragment is <algorithm>=<hex digest>; setuptools used to add egg= as well.
    hashes = {key.lower(): value for key, value in parse_qsl(parts.fragment) if key != "egg"}
    yanked = (anchor["data-yanked"] or "") if "data-yanked" in anchor else None
    return FileRow(
        filename,
        link.partition("#")[0],
        hashes,
        anchor.get("data-requires-python") or None,
        yanked,
        None,
        None,
        _metadata(anchor),
    )


def _metadata(anchor: dict[str, str | None]) -> bool | dict[str, str] | None:
    # PEP 714: data-core-metadata, before it data-dist-info-metadata; "true" or algorithm=digest.
    for key in ("data-core-metadata", "data-dist-info-metadata"):
        if key in anchor:
            algorithm, equals, digest = (anchor[key] or "true").partition("=")
            return {algorithm.lower(): digest} if equals else algorithm != "false"
    return None


def _decoded(content: bytes, content_type: str) -> str:
    told = _CHARSET.search(content_type)
    inside = _META_CHARSET.search(content[:1024])
    name = told[1] if told else inside[1].decode("ascii") if inside else "utf-8"
    try:
        return content.decode(name)
    except (LookupError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")


class _Anchors(HTMLParser):
    """Collects anchors, the base URL, the API's version and signs of another kind of page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: list[dict[str, str | None]] = []
        self.base: str | None = None
        self.version: str | None = None
        self.foreign = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a":
            if values.get("href"):
                self.anchors.append(values)
        elif tag == "base" and self.base is None:
            self.base = values.get("href")
        elif tag == "meta" and values.get("name") == "pypi:repository-version":
            self.version = values.get("content") or "1.0"
        elif (
            tag == "meta" and (values.get("http-equiv") or "").lower() == "refresh"
        ) or tag in _FOREIGN_TAGS:
            self.foreign = True
