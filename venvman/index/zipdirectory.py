"""The directory of a zip archive, read as strictly as any reader of wheels does. Pure.

The central directory (PKWARE's APPNOTE, sections 4.3.7 to 4.3.16) stands at the end of an archive
and says where every entry begins. :mod:`zipfile` wants the whole file and spends half of an
unpacking's time on generality that wheels do not need; a resolver wants one entry of many wheels
of which only the end is at hand.

What two readers might understand differently is refused, whichever of them is right: a scanner
would see other content than what is installed.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
STORED, DEFLATED = 0, 8
_ENCRYPTED, _DESCRIBED_LATER, _UTF8 = 0x1, 0x8, 0x800
_ZIP64, _ZIP64_COUNT = 0xFFFFFFFF, 0xFFFF
_UNICODE_PATH = 0x7075
_LARGEST_METADATA = 32 * 1024 * 1024
LOCAL_HEADER = _LOCAL.size


class WheelDamaged(ValueError):
    """The bytes are no zip archive, or one that readers may disagree about; half a sentence."""


class Directory(NamedTuple):
    """Where the central directory is: offset from the start of the file, bytes, and entries."""

    offset: int
    size: int
    entries: int


class Member(NamedTuple):
    """One line of the directory. ``mode`` holds the POSIX mode bits, 0 if not given."""

    name: str
    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int


def find_directory(tail: bytes, *, start: int) -> Directory:
    """Reads the end record in the last bytes of a file, which begin at ``start`` in it.

    Raises:
        WheelDamaged: it is not there, or contradicts itself.
    """
    position = tail.rfind(b"PK\5\6")
    if position < 0 or position + _END.size > len(tail):
        raise WheelDamaged("its zip directory is missing: it is no zip archive, or was cut short")
    _, disks, count, size, offset, comment = _end_of(tail, position)
    if position + _END.size + comment != len(tail):
        raise WheelDamaged("something follows the archive's end")
    earlier = tail.rfind(b"PK\5\6", 0, position)
    while earlier >= 0:
        if earlier + _END.size + _end_of(tail, earlier)[5] == len(tail):
            raise WheelDamaged("it has two ends, one of them in a comment")
        earlier = tail.rfind(b"PK\5\6", 0, earlier)
    end = start + position
    locator = position - _END64_LOCATOR.size
    found = Directory(offset, size, count)
    if locator >= 0 and tail[locator : locator + 4] == b"PK\6\7":
        found, end = _end64(tail, start, locator, found)
    elif _ZIP64 in (size, offset) or count == _ZIP64_COUNT:
        raise WheelDamaged("its directory's 64-bit end is missing")
    if disks:
        raise WheelDamaged("its parts are spread over several files, or its counts differ")
    if found.offset + found.size != end:
        raise WheelDamaged("its directory does not reach to the archive's end")
    return found


def members_of(block: bytes, directory: Directory) -> Iterator[Member]:
    """The entries of ``block``, the bytes of ``directory``, in its order.

    Raises:
        WheelDamaged: it is cut, holds more or less than it counts, or an entry contradicts itself.
    """
    if len(block) != directory.size:
        raise WheelDamaged("its directory is cut short")
    position = 0
    for _ in range(directory.entries):
        if position + _CENTRAL.size > len(block):
            raise WheelDamaged("its directory is cut short")
        member, position = _member(block, position, directory.offset)
        yield member
    if position != len(block):
        raise WheelDamaged("its directory holds more than it counts")


def find_metadata(block: bytes, directory: Directory) -> Member:
    """The one ``*.dist-info/METADATA`` at the top of the archive.

    Raises:
        WheelDamaged: none, several, or the directory is broken.
    """
    found = [each for each in members_of(block, directory) if _METADATA.fullmatch(each.name)]
    if len(found) != 1:
        raise WheelDamaged(f"it holds {len(found) or 'no'} METADATA files, not one")
    if found[0].size > _LARGEST_METADATA:
        raise WheelDamaged("its METADATA is larger than 32 MiB")
    return found[0]


def data_start(member: Member, block: bytes) -> int:
    """Where in ``block``, which begins with the local header of ``member``, its data begin.

    Raises:
        WheelDamaged: the header is cut, or says something else than the directory.
    """
    if len(block) < _LOCAL.size:
        raise WheelDamaged(f"it ends before {member.name}")
    fields = _LOCAL.unpack_from(block)
    name = block[_LOCAL.size : _LOCAL.size + fields[9]]
    same = fields[0] == b"PK\3\4" and name == member.raw and fields[3] == member.method
    if not same or (fields[2] ^ member.flags) & (_ENCRYPTED | _UTF8 | _DESCRIBED_LATER):
        raise WheelDamaged(f"its directory and its content disagree about {member.name}")
    for here, expected in zip(fields[6:9], (member.crc, member.packed, member.size), strict=True):
        later = member.flags & _DESCRIBED_LATER and here == 0
        if here not in (expected, _ZIP64) and not later:
            raise WheelDamaged(f"its directory and its content disagree about {member.name}")
    begin: int = _LOCAL.size + fields[9] + fields[10]
    if begin > len(block):
        raise WheelDamaged(f"the header of {member.name} is too long")
    return begin


def read_entry(entry: Member, piece: bytes, start: int) -> bytes | None:
    """The content of ``entry``, given ``piece`` of the file from offset ``start`` on.

    None where the piece does not reach far enough: see :func:`extent`.

    Raises:
        WheelDamaged: what is there is not what the directory says.
    """
    begin = entry.offset - start
    if begin < 0 or begin + LOCAL_HEADER > len(piece):
        return None
    names = _LOCAL.unpack_from(piece, begin)[9:11]
    if begin + LOCAL_HEADER + sum(names) + entry.packed > len(piece):
        return None
    data = begin + data_start(entry, piece[begin:])
    return _inflated(entry, piece[data : data + entry.packed])


def extent(entry: Member) -> tuple[int, int]:
    """The first and the last byte of the file that are sure to hold ``entry`` whole.

    How long the local header's extra field is, only the header itself says: 256 bytes are allowed.
    """
    reach = LOCAL_HEADER + len(entry.raw) + 256 + entry.packed
    return entry.offset, entry.offset + reach - 1


def _end_of(tail: bytes, position: int) -> tuple[bytes, bool, int, int, int, int]:
    """Signature, whether disks or counts differ, count, size, offset, length of the comment."""
    if position + _END.size > len(tail):
        return b"", False, 0, 0, 0, -1
    signature, disk, first, here, count, size, offset, comment = _END.unpack_from(
        tail.ljust(position + _END.size), position
    )
    return signature, bool(disk or first or here != count), count, size, offset, comment


def _end64(tail: bytes, start: int, locator: int, narrow: Directory) -> tuple[Directory, int]:
    """The directory as the 64-bit end has it, and where that end begins."""
    _, disk, offset, disks = _END64_LOCATOR.unpack_from(tail, locator)
    at = offset - start
    if at < 0 or at + _END64.size > len(tail) or tail[at : at + 4] != b"PK\6\6":
        raise WheelDamaged("its directory's end is not where it says")
    _, size, _, _, number, first, here, count, length, begin = _END64.unpack_from(tail, at)
    wide = Directory(begin, length, count)
    if at + 12 + size != locator or disk or disks != 1 or number or first or here != count:
        raise WheelDamaged("its directory's 64-bit end contradicts itself")
    limits = (_ZIP64, _ZIP64, _ZIP64_COUNT)
    if any(n not in (w, most) for n, w, most in zip(narrow, wide, limits, strict=True)):
        raise WheelDamaged("its directory has two ends that differ")
    return wide, offset


def _member(block: bytes, position: int, end: int) -> tuple[Member, int]:
    fields = _CENTRAL.unpack_from(block, position)
    signature, _, _, flags, method, _, _, crc, packed, size = fields[:10]
    name_length, extra_length, comment_length = fields[10:13]
    mode, offset = fields[15] >> 16, fields[16]
    start = position + _CENTRAL.size
    following = start + name_length + extra_length + comment_length
    raw = block[start : start + name_length]
    if signature != b"PK\1\2" or following > len(block):
        raise WheelDamaged("its directory is damaged")
    if flags & _ENCRYPTED:
        raise WheelDamaged("it is encrypted")
    name = _decoded(raw, flags)
    if method not in (STORED, DEFLATED):
        raise WheelDamaged(f"{name} is compressed by method {method}")
    extra = block[start + name_length : start + name_length + extra_length]
    if extra:
        _refuse_other_name(extra, raw)
    if _ZIP64 in (packed, size, offset):
        size, packed, offset = _wide(extra, size, packed, offset)
    if method == STORED and packed != size:
        raise WheelDamaged(f"{name} has two sizes")
    if offset + LOCAL_HEADER + packed > end:
        raise WheelDamaged("its directory points beyond its end")
    if name.endswith("/") and size:
        raise WheelDamaged(f"its folder {name} has a content")
    return Member(name, raw, flags, method, crc, packed, size, offset, mode), following


def _wide(extra: bytes, *narrow: int) -> tuple[int, int, int]:
    """Sizes and offset of 64 bits, from the extra field 1 (APPNOTE 4.5.3)."""
    for kind, content in _extras(extra):
        if kind == 1:
            wanted = [value == _ZIP64 for value in narrow]
            if len(content) < 8 * sum(wanted):
                break
            wide = iter(struct.unpack_from(f"<{sum(wanted)}Q", content))
            size, packed, offset = (
                next(wide) if is_wide else value
                for is_wide, value in zip(wanted, narrow, strict=True)
            )
            return size, packed, offset
    raise WheelDamaged("its directory lacks a size")


def _refuse_other_name(extra: bytes, raw: bytes) -> None:
    """Some readers take the name from the extra field 0x7075 (APPNOTE 4.6.9)."""
    for kind, content in _extras(extra):
        if kind == _UNICODE_PATH and content[5:] != raw:
            raise WheelDamaged("an entry has two names")


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if len(extra) < 4 + length:
            return
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


def _decoded(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError as error:
        raise WheelDamaged("a name in it is not UTF-8") from error


def _inflated(entry: Member, data: bytes) -> bytes:
    content = data
    if entry.method == DEFLATED:
        try:
            content = zlib.decompressobj(-15).decompress(data, entry.size + 1)
        except zlib.error as error:
            raise WheelDamaged(f"its METADATA cannot be unpacked ({error})") from error
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise WheelDamaged("its METADATA has another checksum than the directory says")
    return content
