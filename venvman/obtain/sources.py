"""Sources that must be built: their project folder, and the wheel that comes of it.

An archive is downloaded and unpacked, a repository checked out, a local folder used where it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
import time
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from venvman.build.backend import Build, build_wheel
from venvman.model.errors import Advice, InstallError, Problem
from venvman.model.frozen import dataclass
from venvman.model.sources import ArchiveSource, DirectorySource, VcsSource
from venvman.obtain.errors import label_of, refuse_disagreement
from venvman.obtain.stored import Obtained, obtained
from venvman.obtain.vcs import checkout, resolve_commit
from venvman.store.wheelfile import FREE_SIZE, LARGEST_RATIO
from venvman.system.files import make_private_folder
from venvman.system.git import scp_advice
from venvman.system.variables import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.build.backend import BuildContext, BuildSettings
    from venvman.index.client import Index
    from venvman.index.download import Downloaded
    from venvman.lock.file import LockEntry
    from venvman.obtain.stored import Memory
    from venvman.store.store import StoredWheel


@contextmanager
def project_of(
    source: ArchiveSource | VcsSource | DirectorySource,
    context: BuildContext,
    *,
    index: Index,
    root: Path,
    hashes: tuple[str, ...] = (),
) -> Iterator[tuple[Path, ArchiveSource | VcsSource | DirectorySource]]:
    """The folder to build, and ``source`` made exact: with the commit, with the archive's hash.

    Raises:
        InstallError, IndexFault, GitError: it could not be had, is not what ``hashes`` say, or is
            not safe to unpack.
    """
    settings = context.settings
    with ExitStack() as stack:
        if isinstance(source, DirectorySource):
            yield local_project(source, root), source
        elif isinstance(source, VcsSource):
            folder = stack.enter_context(working_folder(settings.cache)) / "checkout"
            commit = stack.enter_context(
                checkout(
                    source, folder, cache=settings.cache, variables=settings.variables,
                    offline=context.options.offline,
                )
            )  # fmt: skip
            yield _inside(folder, source.subdirectory), replace(source, commit=commit)
        else:
            folder = stack.enter_context(working_folder(settings.cache))
            got = download_archive(source, folder, index=index, settings=settings, hashes=hashes)
            exact = replace(source, hashes=(f"sha256:{got.sha256}",))
            yield stack.enter_context(unpacked(got.path, source.subdirectory)), exact


def download_archive(
    source: ArchiveSource,
    folder: Path,
    *,
    index: Index,
    settings: BuildSettings,
    hashes: tuple[str, ...] = (),
) -> Downloaded:
    """Fetches the archive into ``folder``; it must have one of ``hashes`` and of its own.

    ``${VAR}`` in the URL is expanded here, and only here.
    """
    url = expand(source.url, settings.variables)
    label = Path(urlsplit(source.url).path).name or "archive"
    return index.download(
        url, folder, hashes=tuple(dict.fromkeys((*hashes, *source.hashes))), label=label
    )


@contextmanager
def unpacked(archive: Path, subdirectory: str | None = None) -> Iterator[Path]:
    """The project in the source archive ``archive``, unpacked beside it."""
    with tempfile.TemporaryDirectory(
        dir=archive.parent, prefix="source-", ignore_cleanup_errors=True
    ) as folder:
        yield _inside(unpack_sdist(archive, Path(folder)), subdirectory)


@contextmanager
def working_folder(cache: Path) -> Iterator[Path]:
    """A private temporary folder: in ``cache`` if that can be written, else the system's."""
    parent = cache / "working"
    try:
        make_private_folder(cache)
        make_private_folder(parent)
        folder = tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True)
    except OSError:
        folder = tempfile.TemporaryDirectory(prefix="venvman-", ignore_cleanup_errors=True)
    with folder as path:
        yield Path(path)


def local_project(source: DirectorySource, root: Path) -> Path:
    """The folder that ``source`` means.

    Raises:
        InstallError: ``folder-missing``.
    """
    folder = Path(root, source.path)
    if not folder.is_dir():
        raise InstallError(
            f"{source.path} is not a folder.",
            code="folder-missing",
            why="It was moved, or is not checked out here." if not folder.exists() else None,
            fix=scp_advice(source.path),
        )
    return _inside(folder, source.subdirectory)


def _inside(folder: Path, subdirectory: str | None) -> Path:
    """``folder``'s ``subdirectory``, which must not leave it."""
    if subdirectory is None:
        return folder
    inner = Path(folder, subdirectory)
    if not inner.resolve().is_relative_to(folder.resolve()) or not inner.is_dir():
        raise InstallError(
            f"The subdirectory {subdirectory} was not found in the source.",
            code="subdirectory-missing",
        )
    return inner


SDIST_SUFFIXES = (
    ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz",
    ".tar.lzma", ".zip",
)  # fmt: skip
"""What pip takes for a source archive; lzma in both its spellings is read by :mod:`tarfile`."""

