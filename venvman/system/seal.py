"""Seals: what this user of this machine has written into one environment, told from all else.

venvman keeps state inside environments (``.venvman``), and an environment may come from anywhere:
with ``git clone``, out of an archive, copied from beside, written into by a wheel. State counts
only where it bears a seal: a digest keyed by a secret of this user's state folder over the path of
the environment, the inode of its ``.venvman``, the name of the file and what it holds. Anything
else counts as absent.

    <environment>/.venvman/owner    says that the folder as a whole was made here
    <environment>/.venvman/<name>   a seal (32 hex digits), a line end, and the content

The device does not count, since a file system may have another number after each start. An
environment that was moved, or whose user has lost the state folder, is like one that another tool
made: it is adopted again. Imports next to nothing.
"""

from __future__ import annotations

import os
import stat

from venvman.system.privacy import private, state_folder, temporary_folder
from venvman.system.reading import read_regular
from venvman.system.writing import replace

STATE = ".venvman"
"""The folder inside an environment that is venvman's own."""
OWNER = "owner"
"""In :data:`STATE`: the seal of the folder itself."""
_KEY = "key"
_LENGTH = 32


def own(root: str, *, known_as: str | None = None) -> None:
    """Makes ``.venvman`` in ``root``, which exists, this user's; what is of anyone else there goes.

    ``known_as`` is the path of the environment where it lies elsewhere for the moment.

    Raises:
        OSError: it cannot be made.
    """
    if is_own(root, known_as=known_as):
        return
    folder = os.path.join(root, STATE)
    if not _is_free(folder) and not is_own(root, known_as=known_as):
        from pathlib import Path

        from venvman.system.files import remove_tree

        remove_tree(Path(folder))
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    # Two processes that do this at once write the same.
    replace(os.path.join(folder, OWNER), _seal(folder, known_as or root, OWNER, b"", make=True))


def is_own(root: str, *, known_as: str | None = None) -> bool:
    """Whether ``.venvman`` in ``root`` was made by this user for this very environment."""
    folder = os.path.join(root, STATE)
    try:
        found = read_regular(os.path.join(folder, OWNER), limit=_LENGTH)
        return found == _seal(folder, known_as or root, OWNER, b"")
    except OSError:
        return False


def sealed(root: str, name: str, content: bytes) -> bytes:
    """What the file ``name`` of the environment ``root`` holds so that :func:`read` believes it.

    Raises:
        OSError: there is no folder for it, or no secret can be kept.
    """
    own(root)
    return _seal(os.path.join(root, STATE), root, name, content, make=True) + b"\n" + content


def open_sealed(root: str, name: str, found: bytes) -> bytes | None:
    """The content of what :func:`sealed` made of it; None where somebody else did."""
    seal, content = found[:_LENGTH], found[_LENGTH + 1 :]
    try:
        expected = _seal(os.path.join(root, STATE), root, name, content)
    except OSError:
        return None
    return content if seal == expected else None


def read(root: str, name: str) -> bytes | None:
    """The content of the file ``name`` (below ``.venvman``); None where there is none of ours.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    return open_sealed(root, name, read_regular(os.path.join(root, STATE, name)))


def holds(root: str, name: str) -> bool:
    """Whether there is a file ``name`` that bears a seal."""
    try:
        return read(root, name) is not None
    except OSError:
        return False


def write(root: str, name: str, content: bytes) -> None:
    """Puts ``content`` into the file ``name`` in one step.

    Raises:
        OSError: it cannot be written.
    """
    replace(os.path.join(root, STATE, name), sealed(root, name, content))


def _seal(folder: str, root: str, name: str, content: bytes, *, make: bool = False) -> bytes:
    # hashlib, its public face, takes longer to import than all that is digested here.
    from _blake2 import blake2b

    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is not a folder")
    if found.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    about = repr((os.fsencode(os.path.realpath(root)), found.st_ino, name)).encode()
    digest = blake2b(key=_secret(make=make), digest_size=_LENGTH // 2)
    digest.update(about + b"\n" + content)
    return digest.hexdigest().encode()


def _secret(*, make: bool) -> bytes:
    """This user's secret; made where there is none yet.

    Raises:
        OSError: there is none, or it cannot be kept.
    """
    state = private(state_folder(os.environ))
    if _is_kept(state):
        return _kept(state)
    if not make:
        return _kept(temporary_folder())
    try:
        return _kept_or_made(state)
    except OSError:
        # A container may run with a home that nobody can write to.
        return _kept_or_made(temporary_folder())


def _kept_or_made(folder: str) -> bytes:
    if _is_kept(folder):
        return _kept(folder)
    path = os.path.join(folder, _KEY)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, os.urandom(_LENGTH))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        # Of two processes that make one, the first has made it for both.
        os.link(temporary, path)
    except OSError:
        # It is there by now; or it is damaged, or the file system knows no such links.
        if _is_kept(folder):
            return _kept(folder)
        os.replace(temporary, path)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
    return _kept(folder)


def _is_kept(folder: str) -> bool:
    try:
        return bool(_kept(folder))
    except OSError:
        return False


def _kept(folder: str) -> bytes:
    descriptor = os.open(os.path.join(folder, _KEY), os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        mine = found.st_uid == os.getuid()
        if not (stat.S_ISREG(found.st_mode) and mine) or found.st_mode & 0o077:
            raise PermissionError(f"{folder}/{_KEY} is not private")
        secret = os.read(descriptor, _LENGTH + 1)
    finally:
        os.close(descriptor)
    if len(secret) != _LENGTH:
        raise OSError(f"{folder}/{_KEY} is damaged")
    return secret


def _is_free(folder: str) -> bool:
    """Whether ``folder`` is not there, or nothing is in it but what :func:`own` begins with."""
    if os.path.islink(folder):
        return False
    try:
        return all(name.startswith(OWNER) for name in os.listdir(folder))
    except FileNotFoundError:
        return True
    except OSError:
        return False
