"""One wheel staged: its files linked, its scripts and metadata written, RECORD still open."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvman.install.layout import lay_out
from venvman.install.link import make_folders, write_file
from venvman.install.scripts import rewritten, script_file, with_versioned_names
from venvman.record import RecordRow, encode_digest, record_path, render_record

if TYPE_CHECKING:
    from venvman.install.layout import Site
    from venvman.install.link import Linker
    from venvman.store import StoredWheel

__all__ = ["Staged", "stage_wheel", "write_record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A distribution staged in ``folder`` (absolute), which mirrors the environment's root.

    ``info`` is its ``.dist-info`` folder, relative to the root; ``rows`` are those of its RECORD
    so far, which :func:`write_record` writes once bytecode has had its chance to add to them.
    """

    wheel: StoredWheel
    folder: str
    base: str
    info: str
    rows: list[RecordRow]


def stage_wheel(
    wheel: StoredWheel,
    site: Site,
    folder: str,
    *,
    linker: Linker,
    requested: bool,
    direct_url: bytes | None,
) -> Staged | str:
    """Stages ``wheel`` in the new folder ``folder``; a path when that file in the store is damaged.

    ``requested`` says that a person asked for it (REQUESTED), ``direct_url`` is the content of
    ``direct_url.json`` (PEP 610) or None for a distribution from an index.

    Raises:
        InstallError: the wheel holds what cannot be installed.
        OSError: ``folder`` cannot be written.
    """
    manifest = wheel.manifest
    layout = lay_out(manifest, site)
    os.mkdir(folder)
    damaged = linker.link_all(wheel, layout.links, folder)
    if damaged is not None:
        return damaged
    rows = [
        RecordRow(
            record_path(target, site=layout.base), manifest.hashes[index], manifest.sizes[index]
        )
        for index, target in layout.links
    ]
    staged = Staged(
        wheel=wheel,
        folder=folder,
        base=layout.base,
        info=f"{layout.base}/{manifest.info}",
        rows=rows,
    )
    damaged = _stage_scripts(staged, layout.scripts, linker, python=site.python)
    if damaged is not None:
        return damaged
    for point in with_versioned_names(manifest.entry_points, minor=site.minor):
        name, content = script_file(point, python=site.python)
        _generate(staged, f"{site.scripts}/{name}", content, executable=True)
    _generate(staged, f"{staged.info}/INSTALLER", b"venvman\n")
    if requested:
        _generate(staged, f"{staged.info}/REQUESTED", b"")
    if direct_url is not None:
        _generate(staged, f"{staged.info}/direct_url.json", direct_url)
    return staged


def write_record(staged: Staged) -> tuple[int, int]:
    """Writes the RECORD of ``staged``; its size and time, by which it is known again later.

    Raises:
        OSError: it cannot be written.
    """
    name = f"{staged.wheel.manifest.info}/RECORD"
    content = render_record([*staged.rows, RecordRow(name)]).encode()
    path = f"{staged.folder}/{staged.info}/RECORD"
    write_file(path, content, mtime_ns=staged.wheel.manifest.mtime_ns)
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns


def _stage_scripts(
    staged: Staged, scripts: list[tuple[int, str]], linker: Linker, *, python: str
) -> str | None:
    """Scripts that the wheel brings: linked where they can stay as they are, else written."""
    manifest = staged.wheel.manifest
    for index, target in scripts:
        path = f"{staged.wheel.folder}/{manifest.paths[index]}"
        with open(path, "rb") as stream:
            fits = index in manifest.executable and stream.read(8) != b"#!python"
        if not fits:
            with open(path, "rb") as stream:
                content = stream.read()
            if encode_digest(hashlib.sha256(content).digest()) != manifest.hashes[index]:
                return manifest.paths[index]
            _generate(staged, target, rewritten(content, python=python), executable=True)
            continue
        damaged = linker.link_all(staged.wheel, [(index, target)], staged.folder)
        if damaged is not None:
            return damaged
        row = RecordRow(
            record_path(target, site=staged.base), manifest.hashes[index], manifest.sizes[index]
        )
        staged.rows.append(row)
    return None


def _generate(staged: Staged, target: str, content: bytes, *, executable: bool = False) -> None:
    make_folders(staged.folder, target.rpartition("/")[0], set())
    write_file(
        f"{staged.folder}/{target}",
        content,
        mtime_ns=staged.wheel.manifest.mtime_ns,
        executable=executable,
    )
    digest = encode_digest(hashlib.sha256(content).digest())
    staged.rows.append(RecordRow(record_path(target, site=staged.base), digest, len(content)))
