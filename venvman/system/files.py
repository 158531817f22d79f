"""The only door for writing files that must be whole or absent."""

from __future__ import annotations

import os
import shutil
import stat
import struct
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Command
from venvman.system.writing import sync_folder, write_new

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.model.errors import Fix

CACHEDIR_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This file marks a folder that backups may leave out (https://bford.info/cachedir/).\n"
)

_TOP_OF_HIERARCHY = 0x20000


def aside(path: Path, *, then: str = "sync") -> Command:
    """The command that moves ``path`` out of the way under a free name, and goes on."""
    names = (f"{path.name}.aside{number or ''}" for number in count())
    free = next(name for name in names if not os.path.lexists(path.with_name(name)))
    return Command.of("mv", path, path.with_name(free)).then(then)


def permit(mode: str, path: Path, *, below: bool = False) -> Fix:
    """The command that gives the owner of ``path`` the rights ``mode`` on it, and on what is below.

    Of what is not there, on the folder that it would be in. Advice where that is somebody else's,
    or on a filesystem that nobody may write to.
    """
    there = next((each for each in (path, *path.parents) if each.exists()), path)
    try:
        ours = os.geteuid() in {0, there.stat().st_uid}
        fixed = bool(os.statvfs(there).f_flag & os.ST_RDONLY)
    except OSError:
        ours = fixed = False
    if ours and not fixed:
        return Command.of("chmod", *(["-R"] if below else []), mode, there)
    whose = "on a read-only filesystem" if fixed else "another user's"
    return Advice(f"{there} is {whose}: have it made yours, or use another folder.")


def write_atomically(path: Path, content: bytes) -> None:
    """Puts ``content`` at ``path`` in one step: readers see the old file or the new one.

    A symbolic link is followed. An existing file's mode is kept; a new file gets 0666 less the
    umask. The file is synced before it is renamed, the folder after.

    Raises:
        OSError: as writing raises; nothing is left over then.
    """
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """As :func:`write_atomically` for several files: none is put in place before all are written.

    Raises:
        OSError: as writing raises, its ``filename`` one of ``contents``; nothing has changed then.
    """
    staged: dict[Path, Path] = {}
    try:
        for path, content in contents.items():
            target = Path(os.path.realpath(path))
            # Its name does not grow with that of the file, which may be as long as names can be.
            staged[target] = target.with_name(f".venvman-{os.urandom(8).hex()}.tmp")
            try:
                mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
                write_new(staged[target], [content], synced=True)
                if mode is not None:
                    staged[target].chmod(mode)
            except OSError as error:
                error.filename = os.fspath(path)
                raise
        for target, temporary in staged.items():
            temporary.replace(target)
    except BaseException:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise
    for folder in {target.parent for target in staged}:
        sync_folder(folder)


def make_private_folder(path: Path) -> Path:
    """Creates ``path`` and its parents; a new ``path`` gets mode 0700. Returns it."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def remove_tree(path: Path) -> None:
    """Deletes ``path``, a file, link or folder, if it is there. Links are never followed.

    Folders that forbid it (wheels may bring read-only ones) are made writable first.

    Raises:
        OSError: as deleting raises.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    while path.is_dir():
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            continue  # somebody else is deleting it too
        except PermissionError:
            _make_writable(path)
            shutil.rmtree(path)


def make_cache_folder(path: Path) -> Path:
    """As :func:`make_private_folder`, with a tag that tells backups to leave ``path`` out."""
    make_private_folder(path)
    tag = path / "CACHEDIR.TAG"
    if not tag.exists():
        tag.write_text(CACHEDIR_TAG, encoding="utf-8")
    return path


def spread_folders(path: Path | str) -> None:
    """Asks the filesystem to place the folders made in ``path`` apart from each other.

    ext4 puts a folder near its parent, and looks there at every inode that was freed in the last
    seconds: thousands of folders made beside others that were just removed cost two thirds of
    their time for that. With this attribute (``chattr +T``, "top of directory hierarchies") each
    goes to a part of the disk with room. Elsewhere it is not known, and nothing happens.
    """
    import fcntl

    word = struct.calcsize("l")
    get, put = (2 << 30 | word << 16 | 0x6601), (1 << 30 | word << 16 | 0x6602)  # linux/fs.h
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, get, bytes(word)))
            if not flags & _TOP_OF_HIERARCHY:
                fcntl.ioctl(descriptor, put, struct.pack("l", flags | _TOP_OF_HIERARCHY))
        finally:
            os.close(descriptor)


def _make_writable(folder: Path) -> None:
    folder.chmod(stat.S_IRWXU)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            _make_writable(Path(entry.path))
