"""History: the states that an environment has been in, so that it can go back to one.

    <environment>/.venvman/history/states.jsonl   one line for each state, the oldest first
    <environment>/.venvman/history/<digest>       a lock's text, compressed; states may share it

A line is appended in one write and never changed. One that a crash has cut short, or that another
version wrote, is passed over; of two lines of one sequence the later holds. At twice
:data:`LIMIT` lines the older half is dropped, and with it the texts that nothing refers to.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import zlib
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from venvman import seal
from venvman.environment.historyline import FOLDER, FORMAT, STATES, SWITCH, append_line, fingerprint
from venvman.files import write_atomically
from venvman.frozen import dataclass
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

HISTORY = FOLDER
LIMIT = 50
"""So many states are always kept; never more than twice as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One distribution of a state.

    ``source`` as :class:`venvman.sources.Source` reads, without credentials; ``wheel`` is the
    sha256 of the file it was installed from, None for what another tool installed. ``locked`` says
    that a lock of the state names it.
    """

    name: str
    version: str | None
    source: str
    wheel: str | None
    locked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLock:
    """A lock of a state: ``path`` is POSIX and relative to the project, see :func:`text_digest`."""

    group: str
    path: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """Where git stood: a full commit id, and the branch unless HEAD was detached."""

    commit: str
    branch: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An environment as a command left it.

    ``sequence`` is the environment's count of transactions (see :mod:`venvman.environment.ledger`):
    clocks go backwards, it does not. ``when`` is seconds since the epoch. ``by`` is the command, or
    ``found`` for what was there without one being known; ``target`` the sequence that a rollback
    went to. ``held`` is sorted by name.
    """

    sequence: int
    when: float
    by: str
    python: str
    groups: tuple[str, ...]
    locks: tuple[RecordedLock, ...]
    held: tuple[Held, ...]
    revision: Revision | None = None
    target: int | None = None

    @property
    def digest(self) -> str | None:
        """One digest (64 hex digits) for all its locks; None for a state without any."""
        if not self.locks:
            return None
        rows = sorted(f"{lock.path} {lock.digest}" for lock in self.locks)
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()

    @property
    def fingerprint(self) -> str:
        """By what a switch names this state (see :func:`.historyline.fingerprint`)."""
        return fingerprint((each.name, each.wheel) for each in self.held if each.wheel is not None)

    def render(self) -> str:
        """One line of JSON, without its end; :meth:`parse` is the inverse."""
        document = {
            "format": FORMAT,
            "sequence": self.sequence,
            "when": self.when,
            "by": self.by,
            "target": self.target,
            "python": self.python,
            "groups": self.groups,
            "revision": self.revision and [self.revision.commit, self.revision.branch],
            "locks": [[lock.group, lock.path, lock.digest] for lock in self.locks],
            "held": [[h.name, h.version, h.source, h.wheel, h.locked] for h in self.held],
        }
        return json.dumps(document, separators=(",", ":"))

    @classmethod
    def parse(cls, line: str) -> State | None:
        """The state of one line; None where it is damaged or of another format."""
        try:
            document: dict[str, Any] = json.loads(line)
            if document["format"] != FORMAT:
                return None
            revision = document["revision"]
            return cls(
                sequence=int(document["sequence"]),
                when=float(document["when"]),
                by=str(document["by"]),
                target=document["target"],
                python=str(document["python"]),
                groups=tuple(map(str, document["groups"])),
                revision=revision and Revision(commit=revision[0], branch=revision[1]),
                locks=tuple(
                    RecordedLock(group=group, path=path, digest=digest)
                    for group, path, digest in document["locks"]
                ),
                held=tuple(
                    Held(name=name, version=version, source=source, wheel=wheel, locked=locked)
                    for name, version, source, wheel, locked in document["held"]
                ),
            )
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            return None


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

    Writing is for whoever holds the environment's lock.
    """

    def __init__(self, environment: Path) -> None:
        self._environment = str(environment)
        self._folder = environment / HISTORY

    def states(self) -> tuple[State, ...]:
        """All that can be read, the newest first."""
        found: dict[int, State] = {}
        for line in self._lines():
            state = State.parse(line) or _switched(line, found)
            if state is not None:
                found[state.sequence] = state
        return tuple(found[sequence] for sequence in sorted(found, reverse=True))

    def sequence(self) -> int | None:
        """That of the line which was written last; None where it cannot be read."""
        lines = self._lines()
        try:
            return int(json.loads(lines[-1])["sequence"]) if lines else None
        except (ValueError, TypeError, KeyError):
            return None

    def newest(self) -> State | None:
        """The state that was recorded last; mostly costs the parsing of one line, or of a few."""
        lines = self._lines()
        last = State.parse(lines[-1]) if lines else None
        return last or _switched_last(lines) or next(iter(self.states()), None)

    def text(self, digest: str) -> bytes | None:
        """The lock with this ``digest`` as it was; None where it is gone or damaged."""
        try:
            content = zlib.decompress(read_regular(self._folder / digest))
        except (OSError, ValueError, zlib.error):
            return None
        return content if text_digest(content) == digest else None

    def record(self, state: State, texts: Iterable[bytes]) -> None:
        """Appends ``state``, or puts it in place of the one with its sequence.

        ``texts`` are those of its locks.

        Raises:
            OSError: it cannot be written; the history is then as it was.
        """
        seal.own(self._environment)
        self._folder.mkdir(exist_ok=True)
        for content in texts:
            path = self._folder / text_digest(content)
            if self.text(path.name) is None:
                write_atomically(path, zlib.compress(content, 6))
        lines = self._lines()
        append_line(str(self._folder / STATES), state.render())
        if len(lines) + 1 >= 2 * LIMIT:
            self._shorten()

    def _shorten(self) -> None:
        kept = self.states()[:LIMIT]
        content = "".join(f"{state.render()}\n" for state in reversed(kept))
        write_atomically(self._folder / STATES, content.encode())
        wanted = {lock.digest for state in kept for lock in state.locks} | {STATES}
        for path in self._folder.iterdir():
            if path.name not in wanted:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _lines(self) -> list[str]:
        if not seal.is_own(self._environment):
            return []
        try:
            content = read_regular(self._folder / STATES)
        except OSError:
            return []
        return [line for line in content.decode("utf-8", "replace").split("\n") if line]


def _switched_last(lines: Sequence[str]) -> State | None:
    """The state of the last of ``lines``, if a switch wrote it: back to a state a few lines above.

    None where that is not found at once.
    """
    for line in reversed(lines[:-1]):
        state = State.parse(line)
        found = None if state is None else _switched(lines[-1], {state.sequence: state})
        if found is not None:
            return found
    return None


def _switched(line: str, before: dict[int, State]) -> State | None:
    """The state of a line that :mod:`.historyline` wrote: the last like it of ``before``."""
    try:
        document: dict[str, Any] = json.loads(line)
        if (document["format"], document["by"]) != (FORMAT, SWITCH):
            return None
        like, revision = document["like"], document["revision"]
        known = next((each for each in reversed(before.values()) if each.fingerprint == like), None)
        return known and replace(
            known,
            sequence=int(document["sequence"]),
            when=float(document["when"]),
            by="sync",
            target=None,
            revision=revision and Revision(commit=revision[0], branch=revision[1]),
        )
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def text_digest(content: bytes) -> str:
    """The sha256 of a text (64 hex digits), the same with either style of line ends."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()
