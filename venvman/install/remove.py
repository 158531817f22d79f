"""What leaves with a distribution: its files by RECORD, their bytecode, and folders left empty.

Reads the disk, changes nothing. Files that a distribution which stays claims too stay; files that
nobody claims stay where they are, and so do the folders around them.
"""

from __future__ import annotations

import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.environment.inventory import Installed, MetadataKind
from venvman.environment.record import UNTOUCHABLE, hash_of, locate, parse_record
from venvman.install.trees import Units, Walk, entries_of
from venvman.model.errors import Command, InstallError, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.model.metadata import EntryPointInvalid, parse_scripts
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from venvman.environment.record import RecordRow
    from venvman.install.layout import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One distribution that leaves. Paths are relative to the environment's root.

    ``files`` is what its list of files names, ``info`` its metadata folder or file; ``edits`` maps
    files that lose lines to their new content, None for none at all. ``size`` is bytes, as listed.
    """

    installed: Installed
    info: str
    files: frozenset[str]
    edits: dict[str, bytes | None] = field(default_factory=dict)
    size: int = 0


def removals(
    to_remove: Iterable[Installed], site: Site
) -> tuple[tuple[Removal, ...], tuple[Problem, ...]]:
    """What each of ``to_remove`` owns, and warnings about what its RECORD names outside.

    Raises:
        InstallError: one problem for each that cannot be removed because nobody knows what belongs
            to it: ``record-missing``, ``distutils-installed``.
    """
    found: list[Removal] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for installed in to_remove:
        try:
            found.append(_removal(installed, site, warnings))
        except InstallError as error:
            problems += error.problems
    if problems:
        raise InstallError(
            problems[0].message, code=problems[0].code, problems=problems, fix=problems[0].fix
        )
    return tuple(found), tuple(warnings)


def units_of(to_remove: Sequence[Removal], site: Site) -> Units:
    """The largest trees that each of ``to_remove`` owns alone, and single files elsewhere."""
    owners: dict[str, int] = {}
    for index, removal in enumerate(to_remove):
        for path in removal.files:
            owners.setdefault(path, index)
    without = {removal.info for removal in to_remove}
    for rows in claims(owners, site, without=without).values():
        for path in rows:
            owners.pop(path, None)
    whole = {removal.info: index for index, removal in enumerate(to_remove)}
    walk = Walk(site.root, lasting=site.lasting, owners=owners, whole=whole)
    return walk.units()


def _removal(installed: Installed, site: Site, warnings: list[Problem]) -> Removal:
    folder, name = os.path.split(installed.metadata)
    base = os.path.realpath(folder)[len(site.root) + 1 :].replace(os.sep, "/")
    info = f"{base}/{name}"
    if installed.kind is MetadataKind.EGG_INFO_FILE:
        why = "distutils installed it and left no list of its files."
        raise _no_list(installed, "distutils-installed", why)
    if installed.kind is MetadataKind.EGG_LINK:
        scripts, edits = egg_link_files(installed.metadata, base=base, site=site)
        return Removal(installed=installed, info=info, files=scripts | {info}, edits=edits)
    files: frozenset[str] | None
    if installed.kind is MetadataKind.EGG_INFO_FOLDER:
        files, size = egg_info_files(installed.metadata, base=base, site=site), 0
    else:
        files, size = _recorded(installed, base, site, warnings)
    if files is None:
        why = "its list of files is missing, so nobody knows them."
        raise _no_list(installed, "record-missing", why)
    return Removal(installed=installed, info=info, files=files, size=size)


def _recorded(
    installed: Installed, base: str, site: Site, warnings: list[Problem]
) -> tuple[frozenset[str] | None, int]:
    """The files of a RECORD and their size; None where there is none and there should be."""
    try:
        content = read_regular(installed.metadata / "RECORD")
    except OSError:
        # Without METADATA it is no distribution at all, but what a stopped pip left of one.
        return (None if (installed.metadata / "METADATA").exists() else frozenset()), 0
    rows = parse_record(content.decode(errors="surrogateescape")).rows
    files: set[str] = set()
    for row in rows:
        path = locate(row.path, site=base, root=site.root)
        if path is None:
            warnings.append(
                Problem(
                    code="record-outside",
                    message=f"{installed.spelled} lists {row.path}, outside of the environment;"
                    " it stays.",
                    severity=Severity.WARNING,
                    path=str(installed.metadata / "RECORD"),
                    text=row.path,
                    why="Nothing outside of the environment is ever removed.",
                )
            )
        elif path.partition("/")[0] not in UNTOUCHABLE:
            files.add(path)
    return frozenset(files), sum(row.size or 0 for row in rows)


def claims(
    paths: Collection[str], site: Site, *, without: AbstractSet[str] = frozenset()
) -> dict[str, dict[str, RecordRow]]:
    """Which of ``paths`` the installed distributions list: rows by path, by metadata folder.

    Those in ``without`` are left out. Most share nothing: only a RECORD that mentions the name of a
    top folder or file is parsed.
    """
    words = _top_names(paths, without, site)
    claimed: dict[str, dict[str, RecordRow]] = {}
    for base in site.folders:
        for entry in entries_of(f"{site.root}/{base}"):
            if not entry.name.endswith(".dist-info") or f"{base}/{entry.name}" in without:
                continue
            try:
                with open(f"{entry.path}/RECORD", "rb") as stream:
                    content = stream.read()
            except OSError:
                continue
            if any(word in content for word in words):
                for row in parse_record(content.decode(errors="surrogateescape")).rows:
                    path = locate(row.path, site=base, root=site.root)
                    if path is not None and path in paths:
                        claimed.setdefault(f"{base}/{entry.name}", {})[path] = row
    return claimed


def left_incomplete(to_remove: Sequence[Removal], site: Site) -> dict[str, str]:
    """By metadata folder, who stays without a file of its own, since one of ``to_remove`` took it.

    With the path of the first such file.
    """
    files = {path for removal in to_remove for path in removal.files}
    found: dict[str, str] = {}
    for info, rows in claims(files, site, without={each.info for each in to_remove}).items():
        for path, row in sorted(rows.items()):
            if row.hash is not None and not _holds(f"{site.root}/{path}", row.hash):
                found.setdefault(info, path)
    return found


def _holds(path: str, expected: str) -> bool:
    try:
        return not expected.startswith("sha256=") or hash_of(path) == expected
    except OSError:
        return False


def _top_names(paths: Iterable[str], without: AbstractSet[str], site: Site) -> set[bytes]:
    tops: set[str] = set()
    for path in paths:
        for base in site.folders:
            if path.startswith(f"{base}/"):
                tops.add(path[len(base) + 1 :].partition("/")[0])
                break
        else:
            tops.add(path.rpartition("/")[2])
    # Bytecode follows its module; metadata folders are nobody else's.
    tops -= {"__pycache__", *(info.rpartition("/")[2] for info in without)}
    return {os.fsencode(top) for top in tops}


def _no_list(installed: Installed, code: str, why: str) -> InstallError:
    version = f" {installed.version}" if installed.version else ""
    return InstallError(
        f"{installed.spelled}{version} cannot be removed or replaced: {why}",
        code=code,
        path=str(installed.metadata),
        why="What is not known to belong to a distribution is never deleted. Nothing was changed.",
        fix=Command.venvman("sync", "--recreate"),
    )


_PTH = "easy-install.pth"


def egg_info_files(metadata: Path, *, base: str, site: Site) -> frozenset[str] | None:
    """What belongs to the ``.egg-info`` folder ``metadata``; None where nothing tells it.

    That is ``installed-files.txt`` (pip's), else everything below the names in ``top_level.txt``.
    """
    listed = _lines(metadata / "installed-files.txt")
    if listed:
        folder = f"{base}/{metadata.name}"
        found = (locate(line, site=folder, root=site.root) for line in listed)
        return frozenset(path for path in found if path is not None)
    tops = _lines(metadata / "top_level.txt")
    if not tops:
        return None
    shared = set(_lines(metadata / "namespace_packages.txt"))
    files: set[str] = set()
    for top in set(tops) - shared:
        path = locate(top, site=base, root=site.root)
        if path is not None and path.startswith(f"{base}/"):
            for parent, _, names in os.walk(f"{site.root}/{path}"):
                files |= {f"{parent[len(site.root) + 1 :]}/{name}" for name in names}
            files |= {f"{path}{suffix}" for suffix in (".py", ".pyc")}
    return frozenset(files | _scripts(metadata, site))


def egg_link_files(
    link: Path, *, base: str, site: Site
) -> tuple[frozenset[str], dict[str, bytes | None]]:
    """The scripts of a ``setup.py develop``, and ``easy-install.pth`` without its line."""
    source = next(iter(_lines(link)), "")
    files: set[str] = set()
    if source and Path(source).is_dir():
        for metadata in Path(source).glob("*.egg-info"):
            if metadata.stem.replace("_", "-") == link.stem.replace("_", "-"):
                files |= _scripts(metadata, site)
    pth = Path(site.root, base, _PTH)
    lines = _lines(pth)
    rest = [line for line in lines if os.path.normcase(line) != os.path.normcase(source)]
    if len(rest) == len(lines):
        return frozenset(files), {}
    content = "".join(f"{line}\n" for line in rest).encode() if rest else None
    return frozenset(files), {f"{base}/{_PTH}": content}


def _scripts(metadata: Path, site: Site) -> set[str]:
    try:
        points = parse_scripts("\n".join(_lines(metadata / "entry_points.txt")))
    except EntryPointInvalid:
        return set()
    return {f"{site.scripts}/{point.name}" for point in points}


def _lines(path: Path) -> list[str]:
    try:
        text = read_regular(path).decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
