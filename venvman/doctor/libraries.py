"""VM5: extension modules whose shared libraries are not there, by ELF or Mach-O; nothing is run.

What the loaders do is taken from the gABI and dyld(1): a library is looked for in RUNPATH (or
RPATH), in the loader's folders, and counts as found where any file of its name lies in the
environment, too: many packages load their own libraries before the modules that need them.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from venvman.doctor import codes
from venvman.doctor.files import again
from venvman.system.reading import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding

    Needs = tuple[tuple[str, ...], tuple[str, ...]]

_NEEDED, _STRTAB, _RPATH, _RUNPATH, _STRSZ = 1, 5, 15, 29, 10
_LOAD, _DYNAMIC = 1, 2
_LARGEST = 1 << 24
"""Of tables that are read whole; those of real files are far smaller."""
_USUAL = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_CONFIGURED = ("/etc/ld.so.conf", *map(str, sorted(Path("/etc/ld.so.conf.d").glob("*.conf"))))


def libraries(examination: Examination) -> Iterator[Finding]:
    """Only where contents are asked for: each module is opened."""
    if not examination.verify_files or examination.environment is None:
        return
    everything = examination.recorded
    files = [
        (each, path)
        for each in everything
        for path, _ in each.rows
        if ".so" in path or path.endswith(".dylib")
    ]
    base = examination.environment.interpreter.prefix
    around = (str(base / "lib"), *examination.library_folders, *_folders())
    stamp = _stamp((*(f"{each.installed.metadata.parent}/{path}" for each, path in files), *around))
    if examination.verified.get("libraries") == stamp:
        return
    beside = {path.rpartition("/")[2] for _, path in files}
    whole = True
    for each, path in files:
        absolute = each.locate(path)
        if absolute is None or not path.endswith(".so"):
            continue
        names, folders = needed_by(Path(absolute))
        here = os.path.dirname(absolute)  # noqa: PTH120
        near = [_placed(folder, here) for folder in folders]
        near += around
        lost = [
            name
            for name in names
            if name.rpartition("/")[2] not in beside
            and not any(os.path.exists(os.path.join(one, _placed(name, here))) for one in near)  # noqa: PTH110, PTH118
        ]
        if lost and _is_known():
            whole = False
            yield codes.LIBRARY_MISSING(
                f"{examination.display(Path(absolute))} needs {', '.join(lost)}, which is "
                "not on this system.",
                package=each.installed.name,
                path=examination.display(Path(absolute)),
                fix=again(examination, each.installed.name),
            )
    if whole:
        examination.verified["libraries"] = stamp


def _stamp(files: Iterable[str]) -> str:
    """The same as long as these files and folders are."""
    facts = []
    for path in files:
        try:
            found = os.lstat(path)
        except OSError:
            continue
        facts.append((path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    return str(zlib.crc32(repr(facts).encode("utf-8", "surrogateescape")))


@cache
def _folders() -> tuple[str, ...]:
    """Where the loader looks: the usual folders, and those that the system's files name."""
    found = list(_USUAL)
    for file in _CONFIGURED:
        found += [line.strip() for line in text_of(file).splitlines() if line.startswith("/")]
    found += [str(each) for top in ("/lib", "/usr/lib") for each in Path(top).glob("*-linux-*")]
    return tuple(found)


@cache
def _is_known() -> bool:
    """Whether this system's C library lies where it is looked for; else nothing can be said."""
    return sys.platform == "darwin" or any(
        Path(folder, "libc.so.6").exists() for folder in _folders()
    )


def needed_by(path: Path) -> Needs:
    """The libraries that the file at ``path`` needs, ELF or Mach-O, and its own folders.

    Both empty where it is none of 64 bits, or cut off: that is another finding.
    """
    try:
        with path.open("rb") as stream:
            return _dynamic(stream) or _loaded(stream) or ((), ())
    except (OSError, struct.error, ValueError, OverflowError):
        return (), ()


def _placed(path: str, here: str) -> str:
    """``path`` with the folder of the file that it stands in."""
    return path.replace("${ORIGIN}", here).replace("$ORIGIN", here)


_FAT, _THIN = 0xCAFEBABE, {b"\xcf\xfa\xed\xfe": "<", b"\xfe\xed\xfa\xcf": ">"}
_LOAD_DYLIB, _REEXPORT_DYLIB, _MACH_RPATH = 0xC, 0x8000001F, 0x8000001C
# dyld has these in a cache of its own, and not on the disk.
_OF_MACOS = ("/usr/lib/", "/System/", "@executable_path/")


def _loaded(stream: BinaryIO) -> Needs | None:
    """What a Mach-O file needs, written as ELF files do: by ``$ORIGIN``, or a name to be found."""
    start = 0
    if struct.unpack(">I", _at(stream, 0, 4))[0] == _FAT:
        (start,) = struct.unpack(">I", _at(stream, 16, 4))  # of the first of several
    order = _THIN.get(_at(stream, start, 4))
    if order is None:
        return None
    count, size = struct.unpack(f"{order}II", _at(stream, start + 16, 8))
    commands = _at(stream, start + 32, size)
    names, folders, at = [], [], 0
    for _ in range(count):
        kind, length, offset = struct.unpack_from(f"{order}III", commands, at)
        if kind in (_LOAD_DYLIB, _REEXPORT_DYLIB):
            names.append(_word(commands, at + offset))
        elif kind == _MACH_RPATH:
            folders.append(_word(commands, at + offset))
        at += max(length, 8)
    names = [name.removeprefix("@rpath/") for name in names if not name.startswith(_OF_MACOS)]
    return _from_origin(names), _from_origin(folders)


def _from_origin(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path.replace("@loader_path", "$ORIGIN") for path in paths)


def _dynamic(stream: BinaryIO) -> Needs | None:
    head = stream.read(64)
    if len(head) < 64 or head[:5] != b"\x7fELF\x02" or head[5] not in (1, 2):
        return None
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
