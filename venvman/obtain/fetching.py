"""What no store remembers: looked up, downloaded, unpacked and built by threads.

Lookups come first, then downloads, the largest first, so that no large one is left for the end;
whatever has arrived is unpacked beside them. All failures are collected.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from venvman.model.errors import InstallError, VenvmanError
from venvman.model.events import Stage
from venvman.model.frozen import dataclass
from venvman.model.sources import ArchiveSource, DirectorySource, IndexSource, VcsSource
from venvman.obtain.errors import all_failures, label_of, no_file, refuse_disagreement
from venvman.obtain.sources import download_archive, working_folder
from venvman.obtain.stored import Obtained, obtained
from venvman.system.locks import FetchLock
from venvman.system.process import ending_streams
from venvman.system.workers import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from venvman.build.backend import BuildContext
    from venvman.index.candidates import Candidate, Rejection
    from venvman.index.client import Index
    from venvman.index.download import Downloaded
    from venvman.lock.file import LockEntry
    from venvman.model.events import Reporter
    from venvman.model.names import NormalizedName
    from venvman.obtain.sources import Builder
    from venvman.obtain.stored import Memory
    from venvman.store.store import StoredWheel, Unpack


@dataclass(frozen=True, slots=True, kw_only=True)
class _Local:
    """A repository or folder: nothing of it is downloaded by the index client."""

    entry: LockEntry
    source: VcsSource | DirectorySource


def fetch(
    entries: Sequence[LockEntry], downloads: Downloads, builder: Builder, reporter: Reporter
) -> dict[NormalizedName, Obtained]:
    """A wheel for every one of ``entries``; ``reporter`` is told of each.

    Raises:
        InstallError: one problem for each entry that could not be had.
    """
    results: dict[NormalizedName, Obtained] = {}
    failures: list[tuple[LockEntry, Exception]] = []
    for end in _ends(entries, downloads, builder):
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
    entries: Sequence[LockEntry], downloads: Downloads, builder: Builder
) -> Iterator[Done | Failed]:
    """Each entry's end, as they come. Leaving early drops what has not begun."""
    remote: list[LockEntry] = []
    local: list[_Local] = []
    for entry in entries:
        if isinstance(entry.source, (IndexSource, ArchiveSource)):
            remote.append(entry)
        else:
            local.append(_Local(entry=entry, source=entry.source))
    with (
        downloads.of(remote) as events,
        WorkerPool(_BUILDS) as building,
        ending_streams() as task,
    ):

        def build(work: SourceDownloaded | _Local) -> None:
            building.submit(task(lambda: events.put(_built(work, downloads, builder))))

        for each in local:
            build(each)
        left = len(entries)
        while left:
            event = events.get()
            if isinstance(event, SourceDownloaded):
                build(event)
                continue
            left -= 1
            yield event


def _built(
    work: SourceDownloaded | _Local, downloads: Downloads, builder: Builder
) -> Done | Failed:
    entry = work.entry
    try:
        if isinstance(work, SourceDownloaded):
            wheel = builder.archive(entry, work.archive)
            result = downloads.remembered(entry, wheel, work.archive)
        elif isinstance(work.source, VcsSource):
            result = builder.repository(entry, work.source)
        else:
            result = builder.folder(entry, work.source)
    except BaseException as error:  # noqa: BLE001 - a thread must not lose any
        return Failed(entry=entry, error=error)
    return Done(entry=entry, result=result)


_DOWNLOADS = 12
_UNPACKERS = 2
_BUILDS = 8  # which wait for what they require, or for a turn of their backend
_LOOKUP = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The entry's wheel is in the store."""

    entry: LockEntry
    result: Obtained


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The entry's wheel cannot be had."""

    entry: LockEntry
    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDownloaded:
    """A source archive is on the disk and must be built."""

    entry: LockEntry
    archive: Downloaded


