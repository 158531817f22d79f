"""VM4 and VM5: what was built, or written when it was installed, for another Python or system."""

from __future__ import annotations

import ast
import os
import re
import shlex
import struct
import sys
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from venvman.doctor import codes
from venvman.doctor.files import again
from venvman.environment.directurl import DirectUrlInvalid, read_direct_url
from venvman.environment.inventory import MetadataKind
from venvman.model.errors import Advice
from venvman.model.metadata import EntryPoint, EntryPointInvalid, parse_scripts
from venvman.model.sources import DirectorySource, Source
from venvman.system.reading import read_regular, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.doctor.recorded import Recorded

    Needs = tuple[tuple[str, ...], tuple[str, ...]]


def wheels(examination: Examination) -> Iterator[Finding]:
    """Wheels none of whose tags this Python takes."""
    if examination.target is None:
        return
    supported = set(examination.target.tags)
    for each in examination.distributions:
        tags = _tags(each.metadata / "WHEEL") if each.kind is MetadataKind.DIST_INFO else set()
        if tags and not tags & supported:
            yield codes.WHEEL_FOREIGN(
                f"{each.name} is from a wheel for {', '.join(sorted(tags))}, which is not what "
                f"this Python {examination.target.python} takes.",
                package=each.name,
                path=examination.display(each.metadata),
                fix=again(examination, each.name),
            )


def _tags(path: Path) -> set[str]:
    from packaging.tags import parse_tag

    lines = text_of(path).splitlines()
    written = [line.partition(":")[2].strip() for line in lines if line.startswith("Tag:")]
    if not all(tag.count("-") == 2 for tag in written):
        return set()
    return {str(tag) for text in written for tag in parse_tag(text)}


def legacy(examination: Examination) -> Iterator[Finding]:
    """Distributions of a time before wheels."""
    for each in examination.distributions:
        if each.kind in (MetadataKind.EGG_INFO_FOLDER, MetadataKind.EGG_INFO_FILE):
            yield codes.METADATA_LEGACY(
                f"{each.name} was installed as an egg: no RECORD lists its files.",
                package=each.name,
                path=examination.display(each.metadata),
                fix=again(examination, each.name),
            )


def scripts(examination: Examination) -> Iterator[Finding]:
    """Scripts that installers wrote, and that start the Python of somewhere else."""
    if examination.environment is None:
        return
    folder = examination.environment.paths.scripts
    own = os.path.realpath(folder)
    for each in examination.recorded:
        for script in _scripts(each.installed.metadata):
            path = folder / script.name
            python = _python_of(path)
            if python is not None and os.path.realpath(python.parent) != own:
                shown = examination.display(path)
                yield codes.SCRIPT_FOREIGN(
                    f"{shown} starts {python}, not the Python of this environment.",
                    package=each.installed.name,
                    path=shown,
                    fix=again(examination, each.installed.name),
                )


def _scripts(metadata: Path) -> tuple[EntryPoint, ...]:
    try:
        return parse_scripts(text_of(metadata / "entry_points.txt"))
    except EntryPointInvalid:
        return ()


def _python_of(script: Path) -> Path | None:
    """The interpreter that ``script`` names by a full path, None if it is no Python."""
    first, second = [*text_of(script)[:4096].splitlines(), "", ""][:2]
    if not first.startswith("#!"):
        return None
    path = Path(first[2:].strip())
    # A path that is long or has blanks is behind a shell: '''exec' "PATH" "$0" "$@"
    if str(path) == "/bin/sh" and second.startswith("'''exec' "):
        try:
            path = Path(shlex.split(second)[1])
        except (ValueError, IndexError):
            return None
    return path if path.is_absolute() and path.name.startswith(("python", "pypy")) else None


def targets(examination: Examination) -> Iterator[Finding]:
    """Scripts of editable packages whose module or function has gone from the folder."""
    for each in examination.recorded:
        folder = _folder_of(each.installed.source)
        if folder is None:
            continue
        yield from _gone(examination, each)
        site = each.installed.metadata.parent
        named = tuple(map(Path, mapped(site, (path for path, _ in each.rows if ".pth" in path))))
        for script in _scripts(each.installed.metadata):
            lost = _lost(folder, named, script)
            if lost is not None:
                yield codes.ENTRY_POINT_BROKEN(
                    f"The script {script.name} of {each.installed.name} calls "
                    f"{script.module}:{script.attribute}, but {lost}.",
                    package=each.installed.name,
                    path=examination.display(each.installed.metadata / "entry_points.txt"),
                    fix=Advice("Bring it back, or name another one in the package's metadata."),
                )


