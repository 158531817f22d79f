"""Recorded states: what a sync came to, found again by what the project's files hold.

:mod:`venvman.environment.history` records them. Nothing here is trusted further than it can be
checked: :mod:`venvman.install.fastpath` compares all of it with what is there.

    .venvman/current.json    which state the environment holds, and what its site-packages look like

Imports next to nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from venvman.environment.history import History
from venvman.environment.ledger import digest_of, read_ledger
from venvman.environment.record import locate, parse_record, tops_of
from venvman.system import memo, records
from venvman.system.locks import held
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.environment.history import Contents, Part, State, Wanted
    from venvman.environment.ledger import Ledger

_CURRENT = "current.json"
_KIND = "current 6"
_METADATA = (".dist-info", ".egg-info", ".egg-link")


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
    found = records.read(environment, _CURRENT, _KIND)
    return found and Current(*found)


def write_current(environment: str, current: Current) -> None:
    """Says that ``environment`` holds the state ``current``; what cannot be written is not said."""
    with suppress(OSError):
        records.write(environment, _CURRENT, _KIND, current)


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


def find(environment: str, *, flags: str, variables: Mapping[str, str]) -> State | None:
    """The recorded state whose files hold just what they hold now; None if there is none.

    Of several the one that was recorded last.
    """
    now: dict[tuple[str, str], str] = {}
    for state in History(environment).lines():
        wanted = state.wanted
        if wanted is None or wanted.flags != flags:
            continue
        if memo.seen_of(variables, wanted.names) != wanted.seen:
            continue
        for kind, path, content in wanted.contents:
            if (kind, path) not in now:
                now[kind, path] = _content(kind, path)
            if now[kind, path] != content:
                break
        else:
            return state
    return None


def read(environment: str, key: str) -> State | None:
    """The recorded state ``key``, or None where it cannot be read."""
    states = History(environment).lines()
    return next((each for each in states if each.wanted and each.wanted.key == key), None)


def record(environment: str, wanted: Wanted) -> str:
    """Adds to the history that what the environment holds is just ``wanted``; the key of that.

    Empty where it cannot be, where somebody else changes the environment, or where the history does
    not know what it holds.
    """
    history = History(environment)
    try:
        with held(wanted.lock, wait=0):
            newest, ledger = history.newest(), read_ledger(environment)
            now = (ledger.sequence, ledger.snapshot)
            if newest is None or (newest.sequence, newest.snapshot) != now:
                return ""
            before = read(environment, wanted.key)
            if before is None or (before.snapshot, before.wanted) != (newest.snapshot, wanted):
                history.record(newest._replace(wanted=wanted))
    except OSError:
        return ""
    return wanted.key


FEW = 4000


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


def installed(root: str, folders: Iterable[str], *, most: int | None = FEW) -> set[str] | None:
    """The files that RECORDs list, less bytecode; relative to ``root``.

    None where they are more than ``most``: more than can be looked at in a fraction of the time
    that Python needs to start. What of those is lost or cut off a full sync sees, and doctor.
    """
    found: set[str] = set()
    for info in metadata(root, folders):
        found.update(each for each in recorded(root, info) if not each.endswith(".pyc"))
        if most is not None and len(found) > most:
            return None
    return found


def survey(ledger: Ledger, folders: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]] | None:
    """The metadata folders of those that share files, and facts about what ``ledger`` has not.

    None where the ledger has more than the site-packages ``folders`` hold.

    Raises:
        OSError: a folder cannot be read.
    """
    others: dict[str, str] = {}
    owners: dict[str, list[str]] = {}
    known = 0
    for info in sorted(metadata(ledger.root, folders)):
        provenance = ledger.known(info)
        if provenance is None:
            found = os.lstat(f"{ledger.root}/{info}")
            # Without ctime: it may have been moved away and back.
            others[info] = f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"
            tops = tops_of(recorded(ledger.root, info), site="", folders=folders)
        else:
            known += 1
            tops = provenance.tops
        for top in tops:
            owners.setdefault(top, []).append(info)
    if known != len(ledger.distributions):
        return None
    suspects = {info for infos in owners.values() if len(infos) > 1 for info in infos}
    lists = {info: recorded(ledger.root, info) for info in suspects}
    together: set[str] = set()
    twice: set[str] = set()
    for files in lists.values():
        twice |= together & files
        together |= files
    return tuple(sorted(info for info, files in lists.items() if twice & files)), others


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


def _content(kind: str, path: str) -> str:
    if kind != memo.FILE:
        return memo.fact_of(kind, path)
    try:
        return digest_of(read_regular(path))
    except OSError:
        return "-"
