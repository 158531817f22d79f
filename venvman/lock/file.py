"""Lock: the pins that an environment is made from, as values free of any text.

The text's grammar is written down in ``docs/reference/lockfile.md``. It is read by
:mod:`venvman.lock.parse` and written by :mod:`venvman.lock.render`.
"""

from __future__ import annotations

from dataclasses import field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.sources import (
    ArchiveSource,
    DirectorySource,
    IndexFile,
    IndexSource,
    Source,
    VcsSource,
)
from venvman.requirements.header import Annotations, LockHeader
from venvman.system.variables import expand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from packaging.markers import Marker
    from packaging.version import Version

    from venvman.model.errors import FileLine
    from venvman.model.names import NormalizedName

__all__ = [
    "Annotations",
    "Lock",
    "LockEntry",
    "LockHeader",
    "located",
    "sort_key",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEntry:
    """One pin.

    ``version`` is None where the text has a direct URL and no version; ``exact`` says that it is
    pinned with ``===``. ``hashes`` are sorted ``sha256:<hex>``. ``via`` is sorted and holds what
    pip-compile writes: ``flask``, ``-r requirements.in``, ``-c constraints.txt``. Folders and local
    archives in ``source`` are relative to the project root unless they lie outside it (see
    :func:`located`). ``files`` are those of the release where the format names them, empty where
    an index is asked; they and ``origin`` do not take part in comparison.
    """

    name: NormalizedName
    version: Version | None
    exact: bool = False
    extras: frozenset[str] = frozenset()
    marker: Marker | None = None
    source: Source = field(default_factory=IndexSource)
    hashes: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    files: tuple[IndexFile, ...] = field(default=(), compare=False)
    origin: FileLine | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """``flask 2.0``; ``flask from URL`` where there is no version, without secrets."""
        from venvman.system.secrets import redact

        if self.version is None:
            return f"{self.name} from {redact(str(self.source))}"
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A whole lock.

    ``entries`` are in the order of :func:`sort_key`. ``options`` are its option lines as written
    (``--find-links ./wheels``). ``unpinned`` names what pip-compile without ``--allow-unsafe``
    mentions in a comment only (setuptools). ``includes`` are the files that it names by ``-r``:
    read from disk (:func:`venvman.lock.io.read_lock`), ``entries`` has their pins too, ``borrowed``
    the names of those. ``project`` is what its notes call the project whose pyproject.toml asks:
    ``shop (pyproject.toml)`` in the text is ``-r pyproject.toml`` in ``via``. ``environments``
    are those that it is for, one of which has to hold; empty where it does not say.
    """

    entries: tuple[LockEntry, ...]
    header: LockHeader
    options: tuple[str, ...] = ()
    annotations: Annotations = Annotations.SPLIT
    unpinned: tuple[NormalizedName, ...] = ()
    includes: tuple[str, ...] = ()
    borrowed: frozenset[NormalizedName] = frozenset()
    project: str | None = None
    environments: tuple[Marker, ...] = ()

    @property
    def own(self) -> tuple[LockEntry, ...]:
        """The pins of the file itself."""
        return tuple(each for each in self.entries if each.name not in self.borrowed)


def sort_key(entry: LockEntry) -> tuple[bool, str, str, str]:
    """pip-compile's order, editables first, then names; lines of one name by their markers."""
    return (
        not entry.source.editable,
        entry.name,
        str(entry.marker or ""),
        str(entry.version or ""),
    )


def located(
    source: Source, root: Path, *, variables: Mapping[str, str] = MappingProxyType({})
) -> Source:
    """``source`` as it is to be fetched: local paths absolute, ``${VAR}`` filled in.

    A variable that is not set stays as it is written.
    """
    if isinstance(source, DirectorySource):
        source = replace(source, path=expand(source.path, variables))
        if source.path.startswith("${"):
            return source
        return replace(source, path=_absolute(source.path, root))
    if isinstance(source, (ArchiveSource, VcsSource)):
        source = replace(source, url=expand(source.url, variables))
    if isinstance(source, ArchiveSource) and source.url.startswith("file:"):
        local = source.url.removeprefix("file:")
        if not local.startswith("/"):
            from urllib.parse import quote, unquote

            return replace(source, url="file://" + quote(_absolute(unquote(local), root)))
    return source


def _absolute(path: str, root: Path) -> str:
    import os

    return os.path.normpath(root / path).replace(os.sep, "/")
