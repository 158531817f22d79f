"""Inventory: the distributions found in an environment, read from outside.

No process is started in the environment: site-packages is read with the standard library, so a
dangling interpreter or a broken package cannot hide what is there.
"""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from venvman.model.frozen import dataclass
from venvman.model.metadata import (
    CoreMetadata,
    name_and_version,
    parse_metadata,
    parse_requires_txt,
)
from venvman.model.names import canonical
from venvman.model.sources import DirectorySource, IndexSource, Source
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

    from venvman.environment.inspection import Environment
    from venvman.model.names import NormalizedName

# "a valid name consists only of ASCII letters and numbers, period, underscore and hyphen. It must
# start and end with a letter or number" (PEP 508). pip's half-removed folders never are one.
_VALID_NAME = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?", re.IGNORECASE)
# Name and Version stand at the top of every METADATA; the rest (a README, mostly) is not read.
_HEAD = 2048


class MetadataKind(str, Enum):
    """How a distribution's metadata lies on disk."""

    DIST_INFO = "dist-info"
    EGG_INFO_FOLDER = "egg-info"
    EGG_INFO_FILE = "egg-info-file"
    """distutils: no list of files, so nothing can be removed safely."""
    EGG_LINK = "egg-link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One distribution found.

    ``version`` is None where it cannot be read; ``damage`` then says why, as it does for a missing
    METADATA or RECORD: a clause such as "RECORD is missing", None when nothing is wrong. An
    egg-link is not damaged, but its version lies outside the environment and is None.
    ``metadata`` is the absolute path of the metadata folder or file. ``source`` is from
    ``direct_url.json`` (PEP 610), an index without it. ``metadata_changed`` says that it was built
    from a local folder whose build metadata (:func:`venvman.project.localproject.inputs_of`) is not
    what it was then: its version, dependencies or scripts may be others by now.
    """

    name: NormalizedName
    spelled: str
    version: Version | None
    kind: MetadataKind = MetadataKind.DIST_INFO
    metadata: Path
    source: Source = field(default_factory=IndexSource)
    installer: str | None = None
    requested: bool = False
    damage: str | None = None
    metadata_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Every distribution of one environment, sorted by name, then metadata path.

    Two entries may share a name: that is a kind of drift. ``leftovers`` are absolute paths of
    half-removed folders (``~ip``), which pip leaves when it is stopped.
    """

    distributions: tuple[Installed, ...]
    leftovers: tuple[Path, ...] = ()


Fact: TypeAlias = tuple[int, int, int]
"""Inode, mtime and ctime of metadata, the times in nanoseconds."""
Seen: TypeAlias = dict[str, tuple[Fact, Installed]]
"""What was read before, by path of the metadata, with the fact by which it is known again."""

# In the grain of the clock that a file system's times come from, which may be two seconds, a change
# leaves no trace.
_YOUNG_NS = 2_000_000_000


def take_inventory(environment: Environment, *, seen: Seen | None = None) -> Inventory:
    """What is installed in ``environment``; the base interpreter's packages never count.

    A command that looks again and again gives ``seen``, at first empty, every time: metadata that
    came or went or was replaced since is read, and what is as it was is not.

    Raises:
        OSError: site-packages is there and cannot be read.
    """
    folders = (environment.paths.purelib, environment.paths.platlib)
    inventory = read_site_packages(folders, seen=seen)
    if not any(isinstance(each.source, DirectorySource) for each in inventory.distributions):
        return inventory
    return replace(
        inventory, distributions=_against_folders(inventory.distributions, environment.root)
    )


