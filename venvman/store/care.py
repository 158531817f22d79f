"""Looking after the cache folder: how large it is, what nobody uses any more, all of it gone.

Everything in a cache may vanish at any time, so removing is always allowed; what is checked is
that the folder is a cache of ours, because ``VENVMAN_CACHE_DIR`` can name any folder. Who removes
holds :func:`venvman.system.locks.using` alone, so that no command is in the middle of using it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, ConfigurationError
from venvman.model.frozen import dataclass
from venvman.store.manifest import ManifestInvalid
from venvman.store.store import LAYOUT, changed_files, location_of, stored_at
from venvman.system.files import CACHEDIR_TAG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.environment.neighbours import Neighbour

_TAG = "CACHEDIR.TAG"
_WHOLE = ("git", "builds-v1")
"""Folders whose folders are removed as one: repositories, environments for builds."""
_TOOLS = "tools"
# A sync that runs now may have unpacked a wheel and not linked it yet.
_GRACE = 3600.0
_STALE = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePart:
    """One folder of the cache: how many ``files`` it holds, and how many ``bytes``."""

    name: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was removed. Bytes of files that environments still share are not free yet."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: Freed) -> Freed:
        return Freed(files=self.files + other.files, bytes=self.bytes + other.bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedWheel:
    """An entry of the store that is not what its manifest says.

    ``filename`` is the wheel's, None where that cannot be read; ``paths`` the files that differ,
    relative to the entry's own; ``discarded`` says that it has been taken out. ``environments`` are
    those that have the damaged files, too, under other names.
    """

    sha256: str
    filename: str | None
    paths: tuple[str, ...]
    discarded: bool = False
    environments: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """``checked`` wheels, of which ``held`` is what the good ones hold."""

    checked: int
    held: Freed
    damaged: tuple[DamagedWheel, ...]


def measure(cache: Path) -> tuple[CachePart, ...]:
    """Each folder in ``cache``, sorted by name; none where there is no cache yet."""
    parts = []
    for folder in _folders(cache):
        holds = held(folder)
        parts.append(CachePart(name=folder.name, files=holds.files, bytes=holds.bytes))
    return tuple(parts)


def held(folder: Path) -> Freed:
    """All files below ``folder``, counted once for each name, as ``ls`` shows them."""
    sizes = [_fact(file, "st_size") for file in _files(folder)]
    return Freed(files=len(sizes), bytes=int(sum(sizes)))


def clear(cache: Path) -> Freed:
    """Removes everything in ``cache``.

    Raises:
        ConfigurationError: ``cache`` holds things, and nothing says that it is a cache of ours.
    """
    _refuse_strangers(cache)
    freed = Freed()
    for folder in _folders(cache):
        freed += _remove(folder)
    return freed


def prune(
    cache: Path, *, now: float, older_than: float | None = None, max_size: int | None = None
) -> Freed:
    """Removes wheels that no environment is linked to, and everything else that is 30 days old.

    ``now`` is seconds since the epoch. ``older_than`` (seconds) is another age, for both. With
    ``max_size`` (bytes) more goes until the cache is no larger: the oldest first, and what
    environments are linked to last, since that frees nothing while they have it. A wheel that
    environments hold copies of, not links to, counts as unused: it is fetched again when wanted.
    The tool environments stay.

    Raises:
        ConfigurationError: as :func:`clear` does.
    """
    _refuse_strangers(cache)
    wheels = now - (_GRACE if older_than is None else older_than)
    others = now - (_STALE if older_than is None else older_than)
    freed = Freed()
    kept = []
    for piece in _pieces(cache):
        old = piece.modified < (wheels if piece.is_wheel else others)
        if old and not piece.is_linked:
            freed += _take(piece)
        else:
            kept.append(piece)
    if max_size is not None:
        excess = sum(each.bytes for each in measure(cache)) - max_size
        shrunk = Freed()
        for piece in sorted(kept, key=lambda each: (each.is_linked, each.modified)):
            if shrunk.bytes < excess:
                shrunk += _take(piece)
        freed += shrunk
    return freed


def verify(cache: Path, *, state: Path | None = None) -> Verified:
    """Compares every unpacked wheel with its manifest, contents included; changes nothing.

    ``state`` is the state folder, which knows the environments that may share what is damaged.
    """
    from concurrent.futures import ThreadPoolExecutor

    # Hashing lets other threads run.
    with ThreadPoolExecutor(2) as pool:
        looks = list(pool.map(_look_at, _wheels(cache)))
    damaged = tuple(each for each in looks if isinstance(each, DamagedWheel))
    if damaged and state is not None:
        damaged = _with_environments(cache, damaged, state)
    sizes = [each for each in looks if isinstance(each, Freed)]
    return Verified(checked=len(looks), held=sum(sizes, Freed()), damaged=damaged)


def discard(cache: Path, damaged: Iterable[DamagedWheel]) -> tuple[DamagedWheel, ...]:
    """Takes out those of ``damaged`` that still are; each says then whether it is gone."""
    done = []
    for each in damaged:
        entry = location_of(cache, each.sha256)
        if entry.exists() and isinstance(_look_at(entry), DamagedWheel):
            _remove(entry)
        done.append(replace(each, discarded=not entry.exists()))
    return tuple(done)


def _with_environments(
    cache: Path, damaged: tuple[DamagedWheel, ...], state: Path
) -> tuple[DamagedWheel, ...]:
    from venvman.environment.neighbours import sharing

    files = {
        each.sha256: [location_of(cache, each.sha256) / "files" / path for path in each.paths]
        for each in damaged
        if each.filename is not None
    }
    shared = sharing(state, [file for those in files.values() for file in those])

    def environments(each: DamagedWheel) -> tuple[Neighbour, ...]:
        found = {other for file in files.get(each.sha256, ()) for other in shared.get(file, ())}
        return tuple(sorted(found, key=lambda other: other.path))

    return tuple(replace(each, environments=environments(each)) for each in damaged)


def _look_at(entry: Path) -> DamagedWheel | Freed:
    """What is wrong with the store's ``entry``, or how much it holds."""
    try:
        wheel = stored_at(entry)
    except (OSError, ManifestInvalid):
        return DamagedWheel(sha256=entry.name, filename=None, paths=("manifest.json",))
    paths = changed_files(wheel)
    if paths:
        return DamagedWheel(sha256=entry.name, filename=wheel.filename, paths=paths)
    return Freed(files=len(wheel.manifest.paths), bytes=wheel.manifest.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What is removed as one: a wheel, a repository, an environment for builds, else a file."""

    path: Path
    modified: float
    bytes: int
    is_wheel: bool = False
    is_linked: bool = False


def _pieces(cache: Path) -> Iterator[_Piece]:
    for folder in _folders(cache):
        if folder.name == LAYOUT:
            yield from (_piece(entry, is_wheel=True) for entry in _wheels(cache))
        elif folder.name in _WHOLE:
            yield from (_piece(entry) for entry in _folders(folder))
        elif folder.name != _TOOLS:
            for file in _files(folder):
                modified = _fact(file, "st_mtime", gone=float("inf"))
                size = int(_fact(file, "st_size"))
                yield _Piece(path=Path(file.path), modified=modified, bytes=size)


def _wheels(cache: Path) -> Iterator[Path]:
    """``wheels-v1/<aa>/<sha256>``; the shelves are the only folders there with two letters."""
    shelves = (folder for folder in _folders(cache / LAYOUT) if len(folder.name) == 2)
    return (entry for shelf in shelves for entry in _folders(shelf))


def _piece(entry: Path, *, is_wheel: bool = False) -> _Piece:
    """A wheel is as old as its unpacking, what else is removed as one as its youngest file."""
    files = list(_files(entry))
    modified = _fact(entry, "st_mtime", gone=float("inf"))
    if files and not is_wheel:
        modified = max(_fact(file, "st_mtime", gone=float("inf")) for file in files)
    return _Piece(
        path=entry,
        modified=modified,
        bytes=int(sum(_fact(file, "st_size") for file in files)),
        is_wheel=is_wheel,
        is_linked=is_wheel and any(_fact(file, "st_nlink") > 1 for file in _files(entry / "files")),
    )


def _take(piece: _Piece) -> Freed:
    if piece.path.is_dir() and not piece.path.is_symlink():
        return _remove(piece.path)
    try:
        piece.path.unlink()
    except OSError:
        return Freed()  # another process was faster, or it is not ours to remove
    return Freed(files=1, bytes=piece.bytes)


def _fact(file: os.PathLike[str], field: str, *, gone: float = 0) -> float:
    """A field of ``lstat``; ``gone`` where the file is."""
    try:
        found: float = getattr(os.lstat(file), field)
    except OSError:
        return gone
    return found


def _remove(folder: Path) -> Freed:
    """Moved aside first, so that no other process finds half of it."""
    holds = held(folder)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        folder.rename(aside)
    except OSError:
        return Freed()
    shutil.rmtree(aside, ignore_errors=True)
    return holds


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError:
        return
    for entry in listed:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path))
        else:
            yield entry


def _refuse_strangers(cache: Path) -> None:
    tag = ""
    with suppress(OSError):
        tag = (cache / _TAG).read_text(errors="replace")
    is_ours = cache.name == "venvman" or tag.startswith(CACHEDIR_TAG.splitlines()[0])
    if is_ours or not _folders(cache):
        return
    raise ConfigurationError(
        f"{cache} does not look like venvman's cache, so nothing was removed.",
        code="cache-not-ours",
        path=cache.as_posix(),
        why=f"It has no {_TAG} as a cache has.",
        fix=Advice("Name venvman's own cache with --cache-dir."),
    )
