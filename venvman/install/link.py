"""Getting files out of the store: shared blocks, else shared inodes, else copies.

A filesystem says only by refusing what it cannot do, so each method is tried until it fails for the
first time. Files are looked at before they are linked: what no longer has the size and time of its
manifest was edited through another environment, and is not spread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, InstallError, Problem, Severity
from venvman.project.settings import Link
from venvman.system.writing import write_new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from venvman.store.store import StoredWheel

# FICLONE, linux/fs.h: _IOW(0x94, 9, int).
_FICLONE = 0x40049409
_CANNOT = frozenset(
    {errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
    | {errno.EINVAL, errno.ENOTTY}
)

_MANY = 1_000
"""Files of one distribution that are linked by two threads."""


class StoreDamaged(InstallError):
    """Files in the store were changed after unpacking; ``wheels`` must be fetched again.

    Nothing was installed. The caller discards the entries
    (:meth:`venvman.store.store.Store.discard`), obtains them anew and commits again.
    """

    def __init__(self, damaged: Sequence[tuple[StoredWheel, str]]) -> None:
        problems = [
            Problem(
                code="store-damaged",
                message=f"{path} in the store was changed after it was unpacked.",
                path=f"{wheel.folder}/{path}",
                why="Environments that share the file with the store have the change too.",
            )
            for wheel, path in damaged
        ]
        super().__init__(problems[0].message, code="store-damaged", problems=problems)
        self.wheels = tuple(wheel for wheel, _ in damaged)


class Linker:
    """Links files of stored wheels into one folder, in the way that ``link`` asks for.

    ``AUTO`` tries reflinks, then hard links, then copies; a named way is given up for copies where
    the filesystem refuses it. ``used`` is the way of the last file.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._methods: dict[int, list[Link]] = {}
        self.used = Link.COPY
        self._umask: int | None = None
        self._refused: tuple[str, str] | None = None

    def given_up(self, environment: str) -> Problem | None:
        """The warning that a way asked for by name could not be gone; None if it was, or none was.

        ``environment`` is where the files went, as people see it.
        """
        if self._refused is None or self._link is Link.AUTO:
            return None
        file, why = self._refused
        # <cache>/wheels-v1/<aa>/<sha256>/files/...: the hashes tell nobody anything.
        folder = file.partition("/wheels-v1/")[0]
        return Problem(
            code="link-refused",
            message=f"Files were copied: {self._link.value} is not possible from {folder} to "
            f"{environment}.",
            severity=Severity.WARNING,
            path=environment,
            why=f"{why}. The two folders must lie on one filesystem that knows such links.",
            fix=Advice("Put the cache onto that filesystem, or ask for another way: auto, say."),
        )

    def link_all(
        self, wheel: StoredWheel, files: Iterable[tuple[int, str]], into: str
    ) -> str | None:
        """Links ``files`` of ``wheel``, as (index into its manifest, target below ``into``).

        Returns the path of the first file that is not what the manifest says; what is linked by
        then is the caller's to remove. Folders are made as needed; a later file replaces an
        earlier one with the same target.

        Raises:
            OSError: the target cannot be written.
        """
        wanted = list({target: index for index, target in files}.items())
        methods, allowed = self._methods_for(str(wheel.folder)), ~self._umask_in(into)
        if len(wanted) < _MANY:
            return self._link_share(wheel, wanted, into, methods, allowed)
        # Looking and linking release the interpreter's lock for most of their time.
        from venvman.system.workers import together

        half = len(wanted) // 2
        shares = (wanted[:half], wanted[half:])
        tasks = [partial(self._link_share, wheel, each, into, methods, allowed) for each in shares]
        return next(filter(None, together(tasks)), None)

    def _link_share(
        self,
        wheel: StoredWheel,
        files: list[tuple[str, int]],
        into: str,
        methods: list[Link],
        allowed: int,
    ) -> str | None:
        manifest = wheel.manifest
        paths, sizes, mtime_ns = manifest.paths, manifest.sizes, manifest.mtime_ns
        made: set[str] = set()
        source_root = str(wheel.folder)
        for target, index in files:
            folder = target.rpartition("/")[0]
            if folder not in made:
                _make_folders(into, folder, made)
            source = f"{source_root}/{paths[index]}"
            try:
                found = os.lstat(source)
            except FileNotFoundError:
                return paths[index]
            if found.st_size != sizes[index] or found.st_mtime_ns != mtime_ns:
                return paths[index]
            mode = (0o755 if index in manifest.executable else 0o644) & allowed
            self._link_one(methods, source, f"{into}/{target}", found, mode)
        return None

    def _umask_in(self, folder: str) -> int:
        """What is not to be allowed to others, found by making a file: asking would change it."""
        if self._umask is None:
            path = f"{folder}/.venvman-umask"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o777)
            try:
                self._umask = ~os.fstat(descriptor).st_mode & 0o777
            finally:
                os.close(descriptor)
                os.unlink(path)
        return self._umask

    def _methods_for(self, folder: str) -> list[Link]:
        device = os.stat(folder).st_dev
        if device not in self._methods:
            wanted = {
                Link.AUTO: [Link.REFLINK, Link.HARDLINK, Link.COPY],
                Link.REFLINK: [Link.REFLINK, Link.COPY],
                Link.HARDLINK: [Link.HARDLINK, Link.COPY],
                Link.COPY: [Link.COPY],
            }
            self._methods[device] = wanted[self._link]
        return self._methods[device]

    def _link_one(
        self, methods: list[Link], source: str, target: str, found: os.stat_result, mode: int
    ) -> None:
        while methods:
            method = methods[0]
            try:
                _HOW[method](source, target, found, mode)
            except FileExistsError:
                os.unlink(target)
            except OSError as error:
                if method is Link.COPY:
                    raise
                if error.errno == errno.EMLINK:
                    # This one file has too many names; the next may have fewer.
                    _copy(source, target, found, mode)
                    return
                if error.errno not in _CANNOT:
                    raise
                with contextlib.suppress(ValueError):  # the other share may have been first
                    methods.remove(method)
                self._refused = (source, error.strerror or str(error))
            else:
                self.used = method
                return


