"""Installed files as RECORD lists them: looked at, a system call for each, or read and compared."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from venvman.environment.inventory import Installed, Inventory, MetadataKind
from venvman.environment.record import RecordRow, encode_digest, locate, parse_record
from venvman.model.errors import Command, Fix, Problem
from venvman.model.frozen import dataclass
from venvman.system.files import permit
from venvman.system.reading import read_regular, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.model.names import NormalizedName

RECREATE = Command.venvman("sync", "--recreate")
# What an installer writes into a wheel's scripts is the first line; RECORDs of old pips hold the
# hash of the script as it was in the wheel (https://github.com/pypa/pip/issues/10744).
_PLACEHOLDERS = (b"#!python\n", b"#!pythonw\n")
_LONGEST_SHEBANG = 4096
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One distribution with the text of its RECORD; paths are absolute, ``site`` is relative.

    ``rows`` are path and size, as they are written: of tens of thousands no more is looked at.
    """

    installed: Installed
    text: str
    rows: tuple[tuple[str, str], ...]
    root: str
    site: str

    @property
    def lists_itself(self) -> bool:
        """Whether the RECORD is among what it lists, as it is unless it was cut off."""
        return f"{self.installed.metadata.name}/RECORD" in self.text

    @property
    def is_elsewhere(self) -> bool:
        """Whether the folder of packages is a link out of the environment."""
        return self.site.startswith("../")

    def locate(self, path: str) -> str | None:
        """The absolute path that a row means, None outside the environment."""
        inside = locate(path, site=self.site, root=self.root)
        return None if inside is None else f"{self.root}/{inside}"


Read = tuple[Recorded, list[str], tuple[Problem, ...]]


def as_recorded(each: Recorded, files: set[str]) -> Iterator[str]:
    """Those of ``files`` that are as the RECORD of ``each`` has them."""
    for row in parse_record(each.text).rows if files else ():
        absolute = each.locate(row.path) if row.hash is not None else None
        if absolute in files and _is_as_recorded(absolute, row):
            yield absolute


def damaged(inventory: Inventory, root: Path) -> frozenset[NormalizedName]:
    """What lacks files that its RECORD lists in the environment at ``root``, or has them cut off.

    A file that two bring is whole where it is that of one of them.
    """
    everything = tuple(read_records(inventory, root))
    looked = [(each, look_at(each)) for each in everything]
    files = {file for _, found in looked for file in found.shrunk}
    owned = {file for each in everything for file in as_recorded(each, files)}
    return frozenset(
        each.installed.name
        for each, found in looked
        if found.missing or not owned.issuperset(found.shrunk)
    )


def read_records(inventory: Inventory, environment: Path) -> Iterator[Recorded]:
    """Each distribution that has a RECORD which can be read."""
    root = os.path.realpath(environment)
    sites: dict[Path, str] = {}
    for each in inventory.distributions:
        if each.kind is not MetadataKind.DIST_INFO:
            continue
        try:
            text = read_regular(each.metadata / "RECORD").decode("utf-8", "surrogateescape")
        except OSError:
            continue  # VM406 says so
        folder = each.metadata.parent
        if folder not in sites:
            relative = os.path.relpath(os.path.realpath(folder), root)
            sites[folder] = relative.replace(os.sep, "/")
        rows = tuple(_paths_of(text))
        yield Recorded(installed=each, text=text, rows=rows, root=root, site=sites[folder])


# A regular file that everybody may read and not everybody may write to: nearly all are.
_KIND = stat.S_IFMT(0o170000) | stat.S_IRUSR | stat.S_IROTH | stat.S_IWOTH
_USUAL = stat.S_IFREG | stat.S_IRUSR | stat.S_IROTH


class Looked(NamedTuple):
    """What a look at each file of a RECORD shows: absolute paths, but for ``outside``.

    ``unusable`` are files of another kind or mode, what they are, and what fixes it. ``shrunk``
    have another size than recorded, ``writable`` everybody may write to.
    ``fault`` is a clause about the RECORD itself.
    """

    total: int
    missing: list[str]
    outside: list[str]
    unusable: list[tuple[str, str, Fix]]
    shrunk: list[str]
    writable: list[str]
    links: list[str]
    facts: list[int]
    fault: str | None


def look_at(each: Recorded) -> Looked:
    """What can be told of the files of ``each`` without reading any."""
    site = each.installed.metadata.parent
    found = Looked(0, [], [], [], [], [], [], [], None)
    total, odd = 0, []
    note = found.facts.extend
    # Looking from an open folder saves the system the way down to it for every file: a fifth.
    descriptor = os.open(site, os.O_RDONLY)
    try:
        for row in each.rows:
            path, size = row
            if path.endswith(".pyc"):
                continue
            try:
                status = os.lstat(path, dir_fd=descriptor)
            except (OSError, ValueError):
                odd.append(row)
                continue
            length = status.st_size
            usual = status.st_mode & _KIND == _USUAL and size == str(length)
            if usual and path[0] not in "/." and ".." not in path:
                total += 1
                note((status.st_ino, length, status.st_mtime_ns, status.st_ctime_ns))
            else:
                odd.append(row)
    finally:
        os.close(descriptor)
    for path, size in odd:
        total += _look_closer(found, each, path, size)
    own = "/RECORD" in each.text or "/METADATA" in each.text
    fault = None
    if any("\0" in path for path, _ in odd):
        fault = "holds a path that cannot be one"
    elif not own and each.installed.damage is None:
        fault = "does not list itself, so it was cut off"
    return found._replace(total=total, fault=fault)


