"""Finding METADATA in a wheel of which only the end is at hand. Pure: bytes in, bytes out.

The central directory of a zip archive (PKWARE's APPNOTE) stands at its end and says where every
entry begins. :mod:`zipfile` wants the whole file and makes an object for each of its entries; a
resolver wants one entry of many wheels.
"""

from __future__ import annotations

import re
import struct
import zlib

from venvman.frozen import dataclass

__all__ = [
    "Directory",
    "Entry",
    "WheelDamaged",
    "extent",
    "find_directory",
    "find_metadata",
    "read_entry",
]

_END = struct.Struct("<4s4H2LH")  # end of central directory
_CENTRAL = struct.Struct("<4s6H3L5H2L")  # header of one entry in the directory
_LOCAL = struct.Struct("<4s5H3L2H")  # header of one entry before its data
_METADATA = re.compile(rb"[^/]+\.dist-info/METADATA")
_ZIP64 = 0xFFFFFFFF
_LARGEST_METADATA = 32 * 1024 * 1024
LOCAL_HEADER = _LOCAL.size


class WheelDamaged(ValueError):
    """The bytes are no zip archive, or one without exactly one METADATA; half a sentence."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory is: offset from the start of the file, and bytes."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: where its local header begins, and what the directory says about its data."""

    name: str
    offset: int
    method: int
    compressed: int
    size: int
    crc: int


def find_directory(tail: bytes) -> Directory:
    """Reads the end record in the last bytes of a file.

    Raises:
        WheelDamaged: it is not there, or in the form for archives above 4 GiB.
    """
    position = tail.rfind(b"PK\5\6")
    if position < 0 or len(tail) - position < _END.size:
        raise WheelDamaged("its zip directory is missing")
    size, offset = _END.unpack_from(tail, position)[5:7]
    if _ZIP64 in (size, offset):
        raise WheelDamaged("its zip directory is of the 64-bit form")
    return Directory(offset, size)


def find_metadata(directory: bytes) -> Entry:
    """The one ``*.dist-info/METADATA`` at the top of the archive.

    Raises:
        WheelDamaged: none, several, or the directory is broken.
    """
    found: list[Entry] = []
    position = 0
    while position < len(directory):
        try:
            row = _CENTRAL.unpack_from(directory, position)
        except struct.error as error:
            raise WheelDamaged("its zip directory is cut") from error
        if row[0] != b"PK\1\2":
            raise WheelDamaged("its zip directory is broken")
        name_size, extra_size, comment_size = row[10:13]
        start = position + _CENTRAL.size
        name = directory[start : start + name_size]
        if name.endswith(b".dist-info/METADATA") and _METADATA.fullmatch(name):
            found.append(_entry(name, row))
        position = start + name_size + extra_size + comment_size
    if len(found) != 1:
        raise WheelDamaged(f"it holds {len(found) or 'no'} METADATA files, not one")
    return found[0]


def read_entry(entry: Entry, piece: bytes, start: int) -> bytes | None:
    """The content of ``entry``, given ``piece`` of the file from offset ``start`` on.

    None where the piece does not reach far enough: see :func:`extent`.

    Raises:
        WheelDamaged: what is there is not what the directory says.
    """
    begin = entry.offset - start
    if begin < 0 or begin + LOCAL_HEADER > len(piece):
        return None
    row = _LOCAL.unpack_from(piece, begin)
    if row[0] != b"PK\3\4":
        raise WheelDamaged("its METADATA is not where the directory says")
    data = begin + LOCAL_HEADER + row[9] + row[10]
    if data + entry.compressed > len(piece):
        return None
    return _inflated(entry, piece[data : data + entry.compressed])


def extent(entry: Entry) -> tuple[int, int]:
    """The first and the last byte of the file that are sure to hold ``entry`` whole.

    How long the local header's extra field is, only the header itself says: 256 bytes are allowed.
    """
    reach = LOCAL_HEADER + len(entry.name.encode()) + 256 + entry.compressed
    return entry.offset, entry.offset + reach - 1


def _entry(name: bytes, row: tuple[int, ...]) -> Entry:
    method, crc, compressed, size, offset = row[4], row[7], row[8], row[9], row[16]
    if _ZIP64 in (compressed, size, offset) or size > _LARGEST_METADATA:
        raise WheelDamaged("its METADATA is larger than 32 MiB")
    return Entry(name.decode("utf-8", "replace"), offset, method, compressed, size, crc)


def _inflated(entry: Entry, data: bytes) -> bytes:
    if entry.method == 0:
        content = data
    elif entry.method == 8:
        try:
            content = zlib.decompressobj(-15).decompress(data, entry.size + 1)
        except zlib.error as error:
            raise WheelDamaged(f"its METADATA cannot be unpacked ({error})") from error
    else:
        raise WheelDamaged(f"its METADATA is packed by the unknown method {entry.method}")
    if len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise WheelDamaged("its METADATA has another checksum than the directory says")
    return content
