"""Unpacking a wheel: every name checked before the first byte is written, every file hashed.

Module-level functions over plain values, so that a worker process can be handed the work.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from venvman.environment.record import encode_digest, parse_record
from venvman.index.filenames import parse_wheel_name
from venvman.model.errors import Advice, InstallError, Problem, other_version
from venvman.model.metadata import EntryPoint, EntryPointInvalid, name_and_version, parse_scripts
from venvman.model.names import canonical
from venvman.store.manifest import Manifest
from venvman.store.wheelfile import WheelArchive

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.index.zipdirectory import Member

_SHOWN = 10
_DEEPEST, _LONGEST = 100, 4000
"""No file system takes much longer paths, and no honest archive has deeper ones."""
_STRONGER = frozenset({"sha384", "sha512"})
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def unpack_wheel(wheel: str, folder: str, *, mtime_ns: int) -> Manifest:
    """Unpacks the file ``wheel`` into the new folder ``folder``; every file gets ``mtime_ns``.

    RECORD is checked and left out: installing makes one of its own. Files are 0755 where the
    archive says that they are executable, else 0644.

    Raises:
        InstallError: one of ``wheel-filename``, ``wheel-damaged``, ``wheel-entry-unsafe``,
            ``wheel-entry-twice``, ``wheel-dist-info``, ``wheel-version``, ``wheel-name``,
            ``wheel-entry-points``, ``wheel-record``.
        OSError: reading or writing failed; ``folder`` is then the caller's to remove.
    """
    filename = os.path.basename(wheel)
    with WheelArchive(wheel) as archive:
        members = _checked(archive.members, filename)
        facts = _read_facts(archive, members, filename)
        written = _write_all(archive, members, folder, facts=facts, mtime_ns=mtime_ns)
    differing = [
        Problem(
            code="wheel-record",
            message=f"{each.path} in {filename} is not what its RECORD says.",
            path=filename,
            text=f"recorded {facts.recorded[each.path]}, found {each.hash}",
            why="The wheel was changed after it was built, or built wrongly.",
            fix=_fix(filename),
        )
        for each in written
        if each.differs
    ]
    if differing:
        raise _rejected(filename, differing)
    return Manifest(
        filename=filename,
        name=facts.name,
        version=facts.version,
        info=facts.info,
        root_is_purelib=facts.root_is_purelib,
        mtime_ns=mtime_ns,
        paths=tuple(each.path for each in written),
        sizes=tuple(each.size for each in written),
        hashes=tuple(each.hash for each in written),
        executable=frozenset(index for index, each in enumerate(written) if each.executable),
        entry_points=facts.entry_points,
    )


class _Facts(NamedTuple):
    """What a wheel says about itself. ``recorded`` maps paths to the hashes of its RECORD."""

    filename: str
    name: str
    version: str
    info: str
    root_is_purelib: bool
    entry_points: tuple[EntryPoint, ...]
    recorded: dict[str, str]


class _Written(NamedTuple):
    path: str
    size: int
    hash: str
    executable: bool
    differs: bool


def _checked(members: Iterable[Member], filename: str) -> list[Member]:
    """The files among ``members``; a wheel with one bad name is refused whole."""
    files: list[Member] = []
    seen: set[str] = set()
    problems: list[Problem] = []
    for member in members:
        unsafe = _unsafe(member)
        if unsafe is not None:
            problems.append(_problem("wheel-entry-unsafe", filename, member.name, unsafe))
        elif member.name.endswith("/"):
            continue
        elif member.name in seen:
            problems.append(_problem("wheel-entry-twice", filename, member.name, "is there twice"))
        else:
            seen.add(member.name)
            files.append(member)
    if problems:
        raise _rejected(filename, problems)
    return files


def _unsafe(member: Member) -> str | None:
    """Why ``member`` must not be unpacked, as the end of a sentence; None if nothing is wrong."""
    name = member.name
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        return "is an absolute path"
    if name.count("/") > _DEEPEST or len(name) > _LONGEST:
        return "is nested too deeply"
    if "\\" in name or "\0" in name:
        return "is not a portable path"
    if not {".", "..", ""}.isdisjoint(name.removesuffix("/").split("/")):
        return "leads out of its folder" if ".." in name else "is not a plain path"
    kind = stat.S_IFMT(member.mode)
    if kind == stat.S_IFLNK:
        return "is a symbolic link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a device"
    return None


def _read_facts(archive: WheelArchive, members: list[Member], filename: str) -> _Facts:
    by_name = {member.name: member for member in members}
    info = _info_folder(by_name, filename)

    def text(leaf: str) -> str:
        try:
            return archive.read(by_name[f"{info}/{leaf}"]).decode()
        except UnicodeDecodeError as error:
            raise _unfit(filename, "wheel-dist-info", f"its {leaf} is not UTF-8") from error

    head = archive.read(by_name[f"{info}/METADATA"])
    name, version = _same_distribution(*name_and_version(head), info=info, filename=filename)
    scripts: tuple[EntryPoint, ...] = ()
    if f"{info}/entry_points.txt" in by_name:
        scripts = _scripts(text("entry_points.txt"), filename)
    recorded = {
        row.path: row.hash
        for row in parse_record(text("RECORD"), path=f"{info}/RECORD").rows
        if row.hash is not None
    }
    return _Facts(
        filename=filename,
        name=name,
        version=version,
        info=info,
        root_is_purelib=_root_is_purelib(text("WHEEL"), filename),
        entry_points=scripts,
        recorded=recorded,
    )


def _info_folder(names: Iterable[str], filename: str) -> str:
    names = frozenset(names)
    tops = {name.partition("/")[0] for name in names if "/" in name}
    found = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(found) != 1:
        count = (
            f"{len(found)} .dist-info folders ({', '.join(found)})" if found else "no .dist-info"
        )
        raise _unfit(filename, "wheel-dist-info", f"it has {count} instead of one")
    missing = [
        leaf for leaf in ("METADATA", "WHEEL", "RECORD") if f"{found[0]}/{leaf}" not in names
    ]
    if missing:
        raise _unfit(filename, "wheel-dist-info", f"{found[0]} has no {' and no '.join(missing)}")
    return found[0]


def _same_distribution(
    name: str | None, version: str | None, *, info: str, filename: str
) -> tuple[str, str]:
    """Name and version of METADATA, after they were found to be those of the file's name."""
    expected = parse_wheel_name(filename)
    if expected is None:
        raise _unfit(filename, "wheel-filename", "a wheel's name has five or six parts")
    if name is None or version is None:
        raise _unfit(filename, "wheel-dist-info", "its METADATA names no distribution and version")
    for said in (name, info.removesuffix(".dist-info").partition("-")[0]):
        if canonical(said) != expected.name:
            raise _unfit(filename, "wheel-name", f"it holds {said}, not {expected.name}")
    if not _same_version(version, expected.version):
        raise _unfit(filename, "wheel-name", f"it holds version {version}, not {expected.version}")
    return name, version


