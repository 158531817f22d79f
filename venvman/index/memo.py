"""Answers that hold for as long as the index pages they rest on are fresh and say the same.

Who has worked out an answer from pages of the cache keeps it here under a digest of the question
(:func:`keep`); who asks the same again gets it back (:func:`recall`) if every one of those pages is
still there, fresh by the rule of :mod:`venvman.index.cache`, and unchanged. For a page that no run
has touched since, that is one ``stat``; for one that was fetched again it is the digest at the
beginning of its file. The question must hold all else that the answer depends on.

Entries are private files, whole or absent, few (the oldest go), and never trusted further than
their checksum: what is damaged or of another version counts as not there. Imports next to nothing,
so that it can be asked before anything heavy is imported.
"""

from __future__ import annotations

import os
import time
import zlib
from contextlib import suppress

from venvman.system import records
from venvman.system.writing import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Page = tuple[str, str, int, int, int, int]

FOLDER = "known-v1"
"""Where answers are kept, below the cache folder."""
PAGES = "index-v1"
"""Where index pages are."""
LIMIT = 32
"""At most so many answers; a large one takes 300 KiB."""

_KIND = "known 2"
_PAGE_MAGIC = b"venvman-index-2\n"
_DIGEST = 32
_DIGITS = 10
HEAD_SIZE = len(_PAGE_MAGIC) + _DIGEST + _DIGITS
"""Bytes at the beginning of a page's file that say how long it is fresh, and what is in it."""


def page_head(digest: str, fresh_for: int) -> bytes:
    """The beginning of a page's file: ``digest`` (32 hex digits) of its content, and seconds."""
    return _PAGE_MAGIC + f"{digest}{min(fresh_for, 10**_DIGITS - 1):0{_DIGITS}d}".encode()


def read_page_head(content: bytes) -> tuple[str, int]:
    """The inverse of :func:`page_head`.

    Raises:
        ValueError: it is damaged, or of another version.
    """
    start = len(_PAGE_MAGIC)
    if content[:start] != _PAGE_MAGIC or len(content) < HEAD_SIZE:
        raise ValueError("not the beginning of a page")
    digest = content[start : start + _DIGEST].decode()
    return digest, int(content[start + _DIGEST : HEAD_SIZE])


def page_of(key: str, digest: str, fresh_for: int, info: os.stat_result) -> Page:
    """What an answer may rest on: the page ``key``, whose file ``info`` is about, as it is now."""
    return key, digest, fresh_for, info.st_mtime_ns, info.st_size, info.st_ino


def entry_path(key: str) -> str:
    """Where, in its folder, the entry of ``key`` (hex digits) is."""
    return os.path.join(key[:2], key[2:])


class Evidence:
    """The pages that an answer rests on, noted as they are used. Thread-safe."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._sound = True

    def rest_on(self, page: Page | None) -> None:
        """``page`` was used; None for one that is not in the cache."""
        if page is None:
            self._sound = False
            return
        before = self._pages.setdefault(page[0], page)
        if before[1] != page[1]:
            self._sound = False  # one answer from two states of a page

    def rest_on_all(self, pages: Iterable[Page] | None) -> None:
        """All ``pages`` were used; None where it was more than pages."""
        if pages is None:
            self._sound = False
        for page in pages or ():
            self.rest_on(page)

    def mark_uncacheable(self) -> None:
        """Something was used that is not a page, or not one of the cache."""
        self._sound = False

    @property
    def pages(self) -> tuple[Page, ...] | None:
        """All of them, by key; None where they are not all that was used."""
        return tuple(sorted(self._pages.copy().values())) if self._sound else None


def recall(
    cache: str, question: str, *, offline: bool = False, now: float | None = None
) -> tuple[dict[str, str], tuple[Page, ...]] | None:
    """The texts that :func:`keep` was given for ``question``, if they still hold, and their pages.

    ``cache`` is the cache folder. ``offline`` takes pages of any age, ``now`` is for tests.
    """
    path = os.path.join(cache, FOLDER, question)
    try:
        with open(path, "rb") as stream:
            checksum, _, rest = stream.read().partition(b"\n")
        found = records.decoded(rest, _KIND)
        if found is None or checksum != b"%08x" % zlib.crc32(rest):
            return None
        pages, texts = found
        pages = list(pages)
        moment = time.time() if now is None else now
        folder = os.path.join(cache, PAGES)
        current = [_current(folder, page) for page in pages]
    except (OSError, ValueError):
        return None
    for page in current:
        if not offline and not 0 <= moment - page[3] / 1e9 < page[2]:
            return None
    if current != pages:  # fetched again, and the same: a stat will do the next time
        keep(cache, question, texts, current)
    return texts, tuple(current)


def keep(cache: str, question: str, texts: Mapping[str, str], pages: Iterable[Page]) -> bool:
    """Keeps ``texts`` as the answer to ``question`` (hex digits); whether it could be kept."""
    folder = os.path.join(cache, FOLDER)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        content = records.encoded(_KIND, (list(pages), texts))
        checked = b"%08x\n%s" % (zlib.crc32(content), content)
        replace(os.path.join(folder, question), checked, mode=0o600)
        if len(os.listdir(folder)) > LIMIT:
            with os.scandir(folder) as entries:
                ages = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
            for _, path in ages[: len(ages) - LIMIT]:
                with suppress(OSError):
                    os.unlink(path)
    except OSError:
        return False
    return True


def _current(folder: str, page: Page) -> Page:
    """``page`` as it is now: of the same content.

    Raises:
        ValueError, OSError: it is not there, or says something else.
    """
    path = os.path.join(folder, entry_path(page[0]))
    info = os.stat(path)
    if (info.st_mtime_ns, info.st_size, info.st_ino) == page[3:]:
        return page
    with open(path, "rb", buffering=0) as stream:
        digest, fresh_for = read_page_head(stream.read(HEAD_SIZE))
        info = os.fstat(stream.fileno())
    if digest != page[1]:
        raise ValueError("the page has changed")
    return page_of(page[0], digest, fresh_for, info)