def _gone(examination: Examination, each: Recorded) -> Iterator[Finding]:
    """Where a ``.pth`` file or a finder of an editable package leads to, and nothing is."""
    site = each.installed.metadata.parent
    for target in mapped(site, [path for path, _ in each.rows]):
        if not any(os.path.lexists(f"{target}{end}") for end in ("", ".py")):
            yield codes.ENTRY_POINT_BROKEN(
                f"{each.installed.name} is imported from {target}, which is gone.",
                package=each.installed.name,
                path=examination.display(each.installed.metadata),
                fix=Advice("Bring it back, or sync when the project says where it is now."),
            )


def mapped(site: Path, paths: Iterable[str]) -> Iterator[str]:
    """The folders that the ``.pth`` files and finders among ``paths`` of an editable lead to."""
    for path in paths:
        if not path.endswith((".pth", "_finder.py")) or "/" in path:
            continue
        text = text_of(site / path)
        if path.endswith(".pth"):
            yield from (line for line in text.splitlines() if line.startswith("/"))
        elif (match := _MAPPING.search(text)) is not None:
            with suppress(ValueError, SyntaxError):
                yield from map(str, ast.literal_eval(match[1]).values())


_MAPPING = re.compile(r"^MAPPING\b[^=\n]*= (\{.*\})$", re.MULTILINE)


def _folder_of(source: Source) -> Path | None:
    """The folder from which an editable package is imported."""
    if not isinstance(source, DirectorySource) or not source.editable:
        return None
    return Path(source.folder)


def called_files(metadata: Path) -> Iterator[Path]:
    """What is looked at for the scripts of an editable package with this folder of metadata."""
    try:
        folder = _folder_of(read_direct_url(read_regular(metadata / "direct_url.json")))
    except (OSError, DirectUrlInvalid):
        return
    if folder is not None:
        site = metadata.parent
        for target in mapped(site, os.listdir(site)):  # noqa: PTH208 - names
            yield from (Path(f"{target}{end}") for end in ("", ".py"))
        for script in _scripts(metadata):
            top = script.module.partition(".")[0]
            yield from (root / top for root in (folder, folder / "src"))
            yield from _modules(folder, script)


def _modules(folder: Path, script: EntryPoint) -> tuple[Path, ...]:
    """Where the module that ``script`` calls may be."""
    inner = script.module.replace(".", "/")
    roots = (folder, folder / "src")
    return tuple(root / f"{inner}{end}" for root in roots for end in (".py", "/__init__.py"))


def _lost(folder: Path, named: tuple[Path, ...], script: EntryPoint) -> str | None:
    """A clause, None if all is there or cannot be known without importing it.

    ``named`` are the folders that ``.pth`` files say it is imported from.
    """
    inner = script.module.replace(".", "/")
    top = inner.partition("/")[0]
    roots = [root for root in (folder, folder / "src") if (root / top).is_dir()]
    roots += [root for root in (folder, folder / "src") if (root / f"{top}.py").is_file()]
    if not roots and named and all(each.is_dir() for each in named):
        there_is = any(True for each in named for _ in each.glob(f"{top}*"))
        return None if there_is else f"there is no module {top}"
    if not roots:
        return None  # laid out in a way that only its build backend knows
    there = [file for file in _modules(folder, script) if file.is_file()]
    if not there:
        return None if any(roots[0].glob(f"{inner}.*")) else f"there is no module {script.module}"
    try:
        text = read_regular(there[0]).decode("utf-8", "replace")
    except OSError:
        return None
    name = script.attribute.partition(".")[0]
    if re.search(rf"\b(?:{name}|__getattr__|globals)\b|import \*", text):
        return None
    return f"{there[0].name} has no {name}"


_NEEDED, _STRTAB, _RPATH, _RUNPATH, _STRSZ = 1, 5, 15, 29, 10
_LOAD, _DYNAMIC = 1, 2
_LARGEST = 1 << 24
"""Of tables that are read whole; those of real files are far smaller."""
_USUAL = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_CONFIGURED = ("/etc/ld.so.conf", *map(str, sorted(Path("/etc/ld.so.conf.d").glob("*.conf"))))


# Extension modules whose shared libraries are not there, by ELF or Mach-O files; nothing is run.
# What the loaders do is taken from the gABI and dyld(1): a library is looked for in RUNPATH (or
# RPATH), in the loader's folders, and counts as found where any file of its name lies in the
# environment, too: many packages load their own libraries before the modules that need them.


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
