"""The only door for writing small files that must be whole or absent, by plain paths.

Imports nothing but ``os``, since short answers write through it too; :mod:`venvman.system.files`
has what keeps modes and follows links.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def replace(
    path: str,
    *parts: bytes | memoryview,
    mode: int = 0o666,
    synced: bool = False,
    alone: bool = False,
) -> os.stat_result:
    """Puts ``parts`` at ``path`` in one step, in place of what is there; the new file's facts.

    Without ``synced`` a power cut may tear it: for what is checked when it is read. ``alone`` says
    that nobody else writes it now: what a kill leaves then has a name that the next call takes.

    Raises:
        OSError: as writing raises; nothing is left over then.
    """
    temporary = f"{path}.tmp" if alone else f"{path}.{os.urandom(6).hex()}.tmp"
    try:
        if alone and os.path.lexists(temporary):
            os.unlink(temporary)
        found = write_new(temporary, parts, mode=mode, synced=synced)
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise
    if synced:
        sync_folder(os.path.dirname(path))
    return found


def write_new(
    path: str | os.PathLike[str],
    parts: Iterable[bytes | memoryview],
    *,
    mode: int = 0o666,
    synced: bool = False,
) -> os.stat_result:
    """Writes the file ``path``, which must not be there; its facts.

    Raises:
        OSError: as writing raises; what was begun is left.
    """
    # The kernel applies the umask, which Python could only read by changing it for every thread.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.writelines(parts)
        stream.flush()
        if synced:
            os.fsync(descriptor)
        return os.fstat(descriptor)


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Makes renames inside ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
