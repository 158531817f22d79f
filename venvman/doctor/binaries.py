"""VM5: extension modules whose shared libraries are not there. Read from ELF files; nothing is run.

What the loader does is taken from the gABI: a library is looked for in RUNPATH (or RPATH), in the
loader's folders, and counts as found where any file of its name lies in the environment, too: many
packages load their own libraries before the modules that need them.
"""

from __future__ import annotations

import os
import struct
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from venvman.doctor import codes
from venvman.doctor.files import again, paths_of, recorded
from venvman.environment.inspection import Environment
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding

_NEEDED, _STRTAB, _RPATH, _RUNPATH, _STRSZ = 1, 5, 15, 29, 10
_LOAD, _DYNAMIC = 1, 2
_LARGEST = 1 << 24
"""Of tables that are read whole; those of real files are far smaller."""
_USUAL = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_CONFIGURED = ("/etc/ld.so.conf", *map(str, sorted(Path("/etc/ld.so.conf.d").glob("*.conf"))))


def libraries(examination: Examination) -> Iterator[Finding]:
    """Only where contents are asked for: each module is opened."""
    if not examination.verify_files or not isinstance(examination.condition, Environment):
        return
    everything = tuple(recorded(examination))
    files = [
        (each, path) for each in everything for path, _ in paths_of(each.text) if ".so" in path
    ]
    beside = {path.rpartition("/")[2] for _, path in files}
    base = examination.condition.interpreter.prefix
    for each, path in files:
        place = each.place(path)
        if place is None or not path.endswith(".so"):
            continue
        names, folders = needed_by(Path(place))
        own = (folder.replace("${ORIGIN}", "$ORIGIN") for folder in folders)
        near = [folder.replace("$ORIGIN", os.path.dirname(place)) for folder in own]  # noqa: PTH120
        near += [str(base / "lib"), *examination.library_folders, *_folders()]
        lost = [
            name
            for name in names
            if name not in beside and not any(os.path.exists(f"{one}/{name}") for one in near)  # noqa: PTH110
        ]
        if lost and _is_known():
            yield codes.LIBRARY_MISSING(
                f"{examination.display(Path(place))} needs {', '.join(lost)}, which is not on this "
                "system.",
                package=each.installed.name,
                path=examination.display(Path(place)),
                fix=again(examination, each.installed.name),
            )


@cache
def _folders() -> tuple[str, ...]:
    """Where the loader looks: the usual places, and those that the system's files name."""
    found = list(_USUAL)
    for file in _CONFIGURED:
        try:
            lines = read_regular(file).decode("utf-8", "replace").splitlines()
        except OSError:
            continue
        found += [line.strip() for line in lines if line.startswith("/")]
    found += [str(each) for top in ("/lib", "/usr/lib") for each in Path(top).glob("*-linux-*")]
    return tuple(found)


@cache
def _is_known() -> bool:
    """Whether this system's C library lies where it is looked for; else nothing can be said."""
    return any(Path(folder, "libc.so.6").exists() for folder in _folders())


def needed_by(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the libraries that the ELF file at ``path`` needs, and its own folders.

    Both empty where it is no ELF file of 64 bits, or cut off: that is another finding.
    """
    try:
        with path.open("rb") as stream:
            return _dynamic(stream)
    except (OSError, struct.error, ValueError, OverflowError):
        return (), ()


def _dynamic(stream: BinaryIO) -> tuple[tuple[str, ...], tuple[str, ...]]:
    head = stream.read(64)
    if len(head) < 64 or head[:5] != b"\x7fELF\x02" or head[5] not in (1, 2):
        return (), ()
    order = "<" if head[5] == 1 else ">"
    (offset,) = struct.unpack_from(f"{order}Q", head, 32)
    size, count = struct.unpack_from(f"{order}HH", head, 54)
    segments = []
    for number in range(count):
        row = struct.unpack(f"{order}IIQQQQQQ", _at(stream, offset + number * size, 56))
        segments.append((row[0], row[2], row[3], row[5]))  # kind, offset, address, size
    tags: list[tuple[int, int]] = []
    for kind, start, _, length in segments:
        if kind == _DYNAMIC:
            tags += struct.iter_unpack(f"{order}qQ", _at(stream, start, length - length % 16))
    table = dict(reversed(tags))
    if _STRTAB not in table:
        return (), ()
    address = table[_STRTAB]
    starts = [
        start + address - begin
        for kind, start, begin, length in segments
        if kind == _LOAD and begin <= address < begin + length
    ]
    text = _at(stream, min(starts), table.get(_STRSZ, 0))
    names = tuple(_word(text, value) for tag, value in tags if tag == _NEEDED)
    lists = [_word(text, value) for tag, value in tags if tag in (_RPATH, _RUNPATH)]
    return names, tuple(folder for each in lists for folder in each.split(":") if folder)


def _at(stream: BinaryIO, offset: int, length: int) -> bytes:
    if length > _LARGEST:
        raise ValueError(length)
    stream.seek(offset)
    content = stream.read(length)
    if len(content) < length:
        raise ValueError(offset)
    return content


def _word(text: bytes, offset: int) -> str:
    return os.fsdecode(text[offset : text.index(b"\0", offset)])
