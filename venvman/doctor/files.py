"""VM5: are the files still there that each RECORD lists, and (if asked) still what they were.

That they are there is always looked at: one system call for a file. Their contents are read only
for ``Examination.verify_files``.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
import zlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from venvman.doctor import codes
from venvman.environment.inspection import Environment
from venvman.environment.inventory import MetadataKind
from venvman.environment.record import encode_digest, locate, parse_record
from venvman.errors import Command
from venvman.files import permit
from venvman.frozen import dataclass
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.environment.inventory import Installed, Inventory
    from venvman.environment.neighbours import Neighbour
    from venvman.environment.record import RecordRow
    from venvman.errors import Fix, Problem
    from venvman.names import NormalizedName

_FIX = Command.venvman("sync", "--recreate")
_MEND_UNNOTICED = replace(
    Command.venvman("cache", "verify").then("sync", "--recreate"), always=True
)
# What an installer writes into a wheel's scripts is the first line; RECORDs of old pips hold the
# hash of the script as it was in the wheel (https://github.com/pypa/pip/issues/10744).
_PLACEHOLDERS = (b"#!python\n", b"#!pythonw\n")
_LONGEST_SHEBANG = 4096
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One distribution with the text of its RECORD; paths are absolute, ``site`` is relative."""

    installed: Installed
    text: str
    root: str
    site: str

    @property
    def is_elsewhere(self) -> bool:
        """Whether the folder of packages is a link out of the environment."""
        return self.site.startswith("../")

    def locate(self, path: str) -> str | None:
        """The absolute path that a row means, None outside the environment."""
        inside = locate(path, site=self.site, root=self.root)
        return None if inside is None else f"{self.root}/{inside}"


def state(examination: Examination) -> Iterator[Finding]:
    """What is wrong with the files that each RECORD lists."""
    everything = tuple(recorded(examination))
    looked = [_looked(each) for each in everything]
    yield from _presence(examination, everything, looked)
    if examination.verify_files:
        yield from _contents(examination, everything, looked)


def _presence(
    examination: Examination, everything: tuple[Recorded, ...], looked: Sequence[_Looked]
) -> Iterator[Finding]:
    """Files that a RECORD lists and that are gone, cannot be used, or lie where none may reach."""
    yield from _elsewhere(examination, everything)
    shrunk: list[tuple[Recorded, list[str]]] = []
    writable: list[str] = []
    for each, found in zip(everything, looked, strict=True):
        name = each.installed.name
        record = examination.display(each.installed.metadata / "RECORD")
        if found.missing:
            yield codes.FILE_MISSING(
                f"{len(found.missing)} of the {found.total} files of {name} "
                f"{('is' if len(found.missing) == 1 else 'are')} missing, first "
                f"{examination.display(Path(found.missing[0]))}.",
                package=name,
                path=examination.display(Path(found.missing[0])),
                fix=again(examination, name),
            )
        for link in (*found.links, *_linked_tops(each)):
            if _leads_out(link, each):
                shown = examination.display(Path(link))
                yield codes.FILE_CHANGED(
                    f"{shown} of {name} is a link to {os.path.realpath(link)}, outside the "
                    "environment.",
                    package=name,
                    path=shown,
                    fix=_FIX,
                )
        for path, what, fix in found.unusable:
            shown = examination.display(Path(path))
            yield codes.FILE_CHANGED(
                f"{shown} of {name} {what}.", package=name, path=shown, fix=fix
            )
        if found.outside and not each.is_elsewhere:
            yield codes.FILE_OUTSIDE(
                f"The RECORD of {name} lists {found.outside[0]}, which lies outside the "
                "environment; venvman will never touch it.",
                package=name,
                path=record,
                fix=_FIX,
            )
        edited = examination.edited(each.installed)
        if edited is not None and found.fault is None:
            yield codes.RECORD_FAULTY(
                f"The RECORD of {name} was changed after the installation: it has another hash of "
                f"{edited} than the wheel.",
                package=name,
                path=record,
                fix=again(examination, name),
            )
        if found.fault is not None:
            yield codes.RECORD_FAULTY(
                f"The RECORD of {name} {found.fault}.", package=name, path=record, fix=_FIX
            )
        writable += found.writable
        if found.shrunk and not examination.verify_files:
            shrunk.append((each, found.shrunk))
    yield from _open_to_all(examination, writable)
    yield from _changed_files(examination, everything, shrunk)


