"""Known states: what each set of locks came to, so that going back to one needs no thinking.

    .venvman/states/index.json     by which contents of the project's files each state is known
    .venvman/states/<id>.json      what the environment held then
    .venvman/states/current.json   which of them it holds now, and what its site-packages look like

A state is written down when a sync ended in an environment that equals its locks. Nothing here is
trusted further than it can be checked: :mod:`venvman.install.switch` compares all of it with what
is there. Imports next to nothing.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from venvman import memo, seal
from venvman.environment.ledger import Provenance
from venvman.environment.record import locate, parse_record
from venvman.install.attic import entry_key
from venvman.names import canonical
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.environment.ledger import Ledger

STATES = ".venvman/states"
_FORMAT = 5
_KEPT = 16
_CURRENT = "states/current.json"
_METADATA = (".dist-info", ".egg-info", ".egg-link")
_COLUMNS = 5

Contents = tuple[tuple[str, str, str], ...]
"""Of the project's files: kind (FILE or NAMES of :mod:`venvman.memo`), path, digest or names."""


Part = tuple[str, str, str]
"""A fact about the environment: FILE or SITE of :mod:`venvman.memo`, its path, what was seen."""


class Held(NamedTuple):
    """A distribution that venvman installed.

    ``key`` is what the attic calls it; ``shared`` says that another one lists a file of it too.
    ``tops`` are the parts of the environment that it has files in: two that share a file share one.
    """

    name: str
    version: str
    key: str
    shared: bool
    provenance: Provenance
    tops: tuple[str, ...] = ()


class Manner(NamedTuple):
    """How wheels of the store get into the environment.

    ``cache`` is the cache folder, ``link`` a value of :class:`venvman.settings.Link`, ``site`` the
    fields of :class:`venvman.install.layout.Site`.
    """

    cache: str
    link: str
    site: dict[str, Any]


class State(NamedTuple):
    """An environment that equals its locks.

    ``flags`` are the options that choose what is wanted of it, ``seen`` tells of the variables that
    matter, those in ``names`` among them; ``said`` is the sentence for it, as
    :func:`venvman.report.sync.nothing_to_do` has it. ``parts`` are facts about the environment but
    for its site-packages; ``folders`` are those, ``lasting`` all folders that stay when empty,
    relative to the environment's real path.
    ``held`` is by metadata folder, relative likewise, ``others`` tells of
    the metadata that somebody else installed. ``locked`` counts what the locks name, ``lock`` is
    the lock file that changes of the environment take. ``manner`` is None where more is to be done
    than to link (:mod:`venvman.install.staging`).
    """

    flags: str
    names: tuple[str, ...]
    seen: str
    contents: Contents
    said: tuple[str, str, str]
    parts: tuple[Part, ...]
    folders: tuple[str, ...]
    lasting: tuple[str, ...]
    held: dict[str, Held]
    others: dict[str, str]
    locked: int
    lock: str
    manner: Manner | None = None

    @property
    def is_frozen(self) -> bool:
        """Whether nobody has judged the locks that led to it."""
        return "('frozen', True)" in self.flags

    @property
    def key(self) -> str:
        """By what it is known: the question and the contents of the files."""
        text = repr((self.flags, self.seen, self.contents))
        return digest_of(text)


class Current(NamedTuple):
    """The key of the state that an environment holds, and the facts about its site-packages.

    ``files`` is the one about :func:`installed`; none where that is None.
    """

    key: str
    sites: tuple[Part, ...]
    files: tuple[Part, ...]

    @property
    def is_whole(self) -> bool:
        """Whether every installed file is known to be as it was."""
        return bool(self.files) and all(
            memo.fact_of(k, path) == fact for k, path, fact in self.files
        )

    def gone(self) -> list[str] | None:
        """The metadata folders that are no longer there; None where there is more than before.

        The time of a site-packages folder itself does not count: it tells of files without
        metadata, such as the first bytecode of a top module.
        """
        gone: list[str] = []
        for kind, path, fact in self.sites:
            now = memo.fact_of(kind, path)
            if now == fact:
                continue
            before, there = (set(each.split(memo.ITEM)[1:]) for each in (fact, now))
            names = [row.rsplit(" ", 4)[0] for row in before - there]
            folders = all(name.endswith(".dist-info") for name in names)
            if now == "-" or there - before or not folders:
                return None
            gone += [f"{path}/{name}" for name in names]
        return gone


def read_current(environment: str) -> Current | None:
    """The state that ``environment`` holds, unless it has been changed since by anybody else."""
    try:
        document = json.loads(seal.read(environment, _CURRENT) or b"{}")
        if document["format"] != _FORMAT:
            return None
        sites, files = (
            tuple((k, path, fact) for k, path, fact in document[name])
            for name in ("sites", "files")
        )
        return Current(document["key"], sites, files)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def write_current(environment: str, current: Current) -> None:
    """Says that ``environment`` holds the state ``current``; what cannot be written is not said."""
    with suppress(OSError):
        _write(environment, "current", {"format": _FORMAT, **current._asdict()})