def _same_version(one: str, other: str) -> bool:
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        # File names escape what a version may not hold.
        return re.sub(r"[^\w.]+", "_", one) == re.sub(r"[^\w.]+", "_", other)


def _root_is_purelib(text: str, filename: str) -> bool:
    fields: dict[str, str] = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.*?)\s*$", text))
    version = fields.get("Wheel-Version", "")
    major = version.partition(".")[0]
    if not major.isdigit():
        raise _unfit(filename, "wheel-version", "its WHEEL file names no version of the format")
    if int(major) > 1:
        raise _unfit(
            filename, "wheel-version", f"it uses version {version} of the format, known is 1"
        )
    return fields.get("Root-Is-Purelib", "").lower() == "true"


def _scripts(text: str, filename: str) -> tuple[EntryPoint, ...]:
    try:
        return parse_scripts(text)
    except EntryPointInvalid as error:
        raise InstallError(
            f"The wheel {filename} cannot be used: line {error.line} of its entry_points.txt"
            f" {error}.",
            code="wheel-entry-points",
            path=filename,
            line=error.line,
            text=error.text,
            fix=_fix(filename),
        ) from error


def _write_all(
    archive: WheelArchive, members: list[Member], folder: str, *, facts: _Facts, mtime_ns: int
) -> list[_Written]:
    made: set[str] = set()
    os.mkdir(folder)
    written = []
    for member in members:
        parent, _, leaf = member.name.rpartition("/")
        if parent == facts.info and leaf == "RECORD":
            continue
        try:
            _make_folders(folder, parent, made)
            written.append(_write(archive, member, folder, facts=facts, mtime_ns=mtime_ns))
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            # A file where a folder must be; or, where case does not count, two names for one file.
            problem = _problem(
                "wheel-entry-twice", facts.filename, member.name, "collides with another entry"
            )
            raise _rejected(facts.filename, [problem]) from error
    return written