def _open_to_all(examination: Examination, writable: list[str]) -> Iterator[Finding]:
    """Files that every user of the machine may change, all in one finding."""
    if writable:
        first = examination.display(Path(writable[0]))
        yield codes.FILE_WRITABLE(
            f"{len(writable)} installed file{'s' if len(writable) > 1 else ''} can be changed by "
            f"every user of this machine, first {first}.",
            path=first,
            fix=permit("o-w", examination.root, below=True),
        )


def _elsewhere(examination: Examination, everything: Iterable[Recorded]) -> Iterator[Finding]:
    """Folders for packages that are links to somewhere else: nothing in them is this one's."""
    for folder in dict.fromkeys(
        each.installed.metadata.parent for each in everything if each.is_elsewhere
    ):
        shown = examination.display(folder)
        yield codes.FILE_OUTSIDE(
            f"{shown} leads to {os.path.realpath(folder)}, outside the environment.",
            path=shown,
            fix=_FIX,
        )


def _contents(
    examination: Examination, everything: tuple[Recorded, ...], looked: Sequence[_Looked]
) -> Iterator[Finding]:
    """Files whose bytes are no longer those that were installed.

    What was seen to be right and has had the same inodes, sizes and times since is not read again.
    """
    from concurrent.futures import ThreadPoolExecutor

    known = examination.verified
    facts = {
        str(each.installed.metadata): _fact(each, found)
        for each, found in zip(everything, looked, strict=True)
    }
    youngest = {
        str(each.installed.metadata): max((*found.facts[2::4], *found.facts[3::4]), default=0)
        for each, found in zip(everything, looked, strict=True)
    }
    unread = [
        each
        for each in everything
        if known.get(path := str(each.installed.metadata)) != facts[path]
    ]
    damaged: list[tuple[Recorded, list[str]]] = []
    settled = time.time_ns() - _YOUNG_NS
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for each, changed, problems in pool.map(_verified, unread):
            yield from _faulty_lines(examination, each.installed, problems)
            if changed:
                damaged.append((each, changed))
            elif not problems and youngest[str(each.installed.metadata)] < settled:
                known[str(each.installed.metadata)] = facts[str(each.installed.metadata)]
    yield from _changed_files(examination, everything, damaged)


def _fact(each: Recorded, found: _Looked) -> str:
    """The same as long as RECORD, and inode, size and times of every file in it, are."""
    return f"{zlib.crc32(each.text.encode('utf-8', 'surrogateescape'))} {hash(tuple(found.facts))}"


# In the grain of a file system's clock, which may be two seconds, a change leaves no trace.
_YOUNG_NS = 2_000_000_000


def _changed_files(
    examination: Examination,
    everything: Iterable[Recorded],
    damaged: list[tuple[Recorded, list[str]]],
) -> Iterator[Finding]:
    """A finding for each of ``damaged``, but for files that are those of another owner."""
    if not damaged:
        return
    files = {file for _, changed in damaged for file in changed}
    owned = {file for each in everything for file in _as_recorded(each, files)}
    damaged = [(each, [file for file in changed if file not in owned]) for each, changed in damaged]
    sharing = examination.sharing(Path(file) for _, changed in damaged for file in changed)
    for each, changed in damaged:
        if changed:
            others = [other for file in changed for other in sharing.get(Path(file), ())]
            yield _changed(examination, each, changed, others)


def _as_recorded(each: Recorded, files: set[str]) -> Iterator[str]:
    """Those of ``files`` that are as the RECORD of ``each`` has them."""
    for row in parse_record(each.text).rows if files else ():
        absolute = each.locate(row.path) if row.hash is not None else None
        if absolute in files and _is_as_recorded(absolute, row):
            yield absolute