def forget_current(environment: str) -> None:
    """Says no more which state ``environment`` holds.

    Raises:
        OSError: it cannot be removed.
    """
    with suppress(FileNotFoundError):
        os.unlink(f"{environment}/.venvman/{_CURRENT}")


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
        if known_flags != flags or memo.seen_of(variables, names) != known_seen:
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
        content = seal.read(environment, f"states/{key}.json")
        document: dict[str, Any] = json.loads(content or b"{}")
        if document.pop("format") != _FORMAT:
            return None
        held, manner = (document.pop(name) for name in ("held", "manner"))
        held = {
            info: Held(name, version, key, shared, Provenance(*provenance), tuple(tops))
            for info, (name, version, key, shared, provenance, tops) in held.items()
        }
        return State(
            names=tuple(document.pop("names")),
            contents=tuple((kind, path, seen) for kind, path, seen in document.pop("contents")),
            said=_said(*document.pop("said")),
            parts=tuple((kind, path, fact) for kind, path, fact in document.pop("parts")),
            folders=tuple(document.pop("folders")),
            lasting=tuple(document.pop("lasting")),
            held=held,
            manner=manner and Manner(*manner),
            **document,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _said(start: str, where: str, end: str) -> tuple[str, str, str]:
    return start, where, end


def newest(environment: str) -> State | None:
    """The state that was recorded last."""
    rows = _read_index(environment)
    return read(environment, str(rows[-1][0])) if rows else None


def record(environment: str, state: State) -> str:
    """Writes ``state`` down, and forgets the oldest ones; its key, empty where it cannot be."""
    key = state.key
    rows = [row for row in _read_index(environment) if row[0] != key]
    rows.append([key, state.flags, state.names, state.seen, state.contents])
    kept = rows[-_KEPT:]
    try:
        seal.own(environment)
        os.makedirs(f"{environment}/{STATES}", exist_ok=True)
        _write(environment, key, {"format": _FORMAT, **state._asdict()})
        _write(environment, "index", {"format": _FORMAT, "states": kept})
        known = {"index.json", "current.json", *(f"{row[0]}.json" for row in kept)}
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


def installed(root: str, folders: Iterable[str]) -> str | None:
    """The files that RECORDs list, as :data:`venvman.memo.MANY` has them.

    None where they are more than can be looked at in a fraction of the time that Python needs to
    start: what of those is lost or cut off a full sync sees, and doctor.
    """
    found: set[str] = set()
    for info in metadata(root, folders):
        found.update(each for each in recorded(root, info) if not each.endswith(".pyc"))
        if len(found) > _FEW:
            return None
    return "\0".join([root, *sorted(found)])


_FEW = 4000


def survey(
    root: str, folders: Iterable[str], ledger: Ledger, *, before: Mapping[str, Held] | None = None
) -> tuple[dict[str, Held], dict[str, str]]:
    """What the site-packages ``folders`` hold: what ``ledger`` knows, and facts about the rest.

    Of what an earlier survey found, ``before``, only those files are listed again that what is new
    may share.

    Raises:
        OSError: a folder cannot be read.
    """
    folders = tuple(folders)
    held: dict[str, Held] = {}
    others: dict[str, str] = {}
    fresh: list[str] = []
    for info in sorted(metadata(root, folders)):
        provenance = ledger.known(root, info)
        known = before.get(info) if before else None
        if provenance is None:
            found = os.lstat(f"{root}/{info}")
            # Without ctime: it may have been moved away and back.
            others[info] = f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
        elif known is not None and known.provenance == provenance:
            held[info] = known
            if not known.shared:
                continue
        else:
            name, version = _project_of(info.rpartition("/")[2])
            key = entry_key(name, version, provenance.identity)
            held[info] = Held(name, version, key, False, provenance)
        fresh.append(info)
    lists = {info: recorded(root, info) for info in fresh}
    tops = {info: _tops(files, folders) for info, files in lists.items()}
    touched = {top for found in tops.values() for top in found}
    for info, each in held.items():
        if info not in lists and not touched.isdisjoint(each.tops):
            lists[info], tops[info] = recorded(root, info), each.tops
    sharing = _sharing(lists)
    for info in held.keys() & lists.keys():
        held[info] = held[info]._replace(shared=info in sharing, tops=tops[info])
    return held, others


def _sharing(lists: Mapping[str, set[str]]) -> set[str]:
    """Those that list a file which another one lists too."""
    together: set[str] = set()
    twice: set[str] = set()
    for files in lists.values():
        twice |= together & files
        together |= files
    return {info for info, files in lists.items() if twice & files} if twice else set()


def _tops(files: Iterable[str], folders: Sequence[str]) -> tuple[str, ...]:
    """What is at the top of site-packages, as ``./NAME``; of the rest three parts of the path."""
    sites = tuple(f"{folder}/" for folder in folders)
    found = set()
    for path in files:
        site = next((site for site in sites if path.startswith(site)), None)
        if site is None:
            found.add("/".join(path.split("/", 3)[:3]))
            continue
        top, _, rest = path[len(site) :].partition("/")
        found.add(f"./{top}/{rest}" if top == "__pycache__" else f"./{top}")
    return tuple(sorted(found))


def recorded(root: str, info: str) -> set[str]:
    """The files in the RECORD of ``info`` that lie in the environment; paths relative to it."""
    try:
        text = read_regular(f"{root}/{info}/RECORD").decode("utf-8", "surrogateescape")
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
    if kind != memo.FILE:
        return memo.fact_of(kind, path)
    try:
        return _digest(read_regular(path))
    except OSError:
        return "-"


def digest_of(text: str) -> str:
    """A digest of ``text`` (32 hex digits)."""
    return _digest(text.encode("utf-8", "surrogateescape"))


def _digest(content: bytes) -> str:
    # hashlib, its public face, takes longer to import than all that is digested here.
    from _blake2 import blake2b

    return blake2b(content, digest_size=16).hexdigest()


def _read_index(environment: str) -> list[Any]:
    try:
        document = json.loads(seal.read(environment, "states/index.json") or b"{}")
        rows = document["states"] if document["format"] == _FORMAT else []
        return [row for row in rows if len(row) == _COLUMNS]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def _write(environment: str, name: str, document: Mapping[str, Any]) -> None:
    content = json.dumps(document, separators=(",", ":")).encode()
    seal.write(environment, f"states/{name}.json", content)
