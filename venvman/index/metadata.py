"""What a distribution depends on, without installing it and mostly without downloading it.

In this order: the ``.metadata`` file beside a wheel (PEP 658, 714), the METADATA inside it by range
reads, the whole file. A way that fails is named in the details, and the next one is tried.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.index.auth import origin_of
from venvman.index.download import Downloader, local_path
from venvman.index.errors import Refused
from venvman.index.zipdirectory import (
    WheelDamaged,
    extent,
    find_directory,
    find_metadata,
    read_entry,
)
from venvman.model.errors import Advice, IndexFault, InstallError, Problem, Severity
from venvman.model.metadata import CoreMetadata, headers_of, parse_metadata
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.index.cache import Entries
    from venvman.index.session import Answer, Session
    from venvman.model.events import Reporter
    from venvman.model.sources import IndexFile

METADATA_FOLDER = "metadata-v1"
"""Where metadata is kept, below the cache folder."""

# Of 177 wheels of a large project, the last 32 KiB or 2 % hold METADATA in 161; twice as much would
# do for 5 more.
SMALLEST_TAIL = 32 * 1024
LARGEST_TAIL = 256 * 1024
LEAD = 16 * 1024
_IDENTITY = {"Accept-Encoding": "identity"}


class MetadataReader:
    """METADATA of wheels that an index offers, kept by the file's hash. Thread-safe."""

    def __init__(
        self, session: Session, downloader: Downloader, entries: Entries, *, reporter: Reporter
    ) -> None:
        self._session = session
        self._downloader = downloader
        self._entries = entries
        self._reporter = reporter
        self._without_ranges: set[tuple[str, str, int]] = set()

    def at_hand(self, file: IndexFile) -> bool:
        """Whether :meth:`read` needs no request."""
        key = _key(file)
        return local_path(file.url) is not None or (key is not None and self._entries.has(key))

    def read(self, file: IndexFile) -> bytes | None:
        """The METADATA of ``file``; None for an sdist whose index does not serve it separately.

        Raises:
            IndexFault: the index gave neither the metadata nor the file.
            InstallError: the file has another hash than the index says, or is no wheel.
        """
        local = local_path(file.url)
        if local is not None:
            return metadata_of_wheel(local) if file.is_wheel else None
        key = _key(file)
        if key is not None:
            kept = _recall(self._entries, key)
            if kept is not None:
                return kept
        content = self._sibling(file)
        if content is None and file.is_wheel:
            content = self._ranges(file)
            if content is None:
                with tempfile.TemporaryDirectory(prefix="venvman-") as folder:
                    done = self._downloader.fetch(
                        file.url, Path(folder), hashes=file.hashes, label=file.filename,
                        size=file.size,
                    )  # fmt: skip
                    content = metadata_of_wheel(done.path)
        if content is not None and key is not None:
            content = headers_of(content)  # a fifth of it
            self._entries.write(key, zlib.crc32(content).to_bytes(4, "big"), content)
        return content

    def _sibling(self, file: IndexFile) -> bytes | None:
        if file.metadata_hash is None:
            return None
        try:
            content = self._session.get(f"{file.url}.metadata").body
        except IndexFault as fault:
            if fault.code == "index-offline":
                raise
            self._fall_back(file, f"its metadata file could not be had ({fault.message})")
            return None
        algorithm, _, digest = file.metadata_hash.partition(":")
        if digest and hashlib.new(algorithm, content).hexdigest() != digest:
            problem = Problem(
                code="metadata-hash-mismatch",
                severity=Severity.NOTE,
                message=f"The metadata file of {file.filename} has another hash than its index "
                "says.",
                why="It was not believed; the metadata was taken from the wheel itself.",
            )
            self._reporter.problem(problem)
            return None
        return content

    def _ranges(self, file: IndexFile) -> bytes | None:
        origin = origin_of(file.url)
        if origin in self._without_ranges:
            return None
        try:
            return self._by_ranges(file)
        except _NoRanges as reason:
            self._without_ranges.add(origin)
            self._fall_back(file, str(reason))
        except (WheelDamaged, _NoSuchRange) as reason:
            self._fall_back(file, str(reason))
        return None

    def _by_ranges(self, file: IndexFile) -> bytes:
        # The last bytes of the file, as many as METADATA mostly needs.
        if file.size is None:
            wanted = f"bytes=-{2 * SMALLEST_TAIL}"
        else:
            wanted = f"bytes={max(0, file.size - tail_size(file.size))}-{file.size - 1}"
        answer = self._asked(file, wanted)
        tail, start = answer.body, _start_of(answer)
        directory = find_directory(tail, start=start)
        if directory.offset < start:
            # The directory alone is larger than the guess; METADATA mostly stands right before it.
            first = max(0, directory.offset - LEAD)
            tail, start = self._piece(file, first, start - 1) + tail, first
        begin = directory.offset - start
        entry = find_metadata(tail[begin : begin + directory.size], directory)
        content = read_entry(entry, tail, start)
        if content is None:
            first, last = extent(entry)
            content = read_entry(entry, self._piece(file, first, last), first)
        if content is None:
            raise WheelDamaged("its METADATA is larger than its directory says")
        return content

    def _piece(self, file: IndexFile, first: int, last: int) -> bytes:
        answer = self._asked(file, f"bytes={first}-{last}")
        if _start_of(answer) != first:
            raise _NoRanges("the index sent another range than was asked for")
        return answer.body

    def _asked(self, file: IndexFile, wanted: str) -> Answer:
        try:
            return self._session.get(file.url, headers={**_IDENTITY, "Range": wanted})
        except Refused as refused:
            if refused.status != 416:
                raise
            raise _NoSuchRange("the file has not the size that its index says") from None

    def _fall_back(self, file: IndexFile, reason: str) -> None:
        self._reporter.detail(f"{file.filename}: {redact(reason)}; taking a longer way.")