def read_site_packages(folders: Iterable[Path], *, seen: Seen | None = None) -> Inventory:
    """The distributions whose metadata lies directly in ``folders`` (absolute paths).

    A folder named twice (``lib64`` is often a link to ``lib``) is read once, one that does not
    exist holds nothing. Neither ``.pth`` files nor egg-links are followed. ``seen`` is as in
    :func:`take_inventory`.

    Raises:
        OSError: a folder is there and cannot be read.
    """
    found: list[Installed] = []
    leftovers: list[Path] = []
    read = _read_anew if seen is None else _Reader(seen)
    once = {os.path.realpath(folder): folder for folder in reversed(tuple(folders))}
    for folder in once.values():
        entries: list[os.DirEntry[str]] = []
        with suppress(FileNotFoundError), os.scandir(folder) as listed:
            entries = list(listed)
        for entry in entries:
            if entry.name.startswith("~"):
                leftovers += [Path(entry.path)] if entry.is_dir() else []
                continue
            kind = _kind_of(entry)
            if kind is None:
                continue
            stem = entry.name.rpartition(".")[0]
            if _VALID_NAME.fullmatch(stem.partition("-")[0]):
                found.append(read(kind, entry.path, stem))
            else:
                leftovers.append(Path(entry.path))
    return Inventory(
        distributions=tuple(sorted(found, key=lambda each: (each.name, str(each.metadata)))),
        leftovers=tuple(sorted(leftovers)),
    )


def metadata_of(installed: Installed) -> CoreMetadata | None:
    """What ``installed`` says about itself and needs; None where nothing can be read.

    Reads its METADATA, or PKG-INFO and ``requires.txt`` for an egg-info folder. An egg-link has
    its metadata outside the environment, which is not looked at.
    """
    path = installed.metadata
    try:
        if installed.kind is MetadataKind.DIST_INFO:
            return parse_metadata(read_regular(path / "METADATA"))
        if installed.kind is MetadataKind.EGG_INFO_FILE:
            return parse_metadata(read_regular(path))
        if installed.kind is MetadataKind.EGG_INFO_FOLDER:
            metadata = parse_metadata(read_regular(path / "PKG-INFO"))
            listed = path / "requires.txt"
            if metadata.requires or not listed.is_file():
                return metadata
            text = read_regular(listed).decode("utf-8", "replace")
            return metadata._replace(requires=parse_requires_txt(text))
    except OSError:
        return None
    return None


def _against_folders(found: tuple[Installed, ...], root: Path) -> tuple[Installed, ...]:
    """``found`` with ``metadata_changed``, as far as venvman's ledger knows what was there."""
    from venvman.environment.ledger import read_ledger
    from venvman.project.localproject import described

    ledger = read_ledger(root)

    def changed(installed: Installed) -> bool:
        if not isinstance(installed.source, DirectorySource):
            return False
        known = ledger.known(ledger.info_of(installed.metadata))
        if known is None or not known.described:
            return False
        # Of a folder that is gone nothing better can be built.
        return described(installed.source) not in (known.described, "")

    return tuple(replace(each, metadata_changed=True) if changed(each) else each for each in found)


