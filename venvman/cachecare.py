"""Looking after the cache folder: how large it is, what nobody uses any more, all of it gone.

Everything in a cache may vanish at any time, so removing is always allowed; what is checked is
that the folder is a cache of ours, because ``VENVMAN_CACHE_DIR`` can name any folder.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import ConfigurationError
from venvman.files import CACHEDIR_TAG

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CachePart", "Freed", "clear", "measure", "prune"]

_TAG = "CACHEDIR.TAG"
_DEFAULT_NAME = "venvman"
_WHEELS = "wheels-v1"
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


def measure(cache: Path) -> tuple[CachePart, ...]:
    """Each folder in ``cache``, sorted by name; none where there is no cache yet."""
    parts = []
    for folder in _folders(cache):
        held = _held(folder)
        parts.append(CachePart(name=folder.name, files=held.files, bytes=held.bytes))
    return tuple(parts)


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


def prune(cache: Path, *, now: float) -> Freed:
    """Removes wheels that no environment is linked to, and other files that are 30 days old.

    ``now`` is a time in seconds since the epoch. A wheel that environments hold copies of, not
    links to, counts as unused: it is fetched again when it is wanted again.

    Raises:
        ConfigurationError: as :func:`clear` does.
    """
    _refuse_strangers(cache)
    freed = Freed()
    for folder in _folders(cache):
        if folder.name == _WHEELS:
            freed += _prune_wheels(folder, now=now)
        elif folder.name != "tools":
            freed += _prune_files(folder, before=now - _STALE)
    return freed


def _prune_wheels(base: Path, *, now: float) -> Freed:
    freed = Freed()
    for entry in (entry for shelf in _shelves(base) for entry in _folders(shelf)):
        if _modified(entry) < now - _GRACE and not _is_linked(entry):
            freed += _remove(entry)
    return freed


def _shelves(base: Path) -> Iterator[Path]:
    """``wheels-v1/<aa>``, the only folders there with two letters."""
    return (folder for folder in _folders(base) if len(folder.name) == 2)


def _prune_files(folder: Path, *, before: float) -> Freed:
    freed = Freed()
    for file in _files(folder):
        freed += _remove_older(file, before=before)
    return freed


def _remove_older(file: os.DirEntry[str], *, before: float) -> Freed:
    try:
        status = file.stat(follow_symlinks=False)
        if status.st_mtime >= before:
            return Freed()
        Path(file.path).unlink()
    except OSError:
        return Freed()  # another process was faster, or it is not ours to remove
    return Freed(files=1, bytes=status.st_size)


def _is_linked(entry: Path) -> bool:
    return any(_status(file, "st_nlink") > 1 for file in _files(entry / "files"))


def _status(file: os.DirEntry[str], field: str) -> int:
    """A field of ``lstat``, 0 where the file is gone."""
    try:
        return int(getattr(file.stat(follow_symlinks=False), field))
    except OSError:
        return 0


def _remove(folder: Path) -> Freed:
    """Moved aside first, so that no other process finds half of it."""
    held = _held(folder)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        folder.rename(aside)
    except OSError:
        return Freed()
    shutil.rmtree(aside, ignore_errors=True)
    return held


def _held(folder: Path) -> Freed:
    """Files are counted once for each name, as ``ls`` shows them."""
    sizes = [_status(file, "st_size") for file in _files(folder)]
    return Freed(files=len(sizes), bytes=sum(sizes))


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


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")


def _refuse_strangers(cache: Path) -> None:
    if not _folders(cache) or cache.name == _DEFAULT_NAME or _is_tagged(cache):
        return
    raise ConfigurationError(
        f"{cache} does not look like venvman's cache, so nothing was removed.",
        code="cache-not-ours",
        path=cache.as_posix(),
        why=f"It has no {_TAG} as a cache has.",
        fix="venvman cache dir",
    )


def _is_tagged(cache: Path) -> bool:
    try:
        return (cache / _TAG).read_text(errors="replace").startswith(CACHEDIR_TAG.splitlines()[0])
    except OSError:
        return False
