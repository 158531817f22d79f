"""Lock entries to verified wheels in the store; nothing here touches an environment.

A store that has met an entry before answers without an index. For the rest, threads look up files
and download them, largest first, others unpack what has arrived, and the calling thread builds what
exists as source only. Every entry is tried, and all failures are reported at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from venvman.errors import VenvmanError
from venvman.events import Stage
from venvman.install.arrivals import Arrivals, Done, Failed, SourceArrived
from venvman.install.builder import Builder
from venvman.install.identity import Identities
from venvman.install.memory import Memory, Obtained
from venvman.install.refusals import all_failures, label_of, refuse_unhashed
from venvman.lock.file import located
from venvman.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from venvman.events import Reporter
    from venvman.index.client import Index
    from venvman.install.build import BuildSettings
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName
    from venvman.options import IndexOptions
    from venvman.python.probe import Interpreter
    from venvman.store.store import Store

__all__ = ["Obtained", "obtain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Local:
    """A repository or folder: nothing of it is downloaded by the index client."""

    entry: LockEntry
    source: VcsSource | DirectorySource


def obtain(
    entries: Sequence[LockEntry],
    *,
    interpreter: Interpreter,
    index: Index,
    store: Store,
    root: Path,
    options: IndexOptions,
    build: BuildSettings,
    reporter: Reporter,
    pool: Executor | None = None,
) -> Mapping[NormalizedName, Obtained]:
    """A wheel in ``store`` for every one of ``entries`` (one for each name), for ``interpreter``.

    Relative paths of folders are seen from ``root``. Hashes are demanded where ``options`` demand
    them, and of every index or archive entry of a lock file in which one has them: an attacker
    could leave out just the one that matters. (pip refuses the whole file as soon as a repository
    or folder is in it; those cannot have hashes, and locks may hold them.) ``pool`` unpacks.
    The reporter is told ``advanced(Stage.FETCH)`` once for each entry.

    Raises:
        InstallError: one problem for each entry that could not be had, with its line in the lock.
            Nothing but the cache was written.
    """
    refuse_unhashed(entries, options)
    entries = [_located(entry, root, build) for entry in entries]
    identities = Identities(target=interpreter.target, options=options, build=build)
    memory = Memory(store, identities, root=root)
    results: dict[NormalizedName, Obtained] = {}
    missing: list[LockEntry] = []
    for entry in entries:
        known = memory.recall(entry)
        if known is None:
            missing.append(entry)
        else:
            results[entry.name] = known
            reporter.advanced(Stage.FETCH, item=label_of(entry))
    if missing:
        builder = Builder(
            interpreter=interpreter, index=index, store=store, memory=memory,
            identities=identities, root=root, options=options, settings=build, reporter=reporter,
        )  # fmt: skip
        arrivals = Arrivals(
            index=index, store=store, identities=identities, settings=build,
            interpreter=interpreter, reporter=reporter, pool=pool,
        )  # fmt: skip
        results |= _fetch(missing, arrivals, builder, reporter)
    return results


def _located(entry: LockEntry, root: Path, build: BuildSettings) -> LockEntry:
    """``entry`` as ``direct_url.json`` has to tell it: absolute.

    Only in the paths of folders are variables expanded; in URLs they may stand for secrets.
    """
    variables = build.variables if isinstance(entry.source, DirectorySource) else {}
    return replace(entry, source=located(entry.source, root, variables=variables))


def _fetch(
    entries: Sequence[LockEntry], arrivals: Arrivals, builder: Builder, reporter: Reporter
) -> dict[NormalizedName, Obtained]:
    results: dict[NormalizedName, Obtained] = {}
    failures: list[tuple[LockEntry, Exception]] = []
    for end in _ends(entries, arrivals, builder):
        if isinstance(end, Done):
            results[end.entry.name] = end.result
            reporter.advanced(Stage.FETCH, item=label_of(end.entry))
        elif isinstance(end.error, (VenvmanError, OSError)):
            failures.append((end.entry, end.error))
        else:
            raise end.error
    if failures:
        raise all_failures(failures)
    return results


def _ends(
    entries: Sequence[LockEntry], arrivals: Arrivals, builder: Builder
) -> Iterator[Done | Failed]:
    """Each entry's end, as they come. Leaving early drops what has not begun.

    Builds happen here, one by one: Ctrl-C reaches the main thread, and with it their processes.
    """
    remote: list[LockEntry] = []
    waiting: list[SourceArrived | _Local] = []
    for entry in entries:
        if isinstance(entry.source, (IndexSource, ArchiveSource)):
            remote.append(entry)
        else:
            waiting.append(_Local(entry=entry, source=entry.source))
    with arrivals.of(remote) as events:
        arriving = len(remote)
        while arriving or waiting:
            if waiting and events.empty():
                yield _built(waiting.pop(0), arrivals, builder)
                continue
            event = events.get()
            arriving -= 1
            if isinstance(event, SourceArrived):
                waiting.append(event)
            else:
                yield event


def _built(work: SourceArrived | _Local, arrivals: Arrivals, builder: Builder) -> Done | Failed:
    entry = work.entry
    try:
        if isinstance(work, SourceArrived):
            wheel = builder.archive(entry, work.archive)
            result = arrivals.remembered(entry, wheel, work.archive)
        elif isinstance(work.source, VcsSource):
            result = builder.repository(entry, work.source)
        else:
            result = builder.folder(entry, work.source)
    except (VenvmanError, OSError) as error:
        return Failed(entry=entry, error=error)
    return Done(entry=entry, result=result)