class _Reader:
    """Reads metadata that is not as it was when ``seen`` was filled."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._trusted = time.time_ns() - _YOUNG_NS

    def __call__(self, kind: MetadataKind, path: str, stem: str) -> Installed:
        try:
            found = os.lstat(path)
        except OSError:
            return _read_anew(kind, path, stem)
        fact = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        known = self._seen.get(path)
        if known is not None and known[0] == fact:
            return known[1]
        installed = _read_anew(kind, path, stem)
        if max(fact[1:]) < self._trusted:
            self._seen[path] = (fact, installed)
        return installed


def _read_anew(kind: MetadataKind, path: str, stem: str) -> Installed:
    match kind:
        case MetadataKind.DIST_INFO:
            return _read_dist_info(path, stem)
        case MetadataKind.EGG_LINK:
            return _read_egg_link(path, stem)
        case MetadataKind.EGG_INFO_FOLDER | MetadataKind.EGG_INFO_FILE:
            return _read_egg_info(path, stem, kind)


def _kind_of(entry: os.DirEntry[str]) -> MetadataKind | None:
    name = entry.name.lower()
    if name.endswith(".dist-info"):
        return MetadataKind.DIST_INFO
    if name.endswith(".egg-info"):
        return MetadataKind.EGG_INFO_FOLDER if entry.is_dir() else MetadataKind.EGG_INFO_FILE
    return MetadataKind.EGG_LINK if name.endswith(".egg-link") else None


def _read_dist_info(path: str, stem: str) -> Installed:
    name, _, version = stem.partition("-")
    present, damage = _listed(path)
    if "METADATA" in present:
        name, version, fault = _named_in(f"{path}/METADATA", name=name, version=version)
        damage = damage or fault
    source: Source = IndexSource()
    if "direct_url.json" in present:
        source, fault = _direct_url(path)
        damage = damage or fault
    parsed = _version(version)
    installer = b""
    if "INSTALLER" in present:
        with suppress(OSError):
            installer = read_regular(f"{path}/INSTALLER", first=_HEAD)
    return Installed(
        name=canonical(name),
        spelled=name,
        version=parsed,
        metadata=Path(path),
        source=source,
        installer=installer.decode("utf-8", "replace").strip() or None,
        requested="REQUESTED" in present,
        damage=damage or (_no_version(version) if parsed is None else None),
    )


def _listed(path: str) -> tuple[frozenset[str], str | None]:
    """The file names in a dist-info folder, and what is wrong with them."""
    try:
        present = frozenset(os.listdir(path))  # noqa: PTH208 - a Path for each would cost 5 ms
    except OSError as error:
        return frozenset(), f"its metadata folder cannot be read ({error.strerror})"
    if not present:
        return present, "its metadata folder is empty"
    # PyPA "Recording installed projects": METADATA is mandatory; without RECORD "tools MUST NOT
    # attempt to uninstall or upgrade".
    missing = [leaf for leaf in ("METADATA", "RECORD") if leaf not in present]
    return present, f"{missing[0]} is missing" if missing else _unusable_record(f"{path}/RECORD")


def _unusable_record(path: str) -> str | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - one for each distribution
    except OSError as error:
        return f"RECORD cannot be read ({error.strerror})"
    if not stat.S_ISREG(found.st_mode):
        return "RECORD is no file"
    if not os.access(path, os.R_OK):
        return "RECORD cannot be read (Permission denied)"
    return None if found.st_size else "RECORD is empty"


def _named_in(path: str, *, name: str, version: str) -> tuple[str, str, str | None]:
    """Name and version from the metadata file; the folder's, and what is wrong, where it fails."""
    leaf = os.path.basename(path)  # noqa: PTH119 - Path costs more than reading the file
    try:
        read = name_and_version(read_regular(path, first=_HEAD))
        if None in read:
            read = name_and_version(read_regular(path))
    except OSError as error:
        return name, version, f"{leaf} cannot be read ({error.strerror})"
    found_name, found_version = read
    fault = None
    if found_name is None or not _VALID_NAME.fullmatch(found_name):
        found_name, fault = name, f"{leaf} has no valid name"
    if found_version is None:
        found_version, fault = version, f"{leaf} has no version"
    return found_name, found_version, fault


def _direct_url(path: str) -> tuple[Source, str | None]:
    from venvman.environment.directurl import DirectUrlInvalid, read_direct_url

    try:
        return read_direct_url(read_regular(Path(path, "direct_url.json"))), None
    except DirectUrlInvalid as error:
        return IndexSource(), f"its direct_url.json {error}"
    except OSError as error:
        return IndexSource(), f"its direct_url.json cannot be read ({error.strerror})"


def _version(text: str) -> Version | None:
    from packaging.version import Version

    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of too many digits
        return None


def _no_version(text: str) -> str:
    return f"its version {text!r} is not one (PEP 440)" if text else "it has no version"


def _read_egg_info(path: str, stem: str, kind: MetadataKind) -> Installed:
    leaf = f"{path}/PKG-INFO" if kind is MetadataKind.EGG_INFO_FOLDER else path
    # The folder is NAME-VERSION[-pyX.Y[-PLATFORM]].egg-info.
    name, _, rest = stem.partition("-")
    name, version, fault = _named_in(leaf, name=name, version=rest.partition("-")[0])
    parsed = _version(version)
    return Installed(
        name=canonical(name),
        spelled=name,
        version=parsed,
        kind=kind,
        metadata=Path(path),
        damage=fault or (_no_version(version) if parsed is None else None),
    )


def _read_egg_link(path: str, stem: str) -> Installed:
    # setuptools' `develop`: the first line is the folder that holds the egg-info.
    try:
        folder = read_regular(Path(path)).decode("utf-8", "replace").partition("\n")[0].strip()
    except OSError:
        folder = ""
    return Installed(
        name=canonical(stem),
        spelled=stem,
        version=None,
        kind=MetadataKind.EGG_LINK,
        metadata=Path(path),
        source=DirectorySource(path=Path(folder).as_posix(), editable=True),
        damage=None if folder else "the egg-link names no folder",
    )
