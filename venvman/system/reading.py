"""The only door for reading files that strangers may have made: regular ones, of bounded size.

Imports nothing but ``os`` and its like, since short answers read through it too.
"""

from __future__ import annotations

import errno
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 64 * 1024 * 1024
"""No file that people or tools write for a project is larger, by far."""


def read_regular(
    path: str | os.PathLike[str], *, limit: int = LARGEST, first: int | None = None
) -> bytes:
    """The content of the file at ``path``, or its ``first`` bytes; links are followed.

    Raises:
        OSError: as opening raises; it is no regular file (a pipe would be waited for, a device has
            no end), or larger than ``limit`` bytes.
    """
    # Without O_NONBLOCK, opening a pipe waits for whoever writes into it.
    flags = os.O_RDONLY | os.O_NONBLOCK
    descriptor = os.open(path, flags)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", os.fspath(path))
        if first is not None:
            return os.read(descriptor, first)
        # Files of /proc say that they are empty, and growing ones have grown since.
        parts = [os.read(descriptor, min(found.st_size, limit) + 1)]
        while parts[-1] and sum(map(len, parts)) <= limit:
            parts.append(os.read(descriptor, 1 << 20))
        content = b"".join(parts)
        if len(content) > limit:
            raise OSError(errno.EFBIG, f"It is larger than {limit >> 20} MiB", os.fspath(path))
        return content
    finally:
        os.close(descriptor)


def text_of(path: str | os.PathLike[str]) -> str:
    """The text of the file at ``path``; nothing where it cannot be read."""
    try:
        return read_regular(path).decode("utf-8", "replace")
    except OSError:
        return ""


def read_toml(text: str) -> dict[str, Any]:
    """The table that ``text`` is; a byte order mark before it, which Windows likes, says nothing.

    Raises:
        ValueError: it is no TOML, or nested too deeply.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        found: dict[str, Any] = tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return found