def _changed(
    examination: Examination, each: Recorded, changed: list[str], sharing: list[Neighbour]
) -> Finding:
    name, first = each.installed.name, examination.display(Path(changed[0]))
    others = sorted({str(other.path) for other in sharing} - {each.root})
    return codes.FILE_CHANGED(
        f"{len(changed)} of the files of {name} {'was' if len(changed) == 1 else 'were'} changed "
        f"after the installation, first {first}.{_also_in(others)}",
        package=name,
        path=first,
        fix=_MEND_UNNOTICED if _looks_untouched(changed, each) else again(examination, name),
    )


def again(examination: Examination, name: NormalizedName) -> Command:
    """Installs ``name`` again; all of the environment where no lock names it."""
    if any(entry.name == name for entry in examination.entries or ()):
        return Command.venvman("sync", "--reinstall", name)
    return _FIX


def _also_in(others: list[str]) -> str:
    """A sentence more where the file is other environments', too."""
    if not others:
        return ""
    count = "another environment" if len(others) == 1 else f"{len(others)} other environments"
    return f" Hard links make it the same in {count}, to be fixed, too: {', '.join(others)}."


def _looks_untouched(files: list[str], each: Recorded) -> bool:
    """Whether a file that the store may share has the time of the installation, in spite of all.

    Then linking it again would not notice anything.
    """
    try:
        installed = (each.installed.metadata / "METADATA").lstat().st_mtime_ns
        found = [os.lstat(file) for file in files]
    except OSError:
        return False
    return any(each.st_nlink > 1 and each.st_mtime_ns == installed for each in found)


def damaged(inventory: Inventory, root: Path) -> frozenset[NormalizedName]:
    """What lacks files that its RECORD lists in the environment at ``root``, or has them cut off.

    A file that two bring is whole where it is that of one of them.
    """
    everything = tuple(_records(inventory, root))
    looked = [(each, _looked(each)) for each in everything]
    files = {file for _, found in looked for file in found.shrunk}
    owned = {file for each in everything for file in _as_recorded(each, files)}
    return frozenset(
        each.installed.name
        for each, found in looked
        if found.missing or not owned.issuperset(found.shrunk)
    )


def recorded(examination: Examination) -> Iterator[Recorded]:
    """Each distribution that has a RECORD which can be read."""
    if examination.inventory is not None and isinstance(examination.condition, Environment):
        yield from _records(examination.inventory, examination.condition.root)


def _records(inventory: Inventory, environment: Path) -> Iterator[Recorded]:
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
        yield Recorded(installed=each, text=text, root=root, site=sites[folder])


def _linked_tops(each: Recorded) -> set[str]:
    """The folders of ``each`` in site-packages that are links."""
    site = each.installed.metadata.parent
    links = _links_in(site)
    paths = (path for path, _ in paths_of(each.text)) if links else ()
    return {f"{site}/{path.partition('/')[0]}" for path in paths if path.partition("/")[0] in links}


def _links_in(folder: Path) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries if entry.is_symlink() and entry.is_dir()}


def _leads_out(link: str, each: Recorded) -> bool:
    """Whether ``link`` goes out of the environment; some installers link all, metadata too."""
    linked = each.is_elsewhere or (each.installed.metadata / "METADATA").is_symlink()
    return not linked and not os.path.realpath(link).startswith(f"{each.root}/")


class _Looked(NamedTuple):
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