def _look_closer(found: Looked, each: Recorded, path: str, size: str) -> int:
    """Notes what is odd about ``path``; how many files more there should be."""
    own = path.startswith(f"{each.installed.metadata.name}/")
    if "\0" in path or (each.installed.damage is not None and own):
        return 0  # VM504 or VM406 says so
    absolute: str | None = f"{each.installed.metadata.parent}/{path}"
    if path.startswith(("/", "..")) or "/.." in path:
        absolute = each.locate(path)
    if absolute is None:
        found.outside.append(path)
        return 0
    try:
        status: os.stat_result | None = os.lstat(absolute)
    except OSError:
        status = None
    if status is not None and stat.S_ISLNK(status.st_mode):
        found.links.append(absolute)
        try:
            status = Path(absolute).stat()
        except OSError:
            status = None
    if status is not None:
        _check(found, each, absolute, status, size)
    elif path.endswith(("__pycache__", "/")):
        return 0  # folders of bytecode, which virtualenv lists and Python makes
    else:
        found.missing.append(absolute)
    return 1


def _check(found: Looked, each: Recorded, absolute: str, status: os.stat_result, size: str) -> None:
    mode, length = status.st_mode, status.st_size
    found.facts.extend((status.st_ino, length, status.st_mtime_ns, status.st_ctime_ns))
    file = Path(absolute)
    if mode & stat.S_IWOTH and stat.S_ISREG(mode) and os.name != "nt":
        found.writable.append(absolute)
    if stat.S_ISDIR(mode):
        if size:
            found.unusable.append((absolute, "is a folder", RECREATE))
    elif not stat.S_ISREG(mode):
        found.unusable.append((absolute, "is no regular file", RECREATE))
    elif not mode & stat.S_IRUSR or not (mode & stat.S_IROTH or os.access(absolute, os.R_OK)):
        fix = permit("u+r", file)
        found.unusable.append((absolute, "cannot be read", fix))
    elif _is_script(absolute, each) and not mode & stat.S_IXUSR and _is_to_run(absolute, each):
        fix = permit("+x", file)
        found.unusable.append((absolute, "cannot be executed", fix))
    elif size.isdecimal() and int(size) != status.st_size > 0 and _is_script(absolute, each):
        pass  # of another first line than in the wheel
    elif size.isdecimal() and int(size) != status.st_size:
        found.shrunk.append(absolute)


def _is_script(absolute: str, each: Recorded) -> bool:
    """Whether it may have another first line than in the wheel, whose size RECORD may hold."""
    return absolute.startswith(f"{each.root}/bin/")


def _is_to_run(absolute: str, each: Recorded) -> bool:
    """Whether its installer made it executable: pip leaves a wheel's own scripts as they are."""
    if each.installed.installer != "pip":
        return True
    text = text_of(each.installed.metadata / "entry_points.txt")
    name = re.escape(absolute.rpartition("/")[2])
    return re.search(rf"^\s*{name}\s*=", text, re.MULTILINE) is not None


def _paths_of(text: str) -> Iterable[tuple[str, str]]:
    """The first and the last column: path and size. Of tens of thousands no more is looked at."""
    if '"' in text:
        rows = parse_record(text).rows
        return [(row.path, "" if row.size is None else str(row.size)) for row in rows]
    return [
        (path, line.rpartition(",")[2])
        for line in text.splitlines()
        if (path := line.partition(",")[0])
    ]


def verify(each: Recorded) -> Read:
    """The absolute paths of files that are there with other bytes, and the RECORD's bad lines."""
    rows, problems = parse_record(each.text)
    pairs = ((row, each.locate(row.path)) for row in rows if row.hash is not None)
    changed = [
        absolute for row, absolute in pairs if absolute and not _is_as_recorded(absolute, row)
    ]
    return each, changed, problems


def _is_as_recorded(absolute: str, row: RecordRow) -> bool:
    algorithm, _, expected = (row.hash or "").partition("=")
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        return True  # nothing that could be computed here
    expected = expected.rstrip("=")
    try:
        with Path(absolute).open("rb") as stream:
            first, rest = stream.readline(_LONGEST_SHEBANG), stream.tell()
            # Read in pieces: one file of a wheel can be larger than this process should be.
            if _digest(algorithm, b"", stream, start=0) == expected:
                return True
            return first.startswith(b"#!") and any(
                _digest(algorithm, placeholder, stream, start=rest) == expected
                for placeholder in _PLACEHOLDERS
            )
    except OSError:
        return True  # what is missing, a folder or unreadable is another finding


def _digest(algorithm: str, begin: bytes, stream: BinaryIO, *, start: int) -> str:
    """The digest, as RECORD writes it, of ``begin`` and what ``stream`` holds from ``start`` on."""
    digest = hashlib.new(algorithm, begin, usedforsecurity=False)
    stream.seek(start)
    while piece := stream.read(_PIECE):
        digest.update(piece)
    return encode_digest(digest.digest()).partition("=")[2]
