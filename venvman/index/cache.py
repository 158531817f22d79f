"""Index pages and metadata kept between runs: private files that may vanish at any time.

Nothing here fails a run: a damaged entry counts as absent, a folder that cannot be written is one
warning. Entries are written beside their place and renamed, so that processes may share them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from venvman.errors import Problem, Severity
from venvman.files import make_private_folder
from venvman.index.listing import Listing, ListingDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from venvman.events import Reporter
    from venvman.index.auth import Credentials

__all__ = ["CachedPage", "Entries", "PageCache", "freshness"]

UNSAID = 600
"""Seconds for which a page without caching headers counts as fresh (DESIGN 4.7)."""

_MAGIC = b"venvman-index-1\n"


class _Head(msgspec.Struct, array_like=True):
    url: str
    fresh_for: int
    etag: str | None
    modified: str | None
    missing: bool


_HEAD = msgspec.msgpack.Decoder(_Head)


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPage:
    """What an index last said about a project; ``listing`` is None for "there is none".

    ``age`` is in seconds; negative where the clock went backwards, which is never fresh.
    """

    listing: Listing | None
    fresh_for: int
    age: float
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
        return self._folder / key[:2] / key[2:]

    def has(self, key: str) -> bool:
        """Whether there is an entry, damaged or not."""
        return os.path.exists(self.path_of(key))  # noqa: PTH110 - both are plain texts here

    def read(self, key: str) -> tuple[bytes, float] | None:
        """The entry's bytes and its time of writing (seconds since the epoch)."""
        try:
            with self.path_of(key).open("rb") as stream:
                return stream.read(), os.fstat(stream.fileno()).st_mtime
        except OSError:
            return None

    def write(self, key: str, *parts: bytes | memoryview) -> None:
        """Stores the entry; where that fails, warns once and stores nothing any more."""
        if not self._writable:
            return
        path = self.path_of(key)
        try:
            for folder in (self._folder.parent, self._folder, path.parent):
                make_private_folder(folder)
            # Not synced: after a power cut an entry may be torn, which reading it notices.
            descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.writelines(parts)
                os.replace(temporary, path)  # noqa: PTH105 - both are plain texts here
            except BaseException:
                os.unlink(temporary)  # noqa: PTH108
                raise
        except OSError as error:
            self._give_up(error)

    def touch(self, key: str) -> None:
        """Makes the entry count as written now."""
        try:
            os.utime(self.path_of(key))
        except OSError as error:
            self._give_up(error)

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
                    fix="Make the folder writable, or name another one with VENVMAN_CACHE_DIR",
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
        found = self._entries.read(_key(url, credentials))
        if found is None:
            return None
        content, written = memoryview(found[0]), found[1]
        try:
            start = len(_MAGIC) + 4
            if content[: len(_MAGIC)] != _MAGIC:
                return None
            size = int.from_bytes(content[len(_MAGIC) : start], "big")
            head = _HEAD.decode(content[start : start + size])
            listing = None if head.missing else Listing.from_bytes(content[start + size :])
        except (msgspec.DecodeError, ListingDamaged):
            return None
        if head.url != url:
            return None
        return CachedPage(
            listing=listing,
            fresh_for=head.fresh_for,
            age=self._clock() - written,
            etag=head.etag,
            modified=head.modified,
        )

    def write(
        self,
        url: str,
        credentials: Credentials | None,
        listing: Listing | None,
        headers: Mapping[str, str],
    ) -> None:
        """Keeps a listing (None: the index has no such project) as ``headers`` allow."""
        fresh_for = freshness(headers)
        if fresh_for is None:
            self._entries.drop(_key(url, credentials))
            return
        head = msgspec.msgpack.encode(
            _Head(url, fresh_for, headers.get("etag"), headers.get("last-modified"), not listing)
        )
        parts: list[bytes | memoryview] = [_MAGIC, len(head).to_bytes(4, "big"), head]
        if listing is not None:
            parts += listing.to_parts()
        self._entries.write(_key(url, credentials), *parts)

    def confirm(self, url: str, credentials: Credentials | None) -> None:
        """The index said that nothing changed: the entry is as good as new."""
        self._entries.touch(_key(url, credentials))


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
