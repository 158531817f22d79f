"""Archives that pip, uv and venvman might read differently: refused, whichever reader is right."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.wheels import make_wheel
from venvman.index.metadata import metadata_of_wheel
from venvman.model.errors import InstallError
from venvman.store.unpack import unpack_wheel

END = 22


def parts(content: bytes) -> tuple[bytes, bytes, bytes]:
    """Entries, directory, end."""
    size, offset = struct.unpack_from("<2I", content, len(content) - END + 12)
    return content[:offset], content[offset : offset + size], content[-END:]


def ended(count: int, size: int, offset: int, *, comment: bytes = b"", here: int = -1) -> bytes:
    counts = (count if here < 0 else here, count)
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, *counts, size, offset, len(comment)) + comment


def rows(directory: bytes) -> list[bytes]:
    found, position = [], 0
    while position < len(directory):
        lengths = struct.unpack_from("<3H", directory, position + 28)
        found.append(directory[position : position + 46 + sum(lengths)])
        position += len(found[-1])
    return found


def counts_one_less(content: bytes) -> bytes:
    entries, directory, _ = parts(content)
    count = len(rows(directory)) - 1
    return entries + directory + ended(count, len(directory), len(entries))


def counts_differ(content: bytes) -> bytes:
    entries, directory, _ = parts(content)
    count = len(rows(directory))
    return entries + directory + ended(count, len(directory), len(entries), here=count - 1)


def has_two_directories(content: bytes) -> bytes:
    entries, directory, end = parts(content)
    return entries + directory + directory + end


def has_an_end_in_its_comment(content: bytes) -> bytes:
    entries, directory, end = parts(content)
    count, size, offset = len(rows(directory)), len(directory), len(entries)
    return entries + directory + ended(count, size, offset, comment=end)


def has_something_before(content: bytes) -> bytes:
    return b"#!/bin/sh\n" + content


def has_something_before_and_says_so(content: bytes) -> bytes:
    entries, directory, _ = parts(content)
    moved = b""
    for row in rows(directory):
        (offset,) = struct.unpack_from("<I", row, 42)
        moved += row[:42] + struct.pack("<I", offset + 10) + row[46:]
    count = len(rows(directory))
    return b"#!/bin/sh\n" + entries + moved + ended(count, len(moved), len(entries) + 10)


def has_something_behind(content: bytes) -> bytes:
    return content + b"\n"


def hides_an_entry(content: bytes) -> bytes:
    """Whoever streams sees one more than whoever reads the directory."""
    entries, directory, _ = parts(content)
    first, *rest = rows(directory)
    count = len(rest)
    del first
    return entries + b"".join(rest) + ended(count, sum(map(len, rest)), len(entries))


def hides_an_entry_behind_another(content: bytes) -> bytes:
    entries, directory, _ = parts(content)
    hidden = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 5, 0) + b"x.pth"
    count = len(rows(directory))
    return entries + hidden + directory + ended(count, len(directory), len(entries) + len(hidden))


def names_differ(content: bytes) -> bytes:
    entries, directory, end = parts(content)
    return entries + directory.replace(b"demo.py", b"DEMO.py") + end


def sizes_differ(content: bytes) -> bytes:
    return content[:22] + struct.pack("<I", 1) + content[26:]


def methods_differ(content: bytes) -> bytes:
    return content[:8] + b"\0" + content[9:]


def has_a_second_name(content: bytes) -> bytes:
    entries, directory, _ = parts(content)
    first, *rest = rows(directory)
    extra = struct.pack("<2HBI", 0x7075, 9, 1, 0) + b"evil"
    first = first[:30] + struct.pack("<H", len(extra)) + first[32:] + extra
    whole = b"".join((first, *rest))
    return entries + whole + ended(1 + len(rest), len(whole), len(entries))


def lacks_its_64_bit_end(content: bytes) -> bytes:
    entries, directory, _ = parts(content)
    return entries + directory + ended(0xFFFF, len(directory), len(entries))


def has_a_64_bit_end_that_differs(content: bytes) -> bytes:
    entries, directory, end = parts(content)
    count, size, offset = len(rows(directory)), len(directory), len(entries)
    wide = struct.pack(
        "<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count - 1, count - 1, size, offset
    )
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, offset + size, 1)
    return entries + directory + wide + locator + end


STRANGE = (
    counts_one_less,
    counts_differ,
    has_two_directories,
    has_an_end_in_its_comment,
    has_something_before,
    has_something_before_and_says_so,
    has_something_behind,
    hides_an_entry,
    hides_an_entry_behind_another,
    names_differ,
    sizes_differ,
    methods_differ,
    has_a_second_name,
    lacks_its_64_bit_end,
    has_a_64_bit_end_that_differs,
)


@pytest.mark.parametrize("strange", STRANGE, ids=lambda strange: strange.__name__)
def test_a_wheel_that_readers_may_disagree_about_is_refused(
    tmp_path: Path, strange: Callable[[bytes], bytes]
) -> None:
    wheel = make_wheel(tmp_path, "demo", files={"demo.py": "x = 1\n" * 9, "hidden.py": "y = 1\n"})
    wheel.write_bytes(strange(wheel.read_bytes()))
    with pytest.raises(InstallError) as caught:
        unpack_wheel(str(wheel), str(tmp_path / "unpacked"), mtime_ns=10**18)
    assert caught.value.code == "wheel-damaged"


@pytest.mark.parametrize("strange", STRANGE[:4], ids=lambda strange: strange.__name__)
def test_it_is_refused_before_its_metadata_count(
    tmp_path: Path, strange: Callable[[bytes], bytes]
) -> None:
    wheel = make_wheel(tmp_path, "demo")
    wheel.write_bytes(strange(wheel.read_bytes()))
    with pytest.raises(InstallError) as caught:
        metadata_of_wheel(wheel)
    assert caught.value.code == "wheel-damaged"


def test_entries_whose_sizes_follow_their_data_are_read(tmp_path: Path) -> None:
    source = make_wheel(tmp_path / "source", "demo")
    wheel = tmp_path / source.name

    class Pipe:
        """Cannot be sought in, so that sizes are written behind."""

        def __init__(self) -> None:
            self.stream = wheel.open("wb")

        def write(self, content: bytes) -> int:
            return self.stream.write(content)

        def flush(self) -> None:
            self.stream.flush()

    pipe = Pipe()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as new:  # type: ignore[call-overload]
        for name in old.namelist():
            new.writestr(name, old.read(name))
    pipe.stream.close()
    manifest = unpack_wheel(str(wheel), str(tmp_path / "unpacked"), mtime_ns=10**18)
    assert "demo.py" in manifest.paths


@pytest.mark.parametrize(
    ("path", "size", "said"),
    [
        ("demo.bin", 300 << 20, "times its size"),
        ("demo-1.0.dist-info/WHEEL", 70 << 20, "larger than 64 MiB"),
        ("/".join(["d"] * 1500) + "/x.py", 1, "nested too deeply"),
    ],
)
def test_what_would_fill_disk_memory_or_stack_is_refused(
    tmp_path: Path, path: str, size: int, said: str
) -> None:
    wheel = make_wheel(tmp_path, "demo", raw={path: b"\0" * size})
    with pytest.raises(InstallError, match=said):
        unpack_wheel(str(wheel), str(tmp_path / "unpacked"), mtime_ns=10**18)
