"""Where a distribution comes from: an index, an archive, a version control system, a folder.

The same four cases describe a requirement, a lock entry and an installed distribution
(``direct_url.json``, PEP 610), so that drift is a comparison of values.
"""

from __future__ import annotations

import posixpath

from venvman.model.frozen import dataclass


class _Source:
    """What all can be asked, whichever case they are."""

    __slots__ = ()

    is_index = False
    """Whether a version says which one is meant."""
    is_file = False
    """Whether it comes to a file that hashes can be checked of."""
    editable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSource(_Source):
    """Any index or find-links folder: the name, version and hashes say which file."""

    is_index = True
    is_file = True

    def __str__(self) -> str:
        return "index"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSource(_Source):
    """A wheel or sdist at a URL (``https:``, ``file:``).

    ``url`` has no fragment and may hold ``${VAR}`` unexpanded or credentials: text for people goes
    through :func:`venvman.system.secrets.redact`. ``hashes`` are ``sha256:...`` taken from the
    fragment.
    """

    is_file = True

    url: str
    hashes: tuple[str, ...] = ()
    subdirectory: str | None = None

    def __str__(self) -> str:
        return self.url + _within(self.subdirectory)


@dataclass(frozen=True, slots=True, kw_only=True)
class VcsSource(_Source):
    """A repository: ``vcs`` is ``git``, ``hg``, ``svn`` or ``bzr``; ``url`` has no ``git+`` prefix.

    ``revision`` is what was asked for (branch, tag, commit, or None for the default branch),
    ``commit`` the full commit id it was resolved to, where that is known.
    """

    vcs: str
    url: str
    revision: str | None = None
    commit: str | None = None
    subdirectory: str | None = None

    def __str__(self) -> str:
        at = self.commit or self.revision
        return f"{self.vcs}+{self.url}" + (f"@{at}" if at else "") + _within(self.subdirectory)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySource(_Source):
    """A local project folder. ``path`` is absolute (POSIX separators on every platform)."""

    path: str
    editable: bool = False
    subdirectory: str | None = None

    @property
    def folder(self) -> str:
        """The project's own folder, which may lie within ``path``."""
        return posixpath.join(self.path, self.subdirectory or "").rstrip("/")

    def __str__(self) -> str:
        return ("-e " if self.editable else "") + self.path + _within(self.subdirectory)


def _within(subdirectory: str | None) -> str:
    return f"#subdirectory={subdirectory}" if subdirectory else ""


Source = IndexSource | ArchiveSource | VcsSource | DirectorySource


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """A wheel or sdist that an index or a find-links location offers.

    ``url`` is absolute, without fragment. ``hashes`` are ``sha256:<hex>`` (strong algorithms
    only, possibly none). ``yanked`` is the reason (``""`` if none was given) or None if the file
    is not yanked. ``size`` is bytes, ``upload_time`` RFC 3339 text. ``metadata_hash`` is
    ``sha256:<hex>`` of the file's ``.metadata`` sibling (PEP 658), ``""`` where the sibling is
    there without a hash, and None where it is not there.
    """

    filename: str
    url: str
    hashes: tuple[str, ...] = ()
    requires_python: str | None = None
    yanked: str | None = None
    size: int | None = None
    upload_time: str | None = None
    metadata_hash: str | None = None

    @property
    def is_wheel(self) -> bool:
        """Whether it can be installed without building."""
        return self.filename.endswith(".whl")
