"""Under which key the store remembers what a lock entry came to.

A key holds everything that decides the answer: the source, the target, and what shapes a build. It
is a digest, so that it tells nothing.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from venvman.install.tree import tree_digest
from venvman.localproject import metadata_digest
from venvman.projectinputs import versions_of
from venvman.secrets import without_secret

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.install.build import BuildSettings
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName
    from venvman.options import IndexOptions
    from venvman.sources import VcsSource
    from venvman.target import Target

__all__ = ["Identities", "target_digest"]


def target_digest(target: Target) -> str:
    """What stands for ``target`` in every key."""
    return _digest(target.python, target.tags)


class Identities:
    """The keys for one target (by its :func:`target_digest`) and one set of options."""

    def __init__(self, *, target: str, options: IndexOptions, build: BuildSettings) -> None:
        self._target = target
        self._options = options
        self._build = build

    def of_pin(self, entry: LockEntry) -> str:
        """An index entry: which of its hashes fits the target.

        Without hashes, what the indexes offer decides; so they are part of the key.
        """
        options = self._options
        binary = [
            wanted in names
            for names in (options.no_binary, options.only_binary)
            for wanted in (entry.name, ":all:")
        ]
        places = [without_secret(url) for url in (*options.index_urls, *options.find_links)]
        return self._key(
            "pin", entry.name, str(entry.version), entry.hashes or places, binary,
            options.prefer_binary, self._shape(entry.name),
        )  # fmt: skip

    def of_sdist(self, name: NormalizedName, sha256: str, subdirectory: str | None) -> str:
        """What the source archive with ``sha256`` is built into."""
        return self._key("sdist", sha256, subdirectory, self._shape(name))

    def of_commit(self, name: NormalizedName, source: VcsSource) -> str:
        """What a commit is built into; ``source.commit`` is known."""
        place = (source.vcs, without_secret(source.url), source.commit, source.subdirectory)
        return self._key("commit", place, self._shape(name))

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
        return [self._build.config_settings.get(name, ()), self._build.constraints]

    def _key(self, kind: str, *parts: object) -> str:
        return f"{kind}:{_digest(self._target, *parts)}"


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
