"""Entries without a wheel to download, built into the store and remembered there."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from venvman.install.build import build_wheel
from venvman.install.memory import Obtained, obtained
from venvman.install.projects import local_project, project_of, unpacked, working_folder
from venvman.install.refusals import label_of, refuse_disagreement
from venvman.install.vcs import resolve_commit
from venvman.sources import ArchiveSource, DirectorySource, VcsSource

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.events import Reporter
    from venvman.index.client import Index
    from venvman.index.download import Downloaded
    from venvman.install.build import BuildSettings
    from venvman.install.identity import Identities
    from venvman.install.memory import Memory
    from venvman.lock.file import LockEntry
    from venvman.options import IndexOptions
    from venvman.python.probe import Interpreter
    from venvman.store.store import Store, StoredWheel

__all__ = ["Builder"]


class Builder:
    """Builds for ``interpreter``. Not for several threads: builds are one after another."""

    def __init__(
        self,
        *,
        interpreter: Interpreter,
        index: Index,
        store: Store,
        memory: Memory,
        identities: Identities,
        root: Path,
        options: IndexOptions,
        settings: BuildSettings,
        reporter: Reporter,
    ) -> None:
        self._interpreter = interpreter
        self._index = index
        self._store = store
        self._memory = memory
        self._identities = identities
        self._root = root
        self._options = options
        self._settings = settings
        self._reporter = reporter

    def archive(self, entry: LockEntry, archive: Downloaded) -> StoredWheel:
        """The wheel of a source archive that was downloaded and found to be the right one.

        Raises:
            InstallError: it is not safe to unpack, cannot be built, or holds something else.
        """
        source = entry.source
        subdirectory = source.subdirectory if isinstance(source, ArchiveSource) else None
        key = self._identities.of_sdist(entry.name, archive.sha256, subdirectory)
        known = self._memory.wheel(key)
        if known is not None:
            refuse_disagreement(known, entry)
            return known
        with unpacked(archive.path, subdirectory) as project:
            return self._build(entry, project, key)

    def repository(self, entry: LockEntry, source: VcsSource) -> Obtained:
        """The wheel of a commit, resolved first where the entry has none.

        Raises:
            InstallError, GitError: it could not be had or built.
        """
        source = resolve_commit(
            source,
            cache=self._settings.cache,
            variables=self._settings.variables,
            offline=self._options.offline,
        )
        key = self._identities.of_commit(entry.name, source)
        known = self._memory.wheel(key)
        if known is not None:
            refuse_disagreement(known, entry)
            return obtained(known, source)
        with project_of(
            source,
            index=self._index,
            settings=self._settings,
            root=self._root,
            offline=self._options.offline,
        ) as (project, _):
            return obtained(self._build(entry, project, key), source)

    def folder(self, entry: LockEntry, source: DirectorySource) -> Obtained:
        """The wheel, or the editable wheel, of a local folder as it is now.

        Raises:
            InstallError: the folder is not there or cannot be built.
        """
        project = local_project(source, self._root)
        # Before the build, which may leave files behind that count for the tree's digest.
        key = self._identities.of_folder(entry.name, project, editable=source.editable)
        wheel = self._build(entry, project, key, editable=source.editable)
        return obtained(wheel, source)

    def _build(
        self, entry: LockEntry, project: Path, key: str, *, editable: bool = False
    ) -> StoredWheel:
        with working_folder(self._settings.cache) as output:
            path = build_wheel(
                project,
                output,
                label=label_of(entry),
                editable=editable,
                config_settings=self._settings.config_settings.get(entry.name, ()),
                interpreter=self._interpreter,
                options=self._options,
                settings=self._settings,
                reporter=self._reporter,
            )
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            wheel = self._store.add(path, sha256=digest)
        refuse_disagreement(wheel, entry)
        self._store.remember(key, wheel.sha256)
        return wheel
