"""Index pages and metadata kept between runs: private files that may vanish at any time.

Nothing here fails a run: a damaged entry counts as absent, a folder that cannot be written is one
warning. Entries are written beside their place and renamed, so that processes may share them.
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import msgspec

from venvman.index.listing import Listing, ListingDamaged
from venvman.index.memo import HEAD_SIZE, entry_path, page_head, page_of, read_page_head
from venvman.model.errors import Advice, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.system.files import make_private_folder
from venvman.system.writing import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from venvman.index.auth import Credentials
    from venvman.index.memo import Page
    from venvman.model.events import Reporter

UNSAID = 600
"""Seconds for which a page without caching headers counts as fresh."""

_NO_PROJECT = "0" * 32


class _Head(msgspec.Struct, array_like=True):
    url: str
    etag: str | None
    modified: str | None
    missing: bool


_HEAD = msgspec.msgpack.Decoder(_Head)


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPage:
    """What an index last said about a project; ``listing`` is None for "there is none".

    ``age`` is in seconds; negative where the clock went backwards, which is never fresh. ``proof``
    is what an answer that uses it rests on.
    """

    listing: Listing | None
    fresh_for: int
    age: float
    proof: Page
    etag: str | None = None
    modified: str | None = None

    @property
    def fresh(self) -> bool:
        """Whether it may be used without asking."""
        return 0 <= self.age < self.fresh_for

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that make the index answer 304 if nothing changed."""
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.modified} if self.modified else {}


class Entries:
    """A folder of entries by key. Thread-safe and safe for concurrent processes."""

    def __init__(self, folder: Path, *, reporter: Reporter) -> None:
        self._folder = folder
        self._reporter = reporter
        self._writable = True

    def path_of(self, key: str) -> Path:
        """Where the entry of ``key`` (hex digits) is, or would be."""
        return self._folder / entry_path(key)

    def has(self, key: str) -> bool:
        """Whether there is an entry, damaged or not."""
        return os.path.exists(self.path_of(key))  # noqa: PTH110 - both are plain texts here

    def read(self, key: str) -> tuple[bytes, os.stat_result] | None:
        """The entry's bytes, and its file's facts."""
        try:
            with open(self.path_of(key), "rb", buffering=0) as stream:  # noqa: PTH123
                return stream.readall(), os.fstat(stream.fileno())
        except OSError:
            return None

    def write(self, key: str, *parts: bytes | memoryview) -> os.stat_result | None:
        """Stores the entry and tells its file's facts.

        Where that fails, warns once and stores nothing any more.
        """
        if not self._writable:
            return None
        path = str(self.path_of(key))
        try:
            try:
                return replace(path, *parts, mode=0o600)
            except FileNotFoundError:
                parent = self._folder / os.path.basename(os.path.dirname(path))  # noqa: PTH119, PTH120
                for folder in (self._folder.parent, self._folder, parent):
                    make_private_folder(folder)
                return replace(path, *parts, mode=0o600)
        except OSError as error:
            self._give_up(error)
            return None

    def touch(self, key: str) -> os.stat_result | None:
        """Makes the entry count as written now; its file's facts then."""
        try:
            os.utime(self.path_of(key))
            return self.path_of(key).stat()
        except OSError as error:
            self._give_up(error)
            return None

    def drop(self, key: str) -> None:
        """Removes the entry, if it is there and may be removed."""
        try:
            self.path_of(key).unlink(missing_ok=True)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        first, self._writable = self._writable, False
        if first:
            self._reporter.problem(
                Problem(
                    code="cache-unwritable",
                    message="The cache cannot be written, so nothing is kept for the next run.",
                    severity=Severity.WARNING,
                    path=str(self._folder),
                    why=f"{error.strerror or error}.",
                    fix=Advice(
                        "Make the folder writable, or name another one with VENVMAN_CACHE_DIR."
                    ),
                )
            )


class PageCache:
    """Listings by page URL (without credentials) and whom the page was served to."""

    def __init__(
        self, folder: Path, *, reporter: Reporter, clock: Callable[[], float] = time.time
    ) -> None:
        self._entries = Entries(folder, reporter=reporter)
        self._clock = clock

    def read(self, url: str, credentials: Credentials | None) -> CachedPage | None:
        """What is known about the page, fresh or not."""
        key = _key(url, credentials)
        found = self._entries.read(key)
        if found is None:
            return None
        content, info = memoryview(found[0]), found[1]
        try:
            digest, fresh_for = read_page_head(found[0][:HEAD_SIZE])
            start = HEAD_SIZE + 4
            size = int.from_bytes(content[HEAD_SIZE:start], "big")
            head = _HEAD.decode(content[start : start + size])
            listing = None if head.missing else Listing.from_bytes(content[start + size :])
        except (ValueError, msgspec.DecodeError, ListingDamaged):
            return None
        if head.url != url:
            return None
        return CachedPage(
            listing=listing,
            fresh_for=fresh_for,
            age=self._clock() - info.st_mtime,
            proof=page_of(key, digest, fresh_for, info),
            etag=head.etag,
            modified=head.modified,
        )

    def write(
        self,
        url: str,
        credentials: Credentials | None,
        listing: Listing | None,
        headers: Mapping[str, str],
    ) -> Page | None:
        """Keeps a listing (None: the index has no such project) as ``headers`` allow.

        Returns what an answer that uses it rests on; None where it could not be kept.
        """
        key, fresh_for = _key(url, credentials), freshness(headers)
        if fresh_for is None:
            self._entries.drop(key)
            return None
        head = msgspec.msgpack.encode(
            _Head(url, headers.get("etag"), headers.get("last-modified"), not listing)
        )
        parts = () if listing is None else listing.to_parts()
        content = hashlib.sha256()
        for part in parts:
            content.update(part)
        digest = content.hexdigest()[: len(_NO_PROJECT)] if parts else _NO_PROJECT
        size = len(head).to_bytes(4, "big")
        info = self._entries.write(key, page_head(digest, fresh_for), size, head, *parts)
        return None if info is None else page_of(key, digest, fresh_for, info)

    def confirm(self, page: CachedPage) -> Page | None:
        """The index said that nothing changed: the entry is as good as new.

        Returns what an answer that uses it rests on; None where it is not there any more.
        """
        key, digest, fresh_for = page.proof[:3]
        info = self._entries.touch(key)
        if info is None or info.st_ino != page.proof[-1]:
            return None  # somebody else has put another one there
        return page_of(key, digest, fresh_for, info)


def freshness(headers: Mapping[str, str]) -> int | None:
    """Seconds for which an answer may be used unasked; None where it must not be kept.

    RFC 9111: ``no-store``, ``no-cache``, ``max-age`` less ``Age``. Header names are lower case.
    """
    said: dict[str, str] = {}
    for part in headers.get("cache-control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        said[name] = value.strip('" ')
    if "no-store" in said:
        return None
    if "no-cache" in said:
        return 0
    if not said.get("max-age", "").isdigit():
        return UNSAID
    age = headers.get("age", "")
    return max(0, int(said["max-age"]) - (int(age) if age.isdigit() else 0))


def _key(url: str, credentials: Credentials | None) -> str:
    digest = hashlib.sha256(url.encode())
    if credentials is not None:
        digest.update(b"\0" + credentials.header.encode())
    return digest.hexdigest()
