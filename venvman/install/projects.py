"""Sources that must be built: their project folder, for as long as a block lasts.

An archive is downloaded and unpacked, a repository checked out, a local folder used where it is.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from venvman.errors import InstallError
from venvman.files import make_private_folder
from venvman.git import scp_advice
from venvman.install.sdist import unpack_sdist
from venvman.install.vcs import checkout
from venvman.sources import ArchiveSource, DirectorySource, VcsSource
from venvman.variables import expand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.index.client import Index
    from venvman.index.download import Downloaded
    from venvman.install.build import BuildSettings

__all__ = ["download_archive", "local_project", "project_of", "unpacked", "working_folder"]


@contextmanager
def project_of(
    source: ArchiveSource | VcsSource | DirectorySource,
    *,
    index: Index,
    settings: BuildSettings,
    root: Path,
    hashes: tuple[str, ...] = (),
    offline: bool = False,
) -> Iterator[tuple[Path, ArchiveSource | VcsSource | DirectorySource]]:
    """The folder to build, and ``source`` made exact: with the commit, with the archive's hash.

    Raises:
        InstallError, IndexFault, GitError: it could not be had, is not what ``hashes`` say, or is
            not safe to unpack.
    """
    with ExitStack() as stack:
        if isinstance(source, DirectorySource):
            yield local_project(source, root), source
        elif isinstance(source, VcsSource):
            folder = stack.enter_context(working_folder(settings.cache)) / "checkout"
            commit = stack.enter_context(
                checkout(
                    source, folder, cache=settings.cache, variables=settings.variables,
                    offline=offline,
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
