"""What a lock in the format of PEP 751 holds besides pins: the files of each release."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.requirements.naming import is_pylock
from venvman.workflow.inputs import open_scan, sync_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from venvman.index.client import Index
    from venvman.index.listing import ProjectFiles
    from venvman.lock.file import Lock, LockEntry
    from venvman.model.sources import IndexFile
    from venvman.workflow.context import Context

_THREADS = 12


def filled_where_due(
    context: Context, locks: Mapping[Path, Lock], before: Mapping[Path, Lock | None]
) -> Mapping[Path, Lock]:
    """Each of ``locks`` as its file is to hold it; what was there ``before`` is not asked again."""
    return {
        path: filled(context, with_own_header(lock), before.get(path))
        if is_pylock(path.name)
        else lock
        for path, lock in locks.items()
    }


def filled(context: Context, lock: Lock, before: Lock | None = None) -> Lock:
    """``lock`` with the files of each release, those that have one of its hashes.

    Raises:
        IndexFault: an index does not answer.
    """
    known = (
        {(each.name, each.version, each.hashes): each for each in before.entries} if before else {}
    )
    wanting = [
        entry
        for entry in lock.entries
        if entry.source.is_index
        and not entry.files
        and (entry.name, entry.version, entry.hashes) not in known
    ]
    found: dict[LockEntry, tuple[IndexFile, ...]] = {}
    if wanting:
        options = sync_options(context, open_scan(context), [lock])
        with closing(context.open_index(options)) as index, ThreadPoolExecutor(_THREADS) as pool:
            pages = pool.map(index.project, (entry.name for entry in wanting))
            found = {
                entry: tuple(_files(entry, page, index))
                for entry, page in zip(wanting, pages, strict=True)
            }

    def with_files(entry: LockEntry) -> LockEntry:
        if entry.files:
            return entry
        there = known.get((entry.name, entry.version, entry.hashes), entry)
        files = found.get(entry) or there.files
        hashes = {each for file in files for each in file.hashes}
        return replace(entry, files=files, hashes=entry.hashes or tuple(sorted(hashes)))

    return replace(lock, entries=tuple(map(with_files, lock.entries)))


def _files(entry: LockEntry, page: ProjectFiles, index: Index) -> Iterator[IndexFile]:
    from packaging.version import InvalidVersion, Version

    for text in page.versions:
        try:
            same = Version(text.replace("_", "-")) == entry.version
        except InvalidVersion:
            continue
        for file in page.files(text) if same else ():
            hashes = file.hashes
            if not hashes:
                hashes = (f"sha256:{index.sha256(file.url, label=file.filename)}",)
            if not entry.hashes or not set(entry.hashes).isdisjoint(hashes):
                yield replace(file, hashes=hashes)


def with_own_header(lock: Lock) -> Lock:
    """``lock`` as venvman makes it, whoever did before: the format has no other's command."""
    from venvman.lock.style import own_header, target_names

    python = (lock.header.python or "").partition(" ")[0]  # the first of `3.10 to 3.13`
    header = own_header(
        replace(lock.header.style, hashes=True), python=python, targets=target_names(lock.header)
    )
    return replace(lock, header=replace(header, text="", python=python or None, is_complete=True))