class _NoSuchRange(Exception):
    """Of this file no such piece can be had; of others it can."""


class _NoRanges(Exception):
    """The server does not do range requests."""


def tail_size(size: int) -> int:
    """How many bytes at the end of a wheel of ``size`` bytes mostly hold METADATA."""
    return min(size, max(SMALLEST_TAIL, min(size // 50, LARGEST_TAIL)))


def metadata_of_wheel(path: Path) -> bytes:
    """METADATA of a wheel on disk.

    Raises:
        InstallError: it cannot be read, or is no wheel.
    """
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            start = max(0, size - SMALLEST_TAIL)
            stream.seek(start)
            directory = find_directory(stream.read(), start=start)
            stream.seek(directory.offset)
            entry = find_metadata(stream.read(directory.size), directory)
            first, last = extent(entry)
            stream.seek(first)
            content = read_entry(entry, stream.read(last - first + 1), first)
        if content is None:
            raise WheelDamaged("it is cut")
    except (WheelDamaged, OSError) as error:
        raise InstallError(
            f"{path.name} is not a usable wheel.",
            code="wheel-damaged",
            path=str(path),
            why=f"{str(error)[:1].upper()}{str(error)[1:]}.",
            fix=Advice("Fetch it again, or tell its publisher."),
        ) from error
    return content


def remembered(entries: Entries, hashes: Iterable[str]) -> CoreMetadata | None:
    """What an earlier run learned of a file with one of ``hashes``; asks nobody.

    ``entries`` are those in :data:`METADATA_FOLDER`.
    """
    for each in hashes:
        content = _recall(entries, _key_of(each))
        if content is not None:
            return parse_metadata(content)
    return None


def is_static(content: bytes) -> bool:
    """Whether PKG-INFO promises that every wheel built from the sdist has the same dependencies."""
    headers = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    version = re.search(rb"(?im)^Metadata-Version:\s*(\d+)\.(\d+)", headers)
    if version is None or (int(version[1]), int(version[2])) < (2, 2):
        return False
    dynamic = {each.strip().lower() for each in re.findall(rb"(?im)^Dynamic:(.*)", headers)}
    return not dynamic & {b"requires-dist", b"provides-extra", b"requires-python", b"version"}


def _start_of(answer: Answer) -> int:
    """Where the piece in ``answer`` begins, if it is one."""
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", answer.headers.get("content-range", ""))
    if answer.status != 206 or match is None:
        raise _NoRanges("the index does not serve pieces of files")
    if int(match[2]) - int(match[1]) + 1 != len(answer.body):
        raise _NoRanges("the index lies about the piece it sent")
    return int(match[1])


def _key(file: IndexFile) -> str | None:
    """By the file's own hash; a file without one may change under its URL and is not kept."""
    return _key_of(file.hashes[0]) if file.hashes else None


def _key_of(file_hash: str) -> str:
    return hashlib.sha256(file_hash.encode()).hexdigest()


def _recall(entries: Entries, key: str) -> bytes | None:
    found = entries.read(key)
    if found is None:
        return None
    content = found[0]
    if int.from_bytes(content[:4], "big") != zlib.crc32(content[4:]):
        return None
    return content[4:]
