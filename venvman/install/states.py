"""Known states: what each set of locks came to, so that going back to one needs no thinking.

    .venvman/states/index.json   by which contents of the project's files each state is known
    .venvman/states/<id>.json    what the environment held then

A state is written down when a sync ended in an environment that equals its locks (and so left a
stamp). Nothing here is trusted further than it can be checked: :mod:`venvman.install.switch`
compares all of it with what is there. Imports next to nothing.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from venvman import stamp
from venvman.environment.ledger import Provenance
from venvman.environment.record import locate, parse_record
from venvman.install.attic import entry_key
from venvman.names import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from venvman.environment.ledger import Ledger

__all__ = [
    "STATES",
    "Contents",
    "Held",
    "State",
    "contents_of",
    "find",
    "metadata",
    "read",
    "record",
    "survey",
]

STATES = ".venvman/states"
_FORMAT = 1
_KEPT = 16
_METADATA = (".dist-info", ".egg-info", ".egg-link")
_COLUMNS = 5

Contents = tuple[tuple[str, str, str], ...]
"""Of the project's files: kind (FILE or NAMES of :mod:`venvman.stamp`), path, digest or names."""


class Held(NamedTuple):
    """A distribution that venvman installed.

    ``key`` is what the attic calls it; ``shared`` says that another one lists a file of it too.
    """

    name: str
    version: str
    key: str
    shared: bool
    provenance: Provenance


class State(NamedTuple):
    """An environment that equals its locks.

    ``flags``, ``names``, ``seen`` and ``text`` are the stamp's. ``parts`` are the stamp's facts
    about the environment but for its site-packages; ``folders`` are those, ``lasting`` all folders
    that stay when empty, relative to the environment's real path.
    ``held`` is by metadata folder, relative likewise, ``others`` tells of
    the metadata that somebody else installed. ``locked`` counts what the locks name, ``lock`` is
    the lock file that changes of the environment take.
    """

    flags: str
    names: tuple[str, ...]
    seen: str
    contents: Contents
    text: str
    parts: tuple[stamp.Fact, ...]
    folders: tuple[str, ...]
    lasting: tuple[str, ...]
    held: dict[str, Held]
    others: dict[str, str]
    locked: int
    lock: str

    @property
    def key(self) -> str:
        """By what it is known: the question and the contents of the files."""
        text = repr((self.flags, self.seen, self.contents))
        return _digest(text.encode("utf-8", "surrogateescape"))


def contents_of(watched: Iterable[tuple[str, str]]) -> Contents:
    """What the files and folders hold now, given as kind and path."""
    return tuple((kind, path, _content(kind, path)) for kind, path in watched)


def find(environment: str, *, flags: str, variables: Mapping[str, str]) -> str | None:
    """The key of the known state whose files hold just what they hold now; None if there is none.

    Of several the one that was recorded last.
    """
    seen: dict[tuple[str, str], str] = {}
    for row in reversed(_read_index(environment)):
        key, known_flags, names, known_seen, contents = row
        if known_flags != flags or stamp.seen_of(variables, names) != known_seen:
            continue
        for kind, path, content in contents:
            if (kind, path) not in seen:
                seen[kind, path] = _content(kind, path)
            if seen[kind, path] != content:
                break
        else:
            return str(key)
    return None


