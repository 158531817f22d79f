"""What the store has for lock entries without network or build, and under which keys.

A key holds everything that decides the answer: the source, the target, and what shapes a build. It
is a digest, so that it tells nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.environment.directurl import write_direct_url
from venvman.model.frozen import dataclass
from venvman.model.options import source_of
from venvman.model.sources import ArchiveSource, IndexSource, VcsSource
from venvman.obtain.errors import disagreement
from venvman.project.localproject import metadata_digest, versions_of
from venvman.system.secrets import without_secret

if TYPE_CHECKING:
    from venvman.build.backend import BuildContext
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.sources import Source
    from venvman.model.target import Target
    from venvman.store.store import Store, StoredWheel


def target_digest(target: Target) -> str:
    """What stands for ``target`` in every key."""
    return _digest(target.python, target.tags)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


# Made by builds, tests and tools, not by people.
_IGNORED_FOLDERS = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".bzr", ".tox", ".nox", ".mypy_cache", ".ruff_cache",
     ".pytest_cache", ".hypothesis", "node_modules", "build", "dist", ".eggs", ".venvman"}
)  # fmt: skip
_IGNORED_SUFFIXES = (".pyc", ".pyo", ".egg-info", ".dist-info")


def tree_digest(folder: Path) -> str:
    """The sha256 (hex) of paths, sizes, rights and modification times of all files in ``folder``.

    Left out: version control, caches, environments, and what builds leave behind (``build``,
    ``dist``, ``*.egg-info``), since the build itself changes those. A file rewritten with equal
    size and time is not noticed, nor is a commit that only a version derived from tags shows.
    """
    rows = []
    for parent, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [
            name
            for name in folders
            if name not in _IGNORED_FOLDERS and not name.endswith(_IGNORED_SUFFIXES)
        ]
        for name in files:
            if name.endswith(_IGNORED_SUFFIXES):
                continue
            path = Path(parent, name)
            seen = path.lstat()
            row = (os.fsencode(path.relative_to(folder)), seen.st_size, seen.st_mtime_ns)
            rows.append(repr((*row, seen.st_mode & 0o111)).encode())
    return hashlib.sha256(b"".join(sorted(rows))).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Obtained:
    """A verified wheel; ``direct_url`` is the content of ``direct_url.json``, None for an index."""

    wheel: StoredWheel
    direct_url: bytes | None = None


def obtained(wheel: StoredWheel, source: Source) -> Obtained:
    """``wheel`` from ``source``, which is exact: with the commit, with the archive's hash."""
    return Obtained(wheel=wheel, direct_url=write_direct_url(source))


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """``store``, asked by keys of what ``context`` has; folders are seen from ``root``.

    ``target`` is the :func:`target_digest` of the interpreter.
    """

    store: Store
    root: Path
    target: str
    context: BuildContext

    def recall(self, entry: LockEntry) -> Obtained | None:
        """What ``entry`` came to, if that is still what it names."""
        source = entry.source
        if isinstance(source, IndexSource):
            return self._known(entry, self.of_pin(entry))
        if isinstance(source, ArchiveSource):
            return self._recall_archive(entry, source)
        if isinstance(source, VcsSource):
            if source.commit is None:
                return None
            return self._known(entry, self.of_commit(entry.name, source))
        folder = Path(self.root, source.path, source.subdirectory or "")
        if not folder.is_dir():
            return None
        key = self.of_folder(entry.name, folder, editable=source.editable)
        return self._known(entry, key)

    def wheel(self, key: str) -> StoredWheel | None:
        """The wheel remembered under ``key``."""
        sha256 = self.store.recall(key)
        return None if sha256 is None else self.store.get(sha256)

    def _known(self, entry: LockEntry, key: str) -> Obtained | None:
        """None also for a wheel of another name or version: getting it anew tells why."""
        wheel = self.wheel(key)
        if wheel is None or disagreement(wheel, entry) is not None:
            return None
        return obtained(wheel, entry.source)

    def _recall_archive(self, entry: LockEntry, source: ArchiveSource) -> Obtained | None:
        """By hash alone: what lies at the URL now may be something else."""
        for text in (*entry.hashes, *source.hashes):
            algorithm, _, digest = text.partition(":")
            if algorithm != "sha256":
                continue
            key = self.of_sdist(entry.name, digest, source.subdirectory)
            wheel = self.store.get(digest) or self.wheel(key)
            if wheel is not None and disagreement(wheel, entry) is None:
                return obtained(wheel, replace(source, hashes=(text,)))
        return None

    def of_pin(self, entry: LockEntry) -> str:
        """An index entry: which of its hashes fits the target.

        Without hashes, what the indexes offer decides; so they are part of the key.
        """
        options = self.context.options
        binary = [
            wanted in names
            for names in (options.no_binary, options.only_binary)
            for wanted in (entry.name, ":all:")
        ]
        own = source_of(entry.name, options)
        urls = (own,) if own else (*options.preferred, *options.index_urls, *options.find_links)
        shown = [without_secret(url) for url in urls]
        return self._key(
            "pin", entry.name, str(entry.version), entry.hashes or shown, binary,
            options.prefer_binary, self._shape(entry.name),
        )  # fmt: skip

    def of_sdist(self, name: NormalizedName, sha256: str, subdirectory: str | None) -> str:
        """What the source archive with ``sha256`` is built into."""
        return self._key("sdist", sha256, subdirectory, self._shape(name))

    def of_commit(self, name: NormalizedName, source: VcsSource) -> str:
        """What a commit is built into; ``source.commit`` is known."""
        checkout = (source.vcs, without_secret(source.url), source.commit, source.subdirectory)
        return self._key("commit", checkout, self._shape(name))

    def of_folder(self, name: NormalizedName, folder: Path, *, editable: bool) -> str:
        """What a local folder is built into.

        An editable one by the contents of the files that make its metadata: its modules are read
        where they are. Else by the whole tree, see :func:`tree_digest`. Two folders never share a
        key: an editable wheel holds its path.
        """
        digest = metadata_digest(folder) if editable else tree_digest(folder)
        digest += versions_of(folder)
        return self._key("folder", str(folder), editable, digest, self._shape(name))

    def _shape(self, name: NormalizedName) -> object:
        settings = self.context.settings
        shape: list[object] = [settings.config_settings.get(name, ()), settings.constraints]
        if name in settings.extra or name in settings.unisolated:
            shape += [settings.extra.get(name, ()), name in settings.unisolated]
        return shape

    def _key(self, kind: str, *parts: object) -> str:
        return f"{kind}:{_digest(self.target, *parts)}"
