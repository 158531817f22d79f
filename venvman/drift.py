"""Drift: every difference between what the lock selects and what the inventory shows.

Pure, but for asking whether two paths are one thing on the disk.

Two decisions are made here and nowhere else:

* **Versions are equal or they differ.** ``torch==2.8.0`` and an installed ``2.8.0+cpu`` are two
  builds, and the local part is what tells them apart; the looser rule of PEP 440, by which the
  specifier ``==2.8.0`` would admit both, is for requirements. A lock that means ``+cpu`` says so.
* **A file is known by its hash.** A wheel installed from a path is no drift from an index entry
  when its sha256 is one of the entry's; the address then says nothing that matters. In all other
  cases the address is part of what is locked.
"""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING

from venvman.environment.inventory import MetadataKind
from venvman.lock.file import located
from venvman.model.frozen import dataclass
from venvman.model.names import TOOLS, NormalizedName
from venvman.model.sources import ArchiveSource, DirectorySource, VcsSource
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.environment.inventory import Installed, Inventory
    from venvman.lock.file import LockEntry
    from venvman.model.sources import Source

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_USERINFO = re.compile(r"^([a-z0-9+.-]+://)[^/?#]*@", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[A-Z0-9_]+\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Locked, not installed."""

    entry: LockEntry

    @property
    def name(self) -> NormalizedName:
        """The distribution this is about."""
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherVersion:
    """Installed in another version than the locked one."""

    entry: LockEntry
    installed: Installed

    @property
    def name(self) -> NormalizedName:
        """The distribution this is about."""
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSource:
    """From another source than the lock says: URL, commit, hash, folder, editable or not.

    Or from the same folder, whose build metadata is another by now.
    """

    entry: LockEntry
    installed: Installed
    because: str

    @property
    def name(self) -> NormalizedName:
        """The distribution this is about."""
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """Installed, not locked, and not kept on purpose."""

    installed: Installed

    @property
    def name(self) -> NormalizedName:
        """The distribution this is about."""
        return self.installed.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Two or more metadata folders claim the same name; ``entry`` is None when it is not locked."""

    name: NormalizedName
    entry: LockEntry | None
    installed: tuple[Installed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """Locked and installed, but its metadata is broken: ``installed.damage`` says how."""

    entry: LockEntry
    installed: Installed

    @property
    def name(self) -> NormalizedName:
        """The distribution this is about."""
        return self.entry.name


Difference = Missing | OtherVersion | OtherSource | Extra | Duplicate | Damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All differences, sorted by name; falsy when there are none."""

    differences: tuple[Difference, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.differences)


def compare(entries: Sequence[LockEntry], inventory: Inventory, *, root: Path) -> Drift:
    """Every difference between ``entries`` and what is there.

    ``entries`` are those selected for the environment's target, one per name. ``root`` is the
    project root that relative paths of ``entries`` start from. What the user wants left alone is
    not known here: see :func:`venvman.plan.make_plan`.
    """
    locked = {entry.name: entry for entry in entries}
    found: dict[NormalizedName, list[Installed]] = {}
    for installed in inventory.distributions:
        found.setdefault(installed.name, []).append(installed)
    differences: list[Difference] = []
    unchanged = 0
    for name in sorted(locked.keys() | found.keys()):
        difference = _difference(name, locked.get(name), found.get(name, []), root=root)
        if difference is not None:
            differences.append(difference)
        elif name in locked:
            unchanged += 1
    return Drift(differences=tuple(differences), unchanged=unchanged)


def _difference(
    name: NormalizedName, entry: LockEntry | None, found: list[Installed], *, root: Path
) -> Difference | None:
    if entry is None and name in TOOLS:
        return None
    if len(found) > 1:
        return Duplicate(name=name, entry=entry, installed=tuple(found))
    if entry is None:
        return Extra(installed=found[0])
    if not found:
        return Missing(entry=entry)
    installed = found[0]
    if installed.damage is not None:
        return Damaged(entry=entry, installed=installed)
    if _other_version(entry, installed):
        return OtherVersion(entry=entry, installed=installed)
    because = _other_source(entry, installed, root=root)
    if because is None and installed.metadata_changed:
        because = "its build metadata changed"
    return OtherSource(entry=entry, installed=installed, because=because) if because else None


def _other_version(entry: LockEntry, installed: Installed) -> bool:
    if entry.version is None or installed.kind is MetadataKind.EGG_LINK:
        return False
    return installed.version != entry.version


def _other_source(entry: LockEntry, installed: Installed, *, root: Path) -> str | None:
    """Why ``installed`` does not come from where ``entry`` says; None where it does."""
    wanted, found = located(entry.source, root), installed.source
    if wanted.is_index and found.is_index:
        return None
    if isinstance(wanted, VcsSource) and isinstance(found, VcsSource):
        return _other_repository(wanted, found)
    if isinstance(wanted, ArchiveSource) and isinstance(found, ArchiveSource):
        return _other_archive(entry, wanted, found)
    if isinstance(wanted, DirectorySource) and isinstance(found, DirectorySource):
        return _other_folder(wanted, found)
    return _places(wanted, found)


def _other_repository(wanted: VcsSource, found: VcsSource) -> str | None:
    if wanted.vcs != found.vcs or not _same_url(wanted.url, found.url):
        return _places(wanted, found)
    if wanted.subdirectory != found.subdirectory:
        return _folders(wanted.subdirectory, found.subdirectory)
    commit = wanted.commit
    if commit is None and wanted.revision and _COMMIT.fullmatch(wanted.revision):
        commit = wanted.revision
    if commit is not None:
        return None if commit == found.commit else _commits(commit, found.commit)
    # A lock of another tool may name a branch or tag: all that can be compared is the requirement.
    same = wanted.revision in (found.revision, found.commit)
    return None if same else _commits(wanted.revision, found.revision)


def _other_archive(entry: LockEntry, wanted: ArchiveSource, found: ArchiveSource) -> str | None:
    if not _same_url(wanted.url, found.url):
        return _places(wanted, found)
    if wanted.subdirectory != found.subdirectory:
        return _folders(wanted.subdirectory, found.subdirectory)
    # Installers record the algorithms they know: only those both sides have can be compared.
    hashes = {*wanted.hashes, *entry.hashes}
    shared = {_algorithm(text) for text in hashes} & {_algorithm(text) for text in found.hashes}
    if shared and not hashes & set(found.hashes):
        return "the file at its URL had another hash when it was installed"
    return None


def _other_folder(wanted: DirectorySource, found: DirectorySource) -> str | None:
    if not _same_text(wanted.path, normpath(found.path)) and not _is_one(wanted.path, found.path):
        return _places(wanted, found)
    if wanted.subdirectory != found.subdirectory:
        return _folders(wanted.subdirectory, found.subdirectory)
    if wanted.editable != found.editable:
        return (
            "installed editable, locked as a copy"
            if found.editable
            else ("installed as a copy, locked as editable")
        )
    return None


def _same_url(wanted: str, found: str) -> bool:
    """Whether two URLs name one address, credentials aside.

    ``found`` was written by an installer, which drops credentials and expands variables; so a
    ``${VAR}`` of ``wanted`` stands for any text.
    """
    address, other = _address(wanted), _address(found)
    return _same_text(address, other) or _is_one(address, other)


def _is_one(wanted: str, found: str) -> bool:
    """Whether two paths (or ``file:`` URLs) are two names of one thing on this disk."""
    paths = [text.removeprefix("file://") for text in (wanted, found)]
    try:
        return all(path.startswith("/") for path in paths) and Path(paths[0]).samefile(paths[1])
    except (OSError, ValueError):
        return False


def _same_text(wanted: str, found: str) -> bool:
    """Whether ``found`` is ``wanted`` with any text for each ``${VAR}``."""
    parts = [re.escape(part) for part in _REFERENCE.split(wanted)]
    return re.fullmatch(".*".join(parts), found) is not None


def _address(url: str) -> str:
    address = _USERINFO.sub(r"\1", url).rstrip("/")
    if not address.startswith("file:"):
        return address
    from urllib.parse import unquote

    return unquote(address)  # writers of file: URLs differ in what they quote


def _algorithm(text: str) -> str:
    return text.partition(":")[0]


def _places(wanted: Source, found: Source) -> str:
    return f"installed from {_named(found)}, locked from {_named(wanted)}"


def _named(source: Source) -> str:
    return "an index" if source.is_index else redact(str(source))


def _folders(wanted: str | None, found: str | None) -> str:
    return f"installed from its folder {found or '.'}, locked from {wanted or '.'}"


def _commits(wanted: str | None, found: str | None) -> str:
    return f"installed at {_short(found)}, locked at {_short(wanted)}"


def _short(revision: str | None) -> str:
    if revision is None:
        return "the default branch"
    return revision[:12] if _COMMIT.fullmatch(revision) else revision