_SHOWN = 5
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError)


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
    entries = [entry for entry in folder.iterdir() if entry.name != "pax_global_header"]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else folder


def _unpack_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
        _refuse_bomb(archive, sum(member.size for member in members))
        _refuse(archive.name, _faults_of_tar(members))
        now = time.time()
        for member in members:
            # Owner may read, write and enter; nobody's set-uid bits and no foreign owner survive.
            # Archives with the time 0 are frequent, and a backend cannot put such a file into a
            # wheel.
            member.mtime = now
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.uid = member.gid = 0
            member.uname = member.gname = ""
        if hasattr(tarfile, "data_filter"):  # PEP 706, in 3.10.12, 3.11.4 and 3.12
            opened.extractall(folder, members, filter="data")
        else:
            opened.extractall(folder, members)  # noqa: S202 - every member was checked above


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
    links = {str(PurePosixPath(member.name)) for member in members if member.issym()}
    yield from _faults_of_names((member.name for member in members), links)
    for member in members:
        if member.issym() or member.islnk():
            # A symbolic link is seen from its own folder, a hard link from the archive's.
            start = PurePosixPath(member.name).parent if member.issym() else PurePosixPath()
            if not _stays(start, member.linkname):
                yield f"{member.name} is a link to {member.linkname}, outside of the archive"
        elif not (member.isfile() or member.isdir()):
            yield f"{member.name} is neither a file nor a folder"


def _faults_of_names(names: Iterable[str], links: set[str]) -> Iterator[str]:
    for name in names:
        if not _stays(PurePosixPath(), name):
            yield f"{name} would be written outside of the folder"
        # Beneath a link, what `..` means depends on where the link leads; no honest archive has it.
        elif links and any(str(parent) in links for parent in PurePosixPath(name).parents):
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


def _refuse(archive: str, faults: Iterable[str]) -> None:
    found = list(faults)
    if not found:
        return
    message = f"{archive} is not safe to unpack."
    shown = [
        Problem(code="archive-unsafe", message=message, why=f"{fault}.") for fault in found[:_SHOWN]
    ]
    raise InstallError(message, code="archive-unsafe", why=shown[0].why, problems=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Builds as ``context`` says; for several threads."""

    context: BuildContext
    index: Index
    memory: Memory

    def archive(self, entry: LockEntry, archive: Downloaded) -> StoredWheel:
        """The wheel of a source archive that was downloaded and found to be the right one.

        Raises:
            InstallError: it is not safe to unpack, cannot be built, or holds something else.
        """
        source = entry.source
        subdirectory = source.subdirectory if isinstance(source, ArchiveSource) else None
        key = self.memory.of_sdist(entry.name, archive.sha256, subdirectory)
        known = self.memory.wheel(key)
        if known is not None:
            refuse_disagreement(known, entry)
            return known
        with unpacked(archive.path, subdirectory) as project:
            return self._build(entry, project, key)

    def repository(self, entry: LockEntry, source: VcsSource) -> Obtained:
        """The wheel of a commit, resolved first where the entry has none.

        Raises:
            InstallError, GitError: it could not be had or built.
        """
        source = resolve_commit(
            source,
            cache=self.context.settings.cache,
            variables=self.context.settings.variables,
            offline=self.context.options.offline,
        )
        key = self.memory.of_commit(entry.name, source)
        known = self.memory.wheel(key)
        if known is not None:
            refuse_disagreement(known, entry)
            return obtained(known, source)
        with project_of(source, self.context, index=self.index, root=self.memory.root) as (
            project,
            _,
        ):
            return obtained(self._build(entry, project, key), source)

    def folder(self, entry: LockEntry, source: DirectorySource) -> Obtained:
        """The wheel, or the editable wheel, of a local folder as it is now.

        Raises:
            InstallError: the folder is not there or cannot be built.
        """
        project = local_project(source, self.memory.root)
        # Before the build, which may leave files behind that count for the tree's digest.
        key = self.memory.of_folder(entry.name, project, editable=source.editable)
        wheel = self._build(entry, project, key, editable=source.editable)
        return obtained(wheel, source)

    def _build(
        self, entry: LockEntry, project: Path, key: str, *, editable: bool = False
    ) -> StoredWheel:
        with working_folder(self.context.settings.cache) as output:
            build = Build(
                project=project,
                label=label_of(entry),
                name=entry.name,
                config_settings=self.context.settings.config_settings.get(entry.name, ()),
                context=self.context,
            )
            path = build_wheel(build, output, editable=editable)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            wheel = self.memory.store.add(path, sha256=digest, unpack=self.context.settings.unpack)
        refuse_disagreement(wheel, entry)
        self.memory.store.remember(key, wheel.sha256)
        return wheel
