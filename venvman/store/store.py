"""Store: the machine-wide, content-addressed cache of unpacked wheels.

    <cache>/wheels-v1/<aa>/<sha256>/manifest.json   what is there (see :mod:`.manifest`)
    <cache>/wheels-v1/<aa>/<sha256>/files/...       the wheel's files
    <cache>/wheels-v1/keys/<aa>/<digest of a key>   the sha256 that a key came to
    <cache>/wheels-v1/times/<name>-<seconds>        which times unpacked files bear (see below)
    <cache>/wheels-v1/staging/...                   entries being made

An entry is made beside and renamed into place, so it is whole or absent, and of two processes that
make the same one the slower throws its own away. Python takes bytecode for fresh when the source
has the size and the time (in whole seconds) it was compiled from; therefore no two entries of one
project bear the same second: each second is claimed by a file that can be made only once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.environment.record import hash_of
from venvman.model.errors import Advice, Fix, InstallError, Problem, Severity
from venvman.model.events import Reporter
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.store.manifest import Manifest, ManifestInvalid, read_manifest, write_manifest
from venvman.store.unpack import unpack_wheel
from venvman.system.files import make_cache_folder, permit, spread_folders
from venvman.system.locks import using

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    Unpack = Callable[[str, str, str], None]

LAYOUT = "wheels-v1"
_MANIFEST = "manifest.json"
_SHA256 = re.compile("[0-9a-f]{64}")
_ABANDONED = 24 * 3600.0
# What says that this folder cannot be written, but another one may.
_UNWRITABLE = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
    | {errno.ENOTDIR, errno.EEXIST}
)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWheel:
    """A wheel unpacked in ``folder`` (absolute); ``sha256`` is the wheel file's, 64 hex digits."""

    sha256: str
    filename: str
    folder: Path
    manifest: Manifest