def write_file(path: str, content: bytes, *, mtime_ns: int, executable: bool = False) -> None:
    """Writes a generated file with the time of the distribution's others; replaces what is there.

    Raises:
        OSError: as writing raises.
    """
    if os.path.lexists(path):
        os.unlink(path)
    write_new(path, [content], mode=0o777 if executable else 0o666)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def _make_folders(root: str, folder: str, made: set[str]) -> None:
    """Makes ``folder`` below ``root`` with all on the way, each at most once (``made``)."""
    if not folder or folder in made:
        return
    _make_folders(root, folder.rpartition("/")[0], made)
    with contextlib.suppress(FileExistsError):
        os.mkdir(f"{root}/{folder}")
    made.add(folder)


def _reflink(source: str, target: str, found: os.stat_result, mode: int) -> None:
    import fcntl

    with open(source, "rb", buffering=0) as origin:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            fcntl.ioctl(descriptor, _FICLONE, origin.fileno())
            os.utime(descriptor, ns=(found.st_mtime_ns, found.st_mtime_ns))
        except BaseException:
            os.unlink(target)
            raise
        finally:
            os.close(descriptor)


def _hardlink(source: str, target: str, found: os.stat_result, mode: int) -> None:
    if found.st_mode & 0o777 == mode:
        os.link(source, target)
    else:
        _copy(source, target, found, mode)  # all names of a file have one mode


def _copy(source: str, target: str, found: os.stat_result, mode: int) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "it is there already", target)
    shutil.copyfile(source, target)
    os.chmod(target, mode)
    os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))


_HOW: dict[Link, Callable[[str, str, os.stat_result, int], None]] = {
    Link.REFLINK: _reflink,
    Link.HARDLINK: _hardlink,
    Link.COPY: _copy,
}
