"""History: the states that an environment has been in, so that it can go back to one.

    .venvman/history/log              a line for each state, the oldest first
    .venvman/history/<digest>.json    what one held (:mod:`.ledger`); states may share it
    .venvman/history/<digest>         a lock's text, compressed; states may share it

A line is sealed, appended in one write and never changed. One that a crash has cut short, or that
somebody else wrote, is passed over; of two lines of one sequence the later holds. After enough
lines the older ones are dropped, and with them the snapshots and texts that nothing refers to.
Imports next to nothing, since the fast path of a sync reads and writes it too.
"""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from venvman.environment.ledger import HISTORY, digest_of, read_ledger, read_snapshot
from venvman.system import records, seal
from venvman.system.reading import read_regular
from venvman.system.repository import Head
from venvman.system.writing import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvman.environment.ledger import Provenance

LOG = f"{HISTORY}/log"
LIMIT = 50
"""So many states are always kept."""
_LINES = 4 * LIMIT
_WANTED = 16
_KIND = "state 1"

Contents = tuple[tuple[str, str, str], ...]
"""Of the project's files: kind (``FILE`` or ``NAMES`` of the memo), path, digest or names."""
Part = tuple[str, str, str]
"""A fact about the environment: ``FILE`` or ``SITE`` of the memo, its path, what was seen."""


class SnapshotEntry(NamedTuple):
    """One distribution of a state.

    ``source`` as :class:`venvman.model.sources.Source` reads, without credentials; ``wheel`` is the
    sha256 of the file it was installed from, None for what another tool installed. ``locked`` says
    that a lock of the state names it.
    """

    name: str
    version: str | None
    source: str
    wheel: str | None
    locked: bool


class RecordedLock(NamedTuple):
    """A lock of a state: ``path`` is POSIX and relative to the project, see :func:`text_digest`."""

    group: str
    path: str
    digest: str


class LinkSettings(NamedTuple):
    """How wheels of the store get into the environment.

    ``cache`` is the cache folder, ``link`` a value of :class:`venvman.project.settings.Link`,
    ``site`` the fields of :class:`venvman.install.layout.Site`.
    """

    cache: str
    link: str
    site: dict[str, Any]