def _looked(each: Recorded) -> _Looked:
    site, info = str(each.installed.metadata.parent), f"{each.installed.metadata.name}/"
    found = _Looked(0, [], [], [], [], [], [], [], None)
    total, own, fault = 0, False, None
    with _opened(site) as look:
        for path, size in paths_of(each.text):
            if path.endswith(".pyc"):
                continue
            if "\0" in path:
                fault = "holds a path that cannot be one"
                continue
            own = own or path.endswith(("/RECORD", "/METADATA"))
            if each.installed.damage is not None and path.startswith(info):
                continue  # VM406 says so
            if not (path.startswith(("/", "..")) or "/.." in path) and os.name != "nt":
                absolute, inside = f"{site}/{path}", path
            else:
                located = each.locate(path)
                if located is None:
                    found.outside.append(path)
                    continue
                absolute = inside = located
            total += 1
            status = look(inside)
            if status is not None and stat.S_ISLNK(status.st_mode):
                found.links.append(absolute)
                status = _target(absolute)
            if status is not None:
                _check(found, each, absolute, status, size)
            elif path.endswith(("__pycache__", "/")):
                total -= 1  # folders of bytecode, which virtualenv lists and Python makes
            else:
                found.missing.append(absolute)
    if fault is None and not own and each.installed.damage is None:
        fault = "does not list itself, so it was cut off"
    return found._replace(total=total, fault=fault)


# A regular file that everybody may read and not everybody may write to: nearly all are.
_KIND = stat.S_IFMT(0o170000) | stat.S_IRUSR | stat.S_IROTH | stat.S_IWOTH
_USUAL = stat.S_IFREG | stat.S_IRUSR | stat.S_IROTH


def _target(link: str) -> os.stat_result | None:
    try:
        return Path(link).stat()
    except OSError:
        return None  # what is there and leads nowhere is no file that Python could read


def _check(
    found: _Looked, each: Recorded, absolute: str, status: os.stat_result, size: str
) -> None:
    mode, length = status.st_mode, status.st_size
    found.facts.extend((status.st_ino, length, status.st_mtime_ns, status.st_ctime_ns))
    if mode & _KIND == _USUAL and size == str(length) and "/bin/" not in absolute:
        return
    file = Path(absolute)
    if mode & stat.S_IWOTH and stat.S_ISREG(mode) and os.name != "nt":
        found.writable.append(absolute)
    if stat.S_ISDIR(mode):
        if size:
            found.unusable.append((absolute, "is a folder", _FIX))
    elif not stat.S_ISREG(mode):
        found.unusable.append((absolute, "is no regular file", _FIX))
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
    try:
        text = read_regular(each.installed.metadata / "entry_points.txt").decode("utf-8", "replace")
    except OSError:
        return False
    name = re.escape(absolute.rpartition("/")[2])
    return re.search(rf"^\s*{name}\s*=", text, re.MULTILINE) is not None


def paths_of(text: str) -> Iterable[tuple[str, str]]:
    """The first and the last column: path and size. Of tens of thousands no more is looked at."""
    if '"' in text:
        rows = parse_record(text).rows
        return [(row.path, "" if row.size is None else str(row.size)) for row in rows]
    return [
        (path, line.rpartition(",")[2])
        for line in text.splitlines()
        if (path := line.partition(",")[0])
    ]


@contextmanager
def _opened(folder: str) -> Iterator[Callable[[str], os.stat_result | None]]:
    """A function that gives the status of a path relative to ``folder``; None if it is gone.

    A link is not followed.

    Looking from an open folder saves the system the way down to it for every file: a fifth.
    """
    descriptor = os.open(folder, os.O_RDONLY) if os.stat in os.supports_dir_fd else None

    def look(path: str) -> os.stat_result | None:
        try:
            if descriptor is None:
                return Path(folder, path).lstat()
            return os.lstat(path, dir_fd=descriptor)
        except OSError:
            return None

    try:
        yield look
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _verified(each: Recorded) -> tuple[Recorded, list[str], tuple[Problem, ...]]:
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


def _faulty_lines(
    examination: Examination, installed: Installed, problems: tuple[Problem, ...]
) -> Iterator[Finding]:
    for problem in problems:
        yield codes.RECORD_FAULTY(
            f"The RECORD of {installed.name} cannot be trusted. {problem.message}",
            package=installed.name,
            path=examination.display(installed.metadata / "RECORD"),
            line=problem.line,
            fix=_FIX,
        )