def read(environment: str, key: str) -> State | None:
    """The known state ``key``, or None where it cannot be read."""
    try:
        with open(f"{environment}/{STATES}/{key}.json", "rb") as stream:
            document: dict[str, Any] = json.loads(stream.read())
        if document.pop("format") != _FORMAT:
            return None
        held = {
            info: Held(name, version, key, shared, Provenance(*provenance))
            for info, (name, version, key, shared, provenance) in document.pop("held").items()
        }
        return State(
            names=tuple(document.pop("names")),
            contents=tuple((kind, path, seen) for kind, path, seen in document.pop("contents")),
            parts=tuple((kind, path, fact) for kind, path, fact in document.pop("parts")),
            folders=tuple(document.pop("folders")),
            lasting=tuple(document.pop("lasting")),
            held=held,
            **document,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def record(environment: str, state: State) -> str:
    """Writes ``state`` down, and forgets the oldest ones; its key, empty where it cannot be."""
    key = state.key
    rows = [row for row in _read_index(environment) if row[0] != key]
    rows.append([key, state.flags, state.names, state.seen, state.contents])
    kept = rows[-_KEPT:]
    try:
        os.makedirs(f"{environment}/{STATES}", exist_ok=True)
        _write(environment, key, {"format": _FORMAT, **state._asdict()})
        _write(environment, "index", {"format": _FORMAT, "states": kept})
        known = {"index.json", *(f"{row[0]}.json" for row in kept)}
        for name in os.listdir(f"{environment}/{STATES}"):
            if name not in known:
                os.unlink(f"{environment}/{STATES}/{name}")
    except OSError:
        return ""
    return key


def metadata(root: str, folders: Iterable[str]) -> set[str]:
    """The metadata in the site-packages ``folders`` of the environment at the real path ``root``.

    Raises:
        OSError: a folder cannot be read.
    """
    return {
        f"{folder}/{name}"
        for folder in folders
        for name in os.listdir(f"{root}/{folder}")
        if name.endswith(_METADATA)
    }


def survey(
    root: str, folders: Iterable[str], ledger: Ledger
) -> tuple[dict[str, Held], dict[str, str]]:
    """What the site-packages ``folders`` hold: what ``ledger`` knows, and facts about the rest.

    Raises:
        OSError: a folder cannot be read.
    """
    held: dict[str, Held] = {}
    others: dict[str, str] = {}
    lists: dict[str, set[str]] = {}
    for info in sorted(metadata(root, folders)):
        lists[info] = _files(root, info)
        provenance = ledger.known(root, info)
        if provenance is None:
            found = os.lstat(f"{root}/{info}")
            # Without ctime: it may have been moved away and back.
            others[info] = f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
        else:
            name, version = _project_of(info.rpartition("/")[2])
            key = entry_key(name, version, provenance.identity)
            held[info] = Held(name, version, key, False, provenance)
    for info in _sharing(lists):
        if info in held:
            held[info] = held[info]._replace(shared=True)
    return held, others


def _sharing(lists: Mapping[str, set[str]]) -> set[str]:
    """Those that list a file which another one lists too."""
    together: set[str] = set()
    twice: set[str] = set()
    for files in lists.values():
        twice |= together & files
        together |= files
    return {info for info, files in lists.items() if twice & files} if twice else set()


def _files(root: str, info: str) -> set[str]:
    try:
        with open(f"{root}/{info}/RECORD", encoding="utf-8", errors="surrogateescape") as stream:
            text = stream.read()
    except OSError:
        return set()
    folder = info.rpartition("/")[0]
    if '"' in text:
        paths = [row.path for row in parse_record(text).rows]
    else:
        paths = [line.partition(",")[0] for line in text.split("\n") if line]
    if "/." in text or "//" in text or "\n." in text or "\n/" in text or text[:1] in ("/", "."):
        located = (locate(path, site=folder, root=root) for path in paths)
        return {path for path in located if path is not None}
    return {f"{folder}/{path}" for path in paths}


def _project_of(info: str) -> tuple[str, str]:
    from packaging.version import InvalidVersion, Version

    name, _, version = info.removesuffix(".dist-info").partition("-")
    try:
        version = str(Version(version))
    except InvalidVersion:
        version = version or "unknown"
    return canonical(name), version


def _content(kind: str, path: str) -> str:
    if kind != stamp.FILE:
        return stamp.fact_of(kind, path)
    try:
        with open(path, "rb") as stream:
            return _digest(stream.read())
    except OSError:
        return "-"


def _digest(content: bytes) -> str:
    # hashlib, its public face, takes longer to import than all that is digested here.
    from _blake2 import blake2b

    return blake2b(content, digest_size=16).hexdigest()


def _read_index(environment: str) -> list[Any]:
    try:
        with open(f"{environment}/{STATES}/index.json", "rb") as stream:
            document = json.loads(stream.read())
        rows = document["states"] if document["format"] == _FORMAT else []
        return [row for row in rows if len(row) == _COLUMNS]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _write(environment: str, name: str, document: Mapping[str, Any]) -> None:
    path = f"{environment}/{STATES}/{name}.json"
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "wb") as stream:
        stream.write(json.dumps(document, separators=(",", ":")).encode())
    os.replace(temporary, path)
