"""Wheels on disk, whole: what their directory lists, inflated.

It is read by :mod:`venvman.index.zipdirectory`. No size and no name is trusted; inflating stops at
what the directory declares, and nothing may lie between the entries. The caller checks names.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from venvman.index.zipdirectory import (
    LOCAL_HEADER,
    STORED,
    Member,
    WheelDamaged,
    data_start,
    find_directory,
    members_of,
)
from venvman.model.errors import AGAIN, InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self


_LONGEST_END = 22 + 0xFFFF + 20 + 56
"""The end record with the longest comment, and the 64-bit end before it."""
_CHUNK = 1 << 20
_AT_ONCE = 64 * 1024 * 1024
"""No file that is read whole (WHEEL, METADATA, RECORD) is larger."""
FREE_SIZE = 256 * 1024 * 1024
LARGEST_RATIO = 100
"""Unpacked, a wheel may be so many times as large as packed; small ones more."""
_DESCRIPTORS = frozenset({12, 16, 20, 24})


class WheelArchive:
    """A wheel opened for reading; a context manager. Not thread-safe.

    Raises:
        InstallError: ``wheel-damaged``: this is no zip archive, was cut short, or contradicts
            itself; also from :meth:`chunks`.
        OSError: the file cannot be read.
    """

    def __init__(self, path: str) -> None:
        self._label = os.path.basename(path)
        self._stream = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by __exit__
        try:
            self._length = self._stream.seek(0, os.SEEK_END)
            self.members = self._directory()
            for member in self.members:
                if member.name.endswith("/"):  # nobody reads it
                    self.read(member)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, member: Member) -> bytes:
        """The whole content of ``member``."""
        if member.size > _AT_ONCE:
            raise self._damaged(f"{member.name} is larger than {_AT_ONCE >> 20} MiB")
        return b"".join(self.chunks(member))

    def chunks(self, member: Member, *, checked: bool = True) -> Iterator[bytes]:
        """The content in pieces of about a mebibyte, never more than the declared size in all.

        ``checked`` compares the checksum of the archive at the end; a caller that compares a
        stronger hash may leave it out.
        """
        total = crc = 0
        for chunk in self._inflated(member):
            total += len(chunk)
            if total > member.size:
                raise self._damaged(f"{member.name} is larger than the archive declares")
            if checked:
                crc = zlib.crc32(chunk, crc)
            yield chunk
        if total != member.size:
            raise self._damaged(f"{member.name} ends after {total} of {member.size} bytes")
        if checked and crc != member.crc:
            raise self._damaged(f"{member.name} does not have the archive's checksum")

    def _inflated(self, member: Member) -> Iterator[bytes]:
        if member.method == STORED:
            yield from self._packed(member)
            return
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        # One byte more than declared is enough to notice that there is more.
        most = min(member.size + 1, _CHUNK)
        try:
            for packed in self._packed(member):
                rest = packed
                if decompressor.eof:
                    raise self._damaged(f"{member.name} ends before its data do")
                while rest and not decompressor.eof:
                    yield decompressor.decompress(rest, most)
                    rest = decompressor.unconsumed_tail
            # What zlib still holds back after the last input.
            while not decompressor.eof and (chunk := decompressor.decompress(b"", most)):
                yield chunk
        except zlib.error as error:
            raise self._damaged(f"{member.name} cannot be inflated ({error})") from error
        if decompressor.unused_data:
            raise self._damaged(f"{member.name} ends before its data do")

    def _packed(self, member: Member) -> Iterator[bytes]:
        """The member's bytes as they lie in the archive, its local header checked on the way."""
        ahead = LOCAL_HEADER + len(member.raw) + 64
        block = self._at(member.offset, ahead + min(member.packed, _CHUNK))
        try:
            start = data_start(member, block)
        except WheelDamaged as error:
            raise self._damaged(str(error)) from error
        end = member.offset + start + member.packed
        # Members follow each other; what lies between would be seen by those who only stream.
        gap = self._following[member.offset] - end
        if gap and not (member.flags & 0x8 and gap in _DESCRIPTORS):
            raise self._damaged(f"something lies hidden behind {member.name}")
        first = block[start : start + member.packed]
        yield first
        position = member.offset + start + len(first)
        while position < end:
            block = self._at(position, min(end - position, _CHUNK))
            if not block:
                raise self._damaged(f"it ends in the middle of {member.name}")
            yield block
            position += len(block)

    def _directory(self) -> tuple[Member, ...]:
        length = min(self._length, _LONGEST_END)
        start = self._length - length
        try:
            directory = find_directory(self._at(start, length), start=start)
            members = tuple(members_of(self._at(directory.offset, directory.size), directory))
        except WheelDamaged as error:
            raise self._damaged(str(error)) from error
        offsets = sorted(member.offset for member in members)
        if offsets and offsets[0] != 0:
            raise self._damaged("something lies before its first entry")
        if len(set(offsets)) != len(offsets):
            raise self._damaged("two of its entries are one")
        self._following = dict(zip(offsets, (*offsets[1:], directory.offset), strict=True))
        total = sum(member.size for member in members)
        if total > max(FREE_SIZE, LARGEST_RATIO * self._length):
            raise self._damaged(
                f"unpacked it is {total >> 20:,} MiB large, {total // self._length} times its size"
            )
        return members

    def _at(self, position: int, length: int) -> bytes:
        self._stream.seek(position)
        return self._stream.read(length)

    def _damaged(self, how: str) -> InstallError:
        return InstallError(
            f"The wheel {self._label} is damaged: {how}.",
            code="wheel-damaged",
            path=self._label,
            why="The download was cut short, or the file is bad where it comes from.",
            fix=AGAIN,
        )