class Store:
    """The cache at ``folder`` (the cache folder itself); safe for threads and processes.

    Where the folder cannot be written, wheels are unpacked into a temporary one for as long as
    this object lives, and the reporter is told once. A context manager: inside it nobody prunes the
    cache; leaving it, or :meth:`close`, removes that temporary folder.
    """

    def __init__(self, folder: Path, *, reporter: Reporter | None = None) -> None:
        self._folder = folder
        self._reporter = reporter or Reporter()
        self._spare: Path | None = None
        self._swept = False
        self._use = contextlib.ExitStack()
        # Entries that are damaged and could not be removed.
        self._refused: set[str] = set()

    def __enter__(self) -> Self:
        self._use.enter_context(using(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes the temporary folder, if there is one; wheels that were in it are gone."""
        self._use.close()
        if self._spare is not None:
            shutil.rmtree(self._spare, ignore_errors=True)
            self._spare = None

    def get(self, sha256: str) -> StoredWheel | None:
        """The wheel whose file has this ``sha256`` (64 hex digits), or None.

        What the files hold is looked at when they are linked, not here; an entry whose manifest
        cannot be read counts as absent.
        """
        for folder in self._folders:
            if folder == self._folder and sha256 in self._refused:
                continue
            entry = location_of(folder, sha256)
            try:
                return stored_at(entry)
            except ManifestInvalid:
                self.discard(sha256)
            except OSError as error:
                # Entries are renamed into place as a whole: a power cut has lost this part, unless
                # the entry has come since it was looked for.
                there, absent = entry.is_dir(), isinstance(error, FileNotFoundError)
                if there and not (absent and (entry / _MANIFEST).exists()):
                    self.discard(sha256)
        return None

    @property
    def _folders(self) -> list[Path]:
        """Where wheels are looked for."""
        return [each for each in (self._spare, self._folder) if each is not None]

    def holds(self, sha256: str) -> bool:
        """Whether :meth:`get` would look into an entry: one system call."""
        return (location_of(self._folder, sha256) / _MANIFEST).is_file()

    def add(self, wheel: Path, *, sha256: str, unpack: Unpack | None = None) -> StoredWheel:
        """Unpacks the file ``wheel``, which the caller has found to have this ``sha256``.

        ``unpack`` does the work of :func:`unpack_entry`, elsewhere maybe. Adding what is there
        already costs nothing.

        Raises:
            InstallError: the wheel is refused (see :func:`venvman.store.unpack.unpack_wheel`), or
                neither the store nor a temporary folder can be written (``store-unwritable``).
        """
        found = self.get(sha256)
        if found is not None:
            return found
        self._sweep()
        try:
            unpack = unpack or unpack_entry
            if self._spare is not None or sha256 in self._refused:
                unpack(str(self._temporary()), str(wheel), sha256)
            else:
                self._unpack_or_fall_back(wheel, sha256, unpack)
        except OSError as error:
            raise _unwritable(self._spare or self._folder, error) from error
        stored = self.get(sha256)
        if stored is None:
            raise _unwritable(self._folder, FileNotFoundError(errno.ENOENT, "it vanished"))
        return stored

    def discard(self, sha256: str) -> None:
        """Takes a damaged entry out, so that it is fetched again; environments keep their files."""
        for folder in self._folders:
            try:
                aside = _new_staging(_base(folder))
                location_of(folder, sha256).rename(aside / "discarded")
            except FileNotFoundError:
                continue
            except OSError:
                self._refused.add(sha256)
                continue
            shutil.rmtree(aside, ignore_errors=True)

    def recall(self, key: str) -> str | None:
        """The sha256 remembered under ``key`` (any text), or None."""
        for folder in self._folders:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                found = _key_file(folder, key).read_text()
                if _SHA256.fullmatch(found):
                    return found
        return None

    def remember(self, key: str, sha256: str) -> None:
        """Keeps ``sha256`` under ``key``; a store that cannot be written forgets it silently."""
        for folder in reversed(self._folders):
            target = _key_file(folder, key)
            with contextlib.suppress(OSError):
                staging = _new_staging(_prepare(folder))
                target.parent.mkdir(parents=True, exist_ok=True)
                # No fsync: what a power cut leaves of it is no sha256, and then not believed.
                (staging / "key").write_text(sha256)
                (staging / "key").replace(target)
                staging.rmdir()
                return

    def _unpack_or_fall_back(self, wheel: Path, sha256: str, unpack: Unpack) -> None:
        try:
            unpack(str(self._folder), str(wheel), sha256)
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            self._reporter.problem(
                Problem(
                    code="store-unwritable",
                    message=f"The store at {self._folder} cannot be written: {error.strerror}.",
                    severity=Severity.WARNING,
                    path=str(self._folder),
                    why="Wheels are unpacked into a temporary folder instead, and again the next"
                    " time.",
                    fix=_remedy(self._folder, error),
                )
            )
            unpack(str(self._temporary()), str(wheel), sha256)

    def _temporary(self) -> Path:
        if self._spare is None:
            import tempfile

            self._spare = Path(tempfile.mkdtemp(prefix="venvman-"))
        return self._spare

    def _sweep(self) -> None:
        """Removes what killed processes left, once per object."""
        if self._swept:
            return
        self._swept = True
        before = time.time() - _ABANDONED
        with contextlib.suppress(OSError), os.scandir(_base(self._folder) / "staging") as entries:
            for entry in entries:
                if entry.stat().st_mtime < before:
                    shutil.rmtree(entry.path, ignore_errors=True)


def unpack_entry(folder: str, wheel: str, sha256: str) -> None:
    """Makes the entry of the file ``wheel`` in the cache ``folder``, unless it is there.

    A function of plain values, for worker processes; :meth:`Store.add` is for everyone else.

    Raises:
        InstallError: the wheel is refused; OSError: the folder cannot be written. Nothing is left
            over in either case.
    """
    entry = location_of(Path(folder), sha256)
    if (entry / _MANIFEST).is_file():
        return
    base = _prepare(Path(folder))
    staging = _new_staging(base)
    try:
        mtime_ns = _claim_second(base, os.path.basename(wheel)) * 10**9
        manifest = unpack_wheel(wheel, str(staging / "files"), mtime_ns=mtime_ns)
        (staging / _MANIFEST).write_bytes(write_manifest(manifest))
        entry.parent.mkdir(exist_ok=True)
        staging.rename(entry)
    except OSError as error:
        # Of two that make one entry the first has made it for both.
        occupied = error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES)
        if not (occupied and (entry / _MANIFEST).is_file()):
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def stored_at(entry: Path) -> StoredWheel:
    """The wheel of the folder ``entry`` (see :func:`location_of`).

    Raises:
        ManifestInvalid, OSError: its manifest cannot be read.
    """
    manifest = read_manifest((entry / _MANIFEST).read_bytes())
    return StoredWheel(
        sha256=entry.name, filename=manifest.filename, folder=entry / "files", manifest=manifest
    )


def changed_files(wheel: StoredWheel) -> tuple[str, ...]:
    """The files (relative to ``wheel.folder``) that are not what the manifest says any more."""
    manifest = wheel.manifest
    changed = []
    for path, size, expected in zip(manifest.paths, manifest.sizes, manifest.hashes, strict=True):
        file = f"{wheel.folder}/{path}"
        try:
            found = os.lstat(file)
            whole = found.st_size == size and found.st_mtime_ns == manifest.mtime_ns
            if not whole or hash_of(file) != expected:
                changed.append(path)
        except OSError:
            changed.append(path)
    return tuple(changed)


def _base(folder: Path) -> Path:
    return folder / LAYOUT


def location_of(folder: Path, sha256: str) -> Path:
    """Where the wheel lies, if it does, in the cache ``folder``."""
    return _base(folder) / sha256[:2] / sha256


def _key_file(folder: Path, key: str) -> Path:
    import hashlib

    digest = hashlib.sha256(key.encode()).hexdigest()
    return _base(folder) / "keys" / digest[:2] / digest


def _prepare(folder: Path) -> Path:
    base = _base(folder)
    if not (base / "times").is_dir():
        make_cache_folder(folder)
        (base / "times").mkdir(parents=True, exist_ok=True)
    return base


def _new_staging(base: Path) -> Path:
    import tempfile

    staging = base / "staging"
    if not staging.is_dir():
        staging.mkdir(exist_ok=True)
        spread_folders(staging)
    return Path(tempfile.mkdtemp(dir=staging))


def _claim_second(base: Path, filename: str) -> int:
    name = canonical(filename.partition("-")[0])
    second = int(time.time())
    while True:
        try:
            (base / "times" / f"{name}-{second}").touch(exist_ok=False)
        except FileExistsError:
            second -= 1
        else:
            return second


def _unwritable(folder: Path, error: OSError) -> InstallError:
    full = error.errno in _FULL
    return InstallError(
        f"Could not unpack a wheel into {folder}: {error.strerror}.",
        code="store-unwritable",
        path=str(folder),
        why="The disk is full." if full else None,
        fix=_remedy(folder, error),
    )


def _remedy(folder: Path, error: OSError) -> Fix:
    if error.errno in _FULL:
        return Advice("Free some space there: `venvman cache prune` takes out what nothing uses.")
    if error.errno == errno.EACCES:
        return permit("u+rwX", folder, below=True)
    return Advice("Name another folder with --cache-dir or in VENVMAN_CACHE_DIR.")