class Wanted(NamedTuple):
    """What a sync was asked when it found that a state is just what is wanted.

    ``flags`` are the options that choose, ``seen`` tells of the variables that matter, those in
    ``names`` among them, ``contents`` of the project's files; ``said`` is the sentence for it, as
    :func:`venvman.report.sync.nothing_to_do` has it. ``parts`` are facts about the environment but
    for its site-packages; ``folders`` are those, ``lasting`` all folders that stay when empty,
    relative to the environment's real path. ``shared`` are the metadata folders of those that list
    a file which another one lists too, ``others`` tells of the metadata that somebody else
    installed. ``locked`` counts what the locks name, ``lock`` is the lock file that changes of the
    environment take. ``link_settings`` is None where more is to be done than to link
    (:mod:`venvman.install.staging`).
    """

    flags: str
    names: tuple[str, ...]
    seen: str
    contents: Contents
    said: tuple[str, str, str]
    parts: tuple[Part, ...]
    folders: tuple[str, ...]
    lasting: tuple[str, ...]
    shared: tuple[str, ...]
    others: dict[str, str]
    locked: int
    lock: str
    link_settings: LinkSettings | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether nobody has checked the locks that led to it."""
        return "('frozen', True)" in self.flags

    @property
    def key(self) -> str:
        """By what it is known: the question and the contents of the files."""
        return digest_of(repr((self.flags, self.seen, self.contents)))


class Beside(NamedTuple):
    """What a snapshot does not tell of a state.

    ``found`` is what other tools installed. By name: ``sources`` of what is from no index,
    ``unlocked`` what no lock names, ``left_out`` what does not count, or was gone by then.
    """

    found: tuple[SnapshotEntry, ...] = ()
    sources: Mapping[str, str] = {}
    unlocked: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class State(NamedTuple):
    """An environment as a command left it.

    ``sequence`` is the environment's count of transactions (see :mod:`.ledger`):
    clocks go backwards, it does not. ``when`` is seconds since the epoch. ``by`` is the command, or
    ``found`` for what was there without one being known; ``target`` the sequence that a rollback
    went to. ``snapshot`` is the digest of what the ledger knew. ``held``, sorted by name, is told
    by :meth:`History.states` only.
    """

    sequence: int
    when: float
    by: str
    python: str
    groups: tuple[str, ...]
    locks: tuple[RecordedLock, ...]
    snapshot: str
    beside: Beside = Beside()
    revision: Head | None = None
    target: int | None = None
    wanted: Wanted | None = None
    held: tuple[SnapshotEntry, ...] = ()

    @property
    def digest(self) -> str | None:
        """One digest (64 hex digits) for all its locks; None for a state without any."""
        import hashlib

        if not self.locks:
            return None
        rows = sorted(f"{lock.path} {lock.digest}" for lock in self.locks)
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()


class WayBack(str, Enum):
    """Where a distribution of an earlier state would come from; the nearest first."""

    PRESENT = "present"
    ATTIC = "attic"
    STORE = "store"
    FETCH = "fetch"
    """From the index or its source, by what the lock of the state says."""
    BY_HAND = "by-hand"
    """Some other tool installed it: it is not brought back."""


class History:
    """The history of the environment at ``environment``.

    Recording is for whoever holds the environment's lock.
    """

    def __init__(self, environment: str | os.PathLike[str]) -> None:
        self._root = os.fspath(environment)
        self._snapshots: dict[str, dict[str, Provenance]] = {}

    def states(self) -> tuple[State, ...]:
        """All that can be read, the newest first."""
        found: dict[int, State] = {}
        for state in self.lines():
            found.setdefault(state.sequence, state)
        return tuple(self.with_held(found[sequence]) for sequence in sorted(found, reverse=True))

    def with_held(self, state: State) -> State:
        """``state`` with what it held."""
        if state.snapshot not in self._snapshots:
            self._snapshots[state.snapshot] = read_snapshot(self._root, state.snapshot)
        beside = state.beside
        left_out, unlocked = frozenset(beside.left_out), frozenset(beside.unlocked)
        own = (
            SnapshotEntry(
                name=row.name,
                version=row.version,
                source=beside.sources.get(row.name, "index"),
                wheel=row.sha256,
                locked=row.name not in unlocked,
            )
            for row in self._snapshots[state.snapshot].values()
            if row.name not in left_out
        )
        return state._replace(held=tuple(sorted((*own, *beside.found), key=lambda each: each.name)))

    def newest(self) -> State | None:
        """The state that was recorded last."""
        return next(self.lines(), None)

    def lines(self) -> Iterator[State]:
        """Every line that can be read, the last first."""
        for line in reversed(self._raw()):
            state = self._parsed(line)
            if state is not None:
                yield state

    def text(self, digest: str) -> bytes | None:
        """The lock with this ``digest`` as it was; None where it is gone or damaged."""
        try:
            content = zlib.decompress(read_regular(f"{self._root}/{HISTORY}/{digest}"))
        except (OSError, ValueError, zlib.error):
            return None
        return content if text_digest(content) == digest else None

    def record(self, state: State, texts: Iterable[bytes] = ()) -> None:
        """Appends ``state``, or puts it in place of the one with its sequence.

        ``texts`` are those of its locks.

        Raises:
            OSError: it cannot be written; the history is then as it was.
        """
        seal.own(self._root)
        os.makedirs(f"{self._root}/{HISTORY}", exist_ok=True)
        for content in texts:
            digest = text_digest(content)
            if self.text(digest) is None:
                replace(f"{self._root}/{HISTORY}/{digest}", zlib.compress(content, 6))
        line = records.sealed(self._root, "history/log", _KIND, state[:-1])
        _append(f"{self._root}/{LOG}", line.replace(b"\n", b" ", 1))
        lines = self._raw()
        if len(lines) > _LINES:
            self._shorten(lines)

    def _shorten(self, lines: list[bytes]) -> None:
        kept: list[bytes] = []
        wanted = {"log", f"{read_ledger(self._root).snapshot}.json"}
        sequences: set[int] = set()
        asked = 0
        for line in reversed(lines):
            state = self._parsed(line)
            if state is None:
                continue
            asked += state.wanted is not None
            is_new = state.sequence not in sequences and len(sequences) < LIMIT
            if is_new or (state.wanted is not None and asked <= _WANTED):
                sequences.add(state.sequence)
                kept.append(line)
                wanted |= {f"{state.snapshot}.json", *(lock.digest for lock in state.locks)}
        replace(f"{self._root}/{LOG}", b"".join(line + b"\n" for line in reversed(kept)))
        for name in os.listdir(f"{self._root}/{HISTORY}"):
            if name not in wanted:
                with suppress(OSError):
                    os.unlink(f"{self._root}/{HISTORY}/{name}")

    def _raw(self) -> list[bytes]:
        try:
            content = read_regular(f"{self._root}/{LOG}")
        except OSError:
            return []
        return [line for line in content.split(b"\n") if line]

    def _parsed(self, line: bytes) -> State | None:
        found = records.opened(self._root, "history/log", _KIND, line)
        if found is None:
            return None
        state = State(*found)
        head, beside = state.revision, Beside(*state.beside)
        wanted = state.wanted and Wanted(*state.wanted)
        if wanted and wanted.link_settings:
            wanted = wanted._replace(link_settings=LinkSettings(*wanted.link_settings))
        return state._replace(
            locks=tuple(RecordedLock(*each) for each in state.locks),
            beside=beside._replace(found=tuple(SnapshotEntry(*each) for each in beside.found)),
            revision=head and Head(*head),
            wanted=wanted,
        )


def _append(path: str, line: bytes) -> None:
    """In one write, on a line of its own whatever a crash has left before it."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        is_cut = False
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            is_cut = os.read(descriptor, 1) != b"\n"
        os.write(descriptor, b"\n" * is_cut + line + b"\n")
    finally:
        os.close(descriptor)


def text_digest(content: bytes) -> str:
    """The sha256 of a text (64 hex digits), the same with either style of line ends."""
    import hashlib

    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