Event = Done | Failed | SourceDownloaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """Fetches from ``index`` into the store of ``memory`` what fits the interpreter.

    The store unpacks with ``unpack_with``, of which the reporter is told; of downloads ``index``
    tells its own.
    """

    index: Index
    memory: Memory
    context: BuildContext
    unpack_with: Unpack | None = None

    @contextmanager
    def of(self, entries: Sequence[LockEntry]) -> Iterator[SimpleQueue[Event]]:
        """A queue that gets exactly one event for each of ``entries``.

        Archives named in the events are gone after the block; leaving it drops what has not begun
        and waits for nothing.
        """
        with (
            tempfile.TemporaryDirectory(prefix="venvman-", ignore_cleanup_errors=True) as spare,
            working_folder(self.context.settings.cache) as folder,
            WorkerPool(_UNPACKERS) as unpacking,
            WorkerPool(_DOWNLOADS) as downloading,
        ):
            events: SimpleQueue[Event] = SimpleQueue()
            for number, entry in enumerate(entries):
                own = folder / str(number)
                own.mkdir()
                elsewhere = Path(spare, str(number))
                _Download(self, entry, own, elsewhere, downloading, unpacking, events).begin()
            yield events

    def best(self, entry: LockEntry) -> Candidate:
        """The file of an index entry; asks the index again before it says that there is none.

        Raises:
            InstallError: ``no-matching-file``, ``version-not-found``. IndexFault.
        """
        from packaging.specifiers import SpecifierSet

        from venvman.index.candidates import Candidates, project_of

        wanted = SpecifierSet(f"=={entry.version}")
        refused: list[Rejection] = []
        builds: list[str] = []
        for refresh in (False, True):
            candidates = Candidates(
                project_of(entry.name, entry.files)
                if entry.files
                else self.index.project(entry.name, refresh=refresh),
                target=self.context.interpreter.target,
                options=self.index.options,
            )
            # `==1.0` also matches 1.0+cpu (PEP 440), which is another build and would be drift.
            fitting = tuple(candidates.matching(wanted, hashes=entry.hashes))
            best = next((each for each in fitting if each.version == entry.version), None)
            if best is not None:
                return best
            builds = [str(each.version) for each in fitting]
            refused = [
                each
                for each in candidates.rejections(wanted, hashes=entry.hashes)
                if each.version == entry.version
            ]
            if entry.files or self.index.options.offline:
                break
        offline = self.index.options.offline
        raise no_file(entry, refused, self.context.interpreter, builds=builds, offline=offline)

    def unpack(self, entry: LockEntry, got: Downloaded) -> Obtained:
        """Puts a downloaded wheel into the store, where it is remembered for ``entry``."""
        label = got.path.name
        self.context.reporter.unpack_started(label)
        try:
            wheel = self.memory.store.add(got.path, sha256=got.sha256, unpack=self.unpack_with)
        finally:
            self.context.reporter.unpack_finished(label)
        got.path.unlink(missing_ok=True)
        refuse_disagreement(wheel, entry)
        return self.remembered(entry, wheel, got)

    def remembered(self, entry: LockEntry, wheel: StoredWheel, got: Downloaded) -> Obtained:
        """``wheel`` as the answer to ``entry``, of which ``got`` was downloaded."""
        if isinstance(entry.source, ArchiveSource):
            return obtained(wheel, replace(entry.source, hashes=(f"sha256:{got.sha256}",)))
        self.memory.store.remember(self.memory.of_pin(entry), wheel.sha256)
        return Obtained(wheel=wheel)


@dataclass(frozen=True, slots=True)
class _Download:
    """One entry on its way; each step is a task that begins the next one.

    It is downloaded into ``folder`` in the cache, or, where that is full, into ``spare``.
    """

    downloads: Downloads
    entry: LockEntry
    folder: Path
    spare: Path
    downloading: WorkerPool
    unpacking: WorkerPool
    events: SimpleQueue[Event]

    def begin(self) -> None:
        self._submit(self.downloading, self._look_up, urgency=_LOOKUP)

    def _look_up(self) -> None:
        source = self.entry.source
        if isinstance(source, ArchiveSource):
            index, settings = self.downloads.index, self.downloads.context.settings

            def download(to: Path) -> Downloaded:
                hashes = self.entry.hashes
                return download_archive(source, to, index=index, settings=settings, hashes=hashes)

            self._arrived(self._fitting(download))
            return
        best = self.downloads.best(self.entry)
        self._submit(self.downloading, lambda: self._download(best), urgency=best.file.size or 0)

    def _download(self, best: Candidate) -> None:
        # Waits until no other process is fetching the same.
        memory, file = self.downloads.memory, best.file
        lock = FetchLock(self.downloads.context.settings.cache, file.filename)
        try:
            # Whoever held it before may have fetched the same.
            known = memory.wheel(memory.of_pin(self.entry))
            if known is not None:
                lock.release()
                self.events.put(Done(entry=self.entry, result=Obtained(wheel=known)))
                return
            hashes = self.entry.hashes or file.hashes
            got = self._fitting(
                lambda to: self.downloads.index.download(
                    file.url, to, hashes=hashes, label=file.filename, size=file.size
                )
            )
        except BaseException:
            lock.release()
            raise
        self._arrived(got, lock)

    def _fitting(self, download: Callable[[Path], Downloaded]) -> Downloaded:
        try:
            return download(self.folder)
        except InstallError as error:
            if error.code != "download-unwritable":
                raise
        self.spare.mkdir()
        return download(self.spare)

    def _arrived(self, got: Downloaded, lock: FetchLock | None = None) -> None:
        if got.path.name.endswith(".whl"):
            self._submit(self.unpacking, lambda: self._unpack(got, lock), urgency=got.size)
            return
        if lock is not None:
            lock.release()
        self.events.put(SourceDownloaded(entry=self.entry, archive=got))

    def _unpack(self, got: Downloaded, lock: FetchLock | None) -> None:
        try:
            result = self.downloads.unpack(self.entry, got)
        finally:
            if lock is not None:
                lock.release()
        self.events.put(Done(entry=self.entry, result=result))

    def _submit(self, pool: WorkerPool, step: Callable[[], None], *, urgency: int) -> None:
        def guarded() -> None:
            try:
                step()
            except BaseException as error:  # noqa: BLE001 - a thread must not lose any
                self.events.put(Failed(entry=self.entry, error=error))

        pool.submit(guarded, urgency=urgency)
