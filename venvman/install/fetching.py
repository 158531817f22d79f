"""What no store remembers: fetched by threads, built by the calling one, all failures collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import VenvmanError
from venvman.events import Stage
from venvman.frozen import dataclass
from venvman.install.arrivals import Done, Failed, SourceArrived
from venvman.install.refusals import all_failures, label_of
from venvman.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvman.events import Reporter
    from venvman.install.arrivals import Arrivals
    from venvman.install.builder import Builder
    from venvman.install.memory import Obtained
    from venvman.lock.file import LockEntry
    from venvman.names import NormalizedName

__all__ = ["fetch"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Local:
    """A repository or folder: nothing of it is downloaded by the index client."""

    entry: LockEntry
    source: VcsSource | DirectorySource


def fetch(
    entries: Sequence[LockEntry], arrivals: Arrivals, builder: Builder, reporter: Reporter
) -> dict[NormalizedName, Obtained]:
    """A wheel for every one of ``entries``; ``reporter`` is told of each.

    Raises:
        InstallError: one problem for each entry that could not be had.
    """
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
