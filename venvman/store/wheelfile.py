"""A lean reader for the zip archives that wheels are.

:mod:`zipfile` spends half of an unpacking's time on generality that wheels do not need. This one
reads the central directory, inflates what it lists, trusts no size and no name, and stops at what
the directory declares. Names are judged by the caller.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from venvman.errors import Command, InstallError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Member", "WheelArchive"]

# PKWARE's APPNOTE.TXT, sections 4.3.7, 4.3.12, 4.3.14 to 4.3.16.
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800
_LONGEST_COMMENT = 0xFFFF
_ZIP64 = 0xFFFFFFFF
_CHUNK = 1 << 20


class Member(NamedTuple):
    """One line of the archive's directory. ``mode`` holds the POSIX mode bits, 0 if not given."""

    name: str
    raw: bytes
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int


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
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def read(self, member: Member) -> bytes:
        """The whole content of ``member``, which the caller knows to be small."""
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
        if member.method == _STORED:
            yield from self._packed(member)
            return
        if member.method != _DEFLATED:
            raise self._damaged(f"{member.name} is compressed by method {member.method}")
        decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
        # One byte more than declared is enough to notice that there is more.
        most = min(member.size + 1, _CHUNK)
        try:
            for packed in self._packed(member):
                rest = packed
                while rest and not decompressor.eof:
                    yield decompressor.decompress(rest, most)
                    rest = decompressor.unconsumed_tail
            # What zlib still holds back after the last input.
            while not decompressor.eof and (chunk := decompressor.decompress(b"", most)):
                yield chunk
        except zlib.error as error:
            raise self._damaged(f"{member.name} cannot be inflated ({error})") from error

    def _packed(self, member: Member) -> Iterator[bytes]:
        """The member's bytes as they lie in the archive, its local header checked on the way."""
        ahead = _LOCAL.size + len(member.raw) + 64
        block = self._at(member.offset, ahead + min(member.packed, _CHUNK))
        start = self._data_start(member, block)
        first = block[start : start + member.packed]
        yield first
        position = member.offset + start + len(first)
        end = member.offset + start + member.packed
        while position < end:
            block = self._at(position, min(end - position, _CHUNK))
            if not block:
                raise self._damaged(f"it ends in the middle of {member.name}")
            yield block
            position += len(block)

    def _data_start(self, member: Member, block: bytes) -> int:
        if len(block) < _LOCAL.size:
            raise self._damaged(f"it ends before {member.name}")
        fields = _LOCAL.unpack_from(block)
        name_length, extra_length = fields[9], fields[10]
        name = block[_LOCAL.size : _LOCAL.size + name_length]
        if fields[0] != b"PK\3\4" or name != member.raw:
            raise self._damaged(f"its directory and its content disagree about {member.name}")
        start: int = _LOCAL.size + name_length + extra_length
        if start > len(block):
            raise self._damaged(f"the header of {member.name} is too long")
        return start

    def _directory(self) -> tuple[Member, ...]:
        count, size, offset = self._end()
        block = self._at(offset, size) if offset + size <= self._length else b""
        members = []
        position = 0
        for _ in range(count):
            if position + _CENTRAL.size > len(block):
                raise self._damaged("its directory is cut short")
            member, position = self._member(block, position)
            members.append(member)
        return tuple(members)

    def _end(self) -> tuple[int, int, int]:
        """How many members there are, how long the directory is and where it starts."""
        tail_length = min(self._length, _END.size + _LONGEST_COMMENT)
        tail = self._at(self._length - tail_length, tail_length)
        found = tail.rfind(b"PK\5\6")
        if found < 0 or found + _END.size > len(tail):
            raise self._damaged("it is no zip archive, or was cut short")
        _, _, _, _, count, size, offset, comment = _END.unpack_from(tail, found)
        if found + _END.size + comment != len(tail):
            raise self._damaged("something follows the archive's end")
        locator = found - _END64_LOCATOR.size
        if locator >= 0 and tail[locator : locator + 4] == b"PK\6\7":
            return self._end64(_END64_LOCATOR.unpack_from(tail, locator)[2])
        return count, size, offset

    def _end64(self, offset: int) -> tuple[int, int, int]:
        block = self._at(min(offset, self._length), _END64.size)
        if len(block) < _END64.size or block[:4] != b"PK\6\6":
            raise self._damaged("its directory's end is not where it says")
        fields = _END64.unpack(block)
        return fields[7], fields[8], fields[9]

    def _member(self, block: bytes, position: int) -> tuple[Member, int]:
        fields = _CENTRAL.unpack_from(block, position)
        signature, _, _, flags, method, _, _, crc, packed, size = fields[:10]
        name_length, extra_length, comment_length = fields[10:13]
        mode, offset = fields[15] >> 16, fields[16]
        start = position + _CENTRAL.size
        raw = block[start : start + name_length]
        if signature != b"PK\1\2" or len(raw) != name_length:
            raise self._damaged("its directory is damaged")
        if flags & _ENCRYPTED:
            raise self._damaged("it is encrypted")
        extra = block[start + name_length : start + name_length + extra_length]
        if _ZIP64 in (packed, size, offset):
            size, packed, offset = self._wide(extra, size, packed, offset)
        if offset + packed > self._length:
            raise self._damaged("its directory points beyond its end")
        member = Member(self._decoded(raw, flags), raw, method, crc, packed, size, offset, mode)
        return member, start + name_length + extra_length + comment_length

    def _wide(self, extra: bytes, *narrow: int) -> tuple[int, int, int]:
        """Sizes and offset of 64 bits, from the extra field 1 (APPNOTE 4.5.3)."""
        while len(extra) >= 4:
            kind, length = struct.unpack_from("<2H", extra)
            if kind == 1:
                wanted = [value == _ZIP64 for value in narrow]
                if length < 8 * sum(wanted) or len(extra) < 4 + length:
                    break
                wide = iter(struct.unpack_from(f"<{sum(wanted)}Q", extra, 4))
                size, packed, offset = (
                    next(wide) if is_wide else value
                    for is_wide, value in zip(wanted, narrow, strict=True)
                )
                return size, packed, offset
            extra = extra[4 + length :]
        raise self._damaged("its directory lacks a size")

    def _at(self, position: int, length: int) -> bytes:
        self._stream.seek(position)
        return self._stream.read(length)

    def _decoded(self, raw: bytes, flags: int) -> str:
        try:
            return raw.decode("utf-8" if flags & _UTF8 else "cp437")
        except UnicodeDecodeError as error:
            raise self._damaged("a name in it is not UTF-8") from error

    def _damaged(self, how: str) -> InstallError:
        return InstallError(
            f"The wheel {self._label} is damaged: {how}.",
            code="wheel-damaged",
            path=self._label,
            why="The download was cut short, or the file is bad where it comes from.",
            fix=Command.venvman("sync"),
        )
