"""Distributions from before wheels: what an ``.egg-info`` folder or an ``.egg-link`` owns.

Paths are relative to the environment's root, ``base`` is the folder that holds the metadata.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.entrypoints import EntryPointInvalid, parse_scripts
from venvman.environment.record import locate
from venvman.reading import read_regular

if TYPE_CHECKING:
    from venvman.install.layout import Site

__all__ = ["egg_info_files", "egg_link_files"]

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
            files |= _below(site.root, path)
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
    suffixes = ("", ".exe", "-script.py", "-script.pyw", ".exe.manifest")
    return {f"{site.scripts}/{point.name}{suffix}" for point in points for suffix in suffixes}


def _below(root: str, folder: str) -> set[str]:
    found = set()
    for parent, _, names in os.walk(f"{root}/{folder}"):
        relative = Path(parent).relative_to(root).as_posix()
        found |= {f"{relative}/{name}" for name in names}
    return found


def _lines(path: Path) -> list[str]:
    try:
        text = read_regular(path).decode("utf-8", "surrogateescape")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines() if line.strip()]
