"""Unpacking source archives without trusting them.

Every member's name and link is judged before the first byte is written; an archive with one bad
member is refused whole, with all its bad members named.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import time
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from venvman.errors import Advice, InstallError, Problem
from venvman.store.wheelfile import FREE_SIZE, LARGEST_RATIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["SDIST_SUFFIXES", "is_sdist", "unpack_sdist"]

SDIST_SUFFIXES = (
    ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz",
    ".tar.lzma", ".zip",
)  # fmt: skip
"""What pip takes for a source archive; lzma in both its spellings is read by :mod:`tarfile`."""

_SHOWN = 5
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)


def is_sdist(filename: str) -> bool:
    """Whether ``filename`` ends like a source archive."""
    return filename.lower().endswith(SDIST_SUFFIXES)


def unpack_sdist(archive: Path, folder: Path) -> Path:
    """Unpacks ``archive`` into the empty or missing ``folder``; returns the project's root.

    The root is the archive's only top folder where it has one (PEP 625 demands it, archives that
    forges make have it), else ``folder``. Links that stay inside are kept (as text in a zip).

    Raises:
        InstallError: ``archive-unsafe`` (a member would land outside of ``folder``, is a link that
            leads out of it, or a device; one problem each), ``archive-damaged``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, folder)
        else:
            _unpack_tar(archive, folder)
    except _DAMAGE as error:
        raise InstallError(
            f"{archive.name} could not be unpacked.",
            code="archive-damaged",
            why=str(error) or type(error).__name__,
            fix=Advice("Fetch it again; if it stays so, tell the project that made it."),
        ) from error
    return _only_folder(folder) or folder


def _unpack_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        _refuse_bomb(archive, sum(member.size for member in members))
        _refuse(archive.name, _faults_of_tar(members))
        now = time.time()
        for member in members:
            _make_usable(member, mtime=now)
        if hasattr(tarfile, "data_filter"):  # PEP 706, in 3.10.12, 3.11.4 and 3.12
            opened.extractall(folder, members, filter="data")
        else:
            opened.extractall(folder, members)  # noqa: S202 - every member was judged above


def _make_usable(member: tarfile.TarInfo, *, mtime: float) -> None:
    """Owner may read, write and enter; nobody's set-uid bits and no foreign owner survive.

    Archives with the time 0 are frequent, and a backend cannot put such a file into a wheel.
    """
    member.mtime = mtime
    keep = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    member.mode = keep
    member.uid = member.gid = 0
    member.uname = member.gname = ""


def _unpack_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        _refuse_bomb(archive, sum(member.file_size for member in members))
        _refuse(archive.name, _faults_of_names((member.filename for member in members), set()))
        for member in members:
            target = folder / member.filename
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(member) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink)
            if member.external_attr >> 16 & stat.S_IXUSR:
                target.chmod(0o755)


def _refuse_bomb(archive: Path, size: int) -> None:
    packed = archive.stat().st_size
    if size > max(FREE_SIZE, LARGEST_RATIO * packed):
        raise ValueError(
            f"Unpacked it is {size >> 20:,} MiB large, {size // packed} times its size."
        )


def _faults_of_tar(members: list[tarfile.TarInfo]) -> Iterator[str]:
    links = {_clean(member.name) for member in members if member.issym()}
    yield from _faults_of_names((member.name for member in members), links)
    for member in members:
        if member.issym():
            if not _stays(PurePosixPath(_clean(member.name)).parent, member.linkname):
                yield f"{member.name} is a link to {member.linkname}, outside of the archive"
        elif member.islnk():
            if not _stays(PurePosixPath(), member.linkname):
                yield f"{member.name} is a link to {member.linkname}, outside of the archive"
        elif not (member.isfile() or member.isdir()):
            yield f"{member.name} is neither a file nor a folder"


def _faults_of_names(names: Iterable[str], links: set[str]) -> Iterator[str]:
    for name in names:
        if not _stays(PurePosixPath(), name):
            yield f"{name} would be written outside of the folder"
        # Beneath a link, what `..` means depends on where the link leads; no honest archive has it.
        elif links and any(str(parent) in links for parent in PurePosixPath(_clean(name)).parents):
            yield f"{name} would be written through a link"


def _stays(start: PurePosixPath, path: str) -> bool:
    """Whether ``path``, seen from the folder ``start``, stays inside whatever links it crosses.

    ``..`` may stand only at the beginning: after another part it may follow a link.
    """
    if "\\" in path and os.name == "nt":
        path = path.replace("\\", "/")
    if path.startswith("/") or "\0" in path or (os.name == "nt" and ":" in path):
        return False
    parts = [part for part in path.split("/") if part not in ("", ".")]
    climbs = 0
    while climbs < len(parts) and parts[climbs] == "..":
        climbs += 1
    return ".." not in parts[climbs:] and climbs <= len(start.parts)


def _clean(name: str) -> str:
    return str(PurePosixPath(name))


def _refuse(archive: str, faults: Iterable[str]) -> None:
    found = list(faults)
    if not found:
        return
    message = f"{archive} is not safe to unpack."
    shown = [
        Problem(code="archive-unsafe", message=message, why=f"{fault}.") for fault in found[:_SHOWN]
    ]
    raise InstallError(message, code="archive-unsafe", why=shown[0].why, problems=shown)


def _only_folder(folder: Path) -> Path | None:
    entries = [entry for entry in folder.iterdir() if entry.name != "pax_global_header"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else None
