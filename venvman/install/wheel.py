"""One wheel staged: its files linked, its scripts and metadata written, RECORD still open."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.environment.record import RecordRow, encode_digest, record_path, render_record
from venvman.install.layout import Site, lay_out, rewritten, script_file, with_versioned_names
from venvman.install.link import Linker, write_file
from venvman.model.frozen import dataclass
from venvman.project.settings import Link
from venvman.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.environment.history import LinkSettings
    from venvman.environment.ledger import Provenance
    from venvman.install.moves import Exchange
    from venvman.store.store import StoredWheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A distribution staged in two folders (absolute), the second made only when it is needed.

    ``site_folder`` mirrors ``base``, the folder of the environment that holds the ``.dist-info``
    folder; ``prefix_folder`` mirrors the environment's root. ``info`` is the ``.dist-info`` folder,
    relative to the root; ``rows`` are those of its RECORD so far, which :func:`write_record` writes
    once bytecode has had its chance to add to them.
    """

    wheel: StoredWheel
    site_folder: str
    prefix_folder: str
    base: str
    info: str
    rows: list[RecordRow]

    def path_of(self, target: str) -> str:
        """Where the file lies now that goes to ``target``, relative to the root."""
        if target.startswith(f"{self.base}/"):
            return f"{self.site_folder}/{target[len(self.base) + 1 :]}"
        return f"{self.prefix_folder}/{target}"


def stage_wheel(
    wheel: StoredWheel,
    site: Site,
    *,
    stage: str,
    number: int,
    linker: Linker,
    requested: bool,
    direct_url: bytes | None,
) -> Staged | str:
    """Stages ``wheel`` in folders of ``stage`` that bear ``number``.

    Returns a path if that file in the store is damaged.

    ``requested`` says that a person asked for it (REQUESTED), ``direct_url`` is the content of
    ``direct_url.json`` (PEP 610) or None for a distribution from an index.

    Raises:
        InstallError: the wheel holds what cannot be installed.
        OSError: the folders cannot be written.
    """
    manifest = wheel.manifest
    layout = lay_out(manifest, site)
    site_folder, prefix_folder = f"{stage}/new-{number}", f"{stage}/prefix-{number}"
    os.mkdir(site_folder)
    damaged = linker.link_all(wheel, layout.in_site, site_folder)
    if damaged is None and layout.in_prefix:
        os.mkdir(prefix_folder)
        damaged = linker.link_all(wheel, layout.in_prefix, prefix_folder)
    if damaged is not None:
        return damaged
    hashes, sizes = manifest.hashes, manifest.sizes
    rows = [RecordRow(path, hashes[index], sizes[index]) for index, path in layout.in_site]
    staged = Staged(
        wheel=wheel,
        site_folder=site_folder,
        prefix_folder=prefix_folder,
        base=layout.base,
        info=f"{layout.base}/{manifest.info}",
        rows=rows,
    )
    for index, target in layout.in_prefix:
        _list(staged, target, hashes[index], sizes[index])
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
    path = staged.path_of(f"{staged.info}/RECORD")
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
        os.makedirs(staged.prefix_folder, exist_ok=True)
        damaged = linker.link_all(staged.wheel, [(index, target)], staged.prefix_folder)
        if damaged is not None:
            return damaged
        _list(staged, target, manifest.hashes[index], manifest.sizes[index])
    return None


def _generate(staged: Staged, target: str, content: bytes, *, executable: bool = False) -> None:
    path = staged.path_of(target)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    mtime_ns = staged.wheel.manifest.mtime_ns
    write_file(path, content, mtime_ns=mtime_ns, executable=executable)
    _list(staged, target, encode_digest(hashlib.sha256(content).digest()), len(content))


def _list(staged: Staged, target: str, digest: str, size: int) -> None:
    staged.rows.append(RecordRow(record_path(target, site=staged.base), digest, size))


class Unavailable(Exception):
    """The store cannot give a wheel as it was; nothing was changed."""


def link_from_store(
    from_store: Mapping[str, Provenance], link_settings: LinkSettings | None, exchange: Exchange
) -> dict[str, Provenance]:
    """Stages the wheels of ``from_store``, by metadata folder, and plans their moves.

    Returns what the ledger is to know of them.

    Raises:
        Unavailable: a wheel is not in the store, or was changed there, or is of another layout.
        OSError: the stage cannot be written.
    """
    if link_settings is None:
        raise Unavailable
    site = Site(**link_settings.site)
    linker = Linker(Link(link_settings.link))
    rows: dict[str, Provenance] = {}
    with Store(Path(link_settings.cache)) as store:
        for number, (info, provenance) in enumerate(from_store.items()):
            wheel = store.get(provenance.sha256)
            if wheel is None:
                raise Unavailable(info)
            staged = stage_wheel(
                wheel,
                site,
                stage=exchange.stage,
                number=number,
                linker=linker,
                requested=provenance.requested,
                direct_url=None,
            )
            if isinstance(staged, str) or staged.info != info:
                raise Unavailable(info)
            size, mtime_ns = write_record(staged)
            rows[info] = provenance._replace(
                mtime_ns=wheel.manifest.mtime_ns, record_size=size, record_mtime_ns=mtime_ns
            )
            exchange.put_new(number, staged.base)
    if linker.given_up(site.root) is not None:
        raise Unavailable  # there is a warning to be told
    return rows
