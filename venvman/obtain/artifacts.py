"""Lock entries to verified wheels in the store; nothing here touches an environment.

A store that has met an entry before answers without an index, and without importing one. For the
rest (:mod:`.fetching`) threads look up files and download them, largest first, others unpack what
has arrived, and the calling thread builds what exists as source only. Every entry is tried, and all
failures are reported at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.lock.file import located
from venvman.model.events import Stage
from venvman.model.sources import DirectorySource
from venvman.obtain.errors import label_of, refuse_unhashed
from venvman.obtain.stored import Memory, Obtained, target_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from venvman.build.backend import BuildContext, BuildSettings
    from venvman.index.client import Index
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.store.store import Store, Unpack

__all__ = ["Obtained", "obtain"]


def obtain(
    entries: Sequence[LockEntry],
    context: BuildContext,
    *,
    index: Callable[[], Index],
    store: Store,
    root: Path,
    unpack: Unpack | None = None,
) -> Mapping[NormalizedName, Obtained]:
    """A wheel in ``store`` for every one of ``entries`` (one for each name), for the interpreter.

    Relative paths of folders are seen from ``root``. Hashes are demanded where options demand
    them, and of every index or archive entry of a lock file in which one has them: an attacker
    could leave out just the one that matters. (pip refuses the whole file as soon as a repository
    or folder is in it; those cannot have hashes, and locks may hold them.) ``index`` opens one,
    and is asked only where something must be looked up; ``unpack`` is what the store unpacks with.
    The reporter is told ``advanced(Stage.FETCH)`` once for each entry.

    Raises:
        InstallError: one problem for each entry that could not be had, with its line in the lock.
            Nothing but the cache was written.
    """
    refuse_unhashed(entries, context.options)
    entries = [_located(entry, root, context.settings) for entry in entries]
    target = target_digest(context.interpreter.target)
    memory = Memory(store=store, root=root, target=target, context=context)
    results: dict[NormalizedName, Obtained] = {}
    missing: list[LockEntry] = []
    for entry in entries:
        known = memory.recall(entry)
        if known is None:
            missing.append(entry)
        else:
            results[entry.name] = known
            context.reporter.advanced(Stage.FETCH, item=label_of(entry))
    if missing:
        from venvman.obtain.fetching import Downloads, fetch
        from venvman.obtain.sources import Builder

        opened = index()
        builder = Builder(context=context, index=opened, memory=memory)
        downloads = Downloads(context=context, index=opened, memory=memory, unpack_with=unpack)
        results |= fetch(missing, downloads, builder, context.reporter)
    return results


def _located(entry: LockEntry, root: Path, build: BuildSettings) -> LockEntry:
    """``entry`` as ``direct_url.json`` has to tell it: absolute.

    Only in the paths of folders are variables expanded; in URLs they may stand for secrets.
    """
    variables = build.variables if isinstance(entry.source, DirectorySource) else {}
    return replace(entry, source=located(entry.source, root, variables=variables))