def _make_folders(root: str, folder: str, made: set[str]) -> None:
    """Makes ``folder`` below ``root``, each level once."""
    if not folder or folder in made:
        return
    _make_folders(root, folder.rpartition("/")[0], made)
    os.mkdir(f"{root}/{folder}")
    made.add(folder)


def _write(
    archive: WheelArchive, member: Member, folder: str, *, facts: _Facts, mtime_ns: int
) -> _Written:
    algorithm, _, expected = facts.recorded.get(member.name, "").partition("=")
    sha256 = hashlib.sha256()
    hashers = [sha256]
    if algorithm in _STRONGER:
        hashers.append(hashlib.new(algorithm))
    executable = bool(stat.S_ISREG(member.mode) and member.mode & 0o111)
    path = f"{folder}/{member.name}"
    descriptor = os.open(path, _NEW, 0o777 if executable else 0o666)
    try:
        hashed = algorithm == "sha256" or algorithm in _STRONGER
        for chunk in archive.chunks(member, checked=not hashed):
            for hasher in hashers:
                hasher.update(chunk)
            written = os.write(descriptor, chunk)
            while written < len(chunk):
                written += os.write(descriptor, chunk[written:])
        # Whoever fills the store is not whom it is linked for: not by this umask.
        os.chmod(path, 0o755 if executable else 0o644)
        os.utime(descriptor, ns=(mtime_ns, mtime_ns))
    finally:
        os.close(descriptor)
    digest = encode_digest(sha256.digest())
    found = digest
    if algorithm in _STRONGER:
        found = algorithm + encode_digest(hashers[1].digest()).removeprefix("sha256")
    differs = hashed and found != f"{algorithm}={expected.rstrip('=')}"
    return _Written(member.name, member.size, digest, executable, differs)


def _problem(code: str, filename: str, entry: str, what: str) -> Problem:
    return Problem(
        code=code,
        message=f"The entry {entry!r} of {filename} {what}.",
        path=filename,
        text=entry,
        why="Nothing was unpacked: such a wheel could write over files that are not its own.",
        fix=_fix(filename),
    )


def _rejected(filename: str, problems: list[Problem]) -> InstallError:
    count = f" ({len(problems)} errors)" if len(problems) > 1 else ""
    first = problems[0]
    return InstallError(
        f"The wheel {filename} is refused{count}: {first.message[0].lower()}{first.message[1:]}",
        code=first.code,
        problems=problems[:_SHOWN],
        path=filename,
        why=first.why,
        fix=first.fix,
    )


def _unfit(filename: str, code: str, why: str) -> InstallError:
    return InstallError(
        f"The wheel {filename} cannot be used: {why}.",
        code=code,
        path=filename,
        why="The file does not follow the wheel format; it was built or named wrongly.",
        fix=_fix(filename),
    )


def _fix(filename: str) -> Advice:
    return other_version(canonical(filename.partition("-")[0]))
