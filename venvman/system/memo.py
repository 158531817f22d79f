"""Remembered answers: a question, the facts that its answer rests on, and the answer as a value.

A command that has nothing to change says the same again as long as nothing has changed. What it
said is kept as drawings (:mod:`venvman.report.drawing`) and documents, never as a terminal's text,
so that it is shown in any colour and width by the one renderer. When every fact is as it was, it is
given before anything heavy is imported. Facts are

- size, times and inode of each file that was read, and that some are not there,
- which files in a folder could become requirements files,
- the site-packages folders with every metadata folder and ``.pth`` file in them,
- mode, size, time and inode of many files at once, as one digest,
- that it is not yet a certain time: index pages are fresh until then.

A change within the clock's own granularity leaves the facts as they are (git's "racy" rule), so an
answer is kept only when everything it rests on is old enough.

    <state>/memo/<CRC-32 of the question>    CRC-32 of the rest, then marshal

Where there are very many, those that were not renewed for longest go.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
import zlib

from venvman.system.privacy import private, state_folder
from venvman.system.reading import read_regular
from venvman.system.writing import replace
from venvman.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    Watch: TypeAlias = tuple[str, str, int]
    Fact: TypeAlias = tuple[str, str, str]
    Shown: TypeAlias = tuple[bool, bool, Any]

FILE, NAMES, SITE, MANY, UNTIL = "F", "N", "S", "M", "U"
"""What is watched: a file, the names of requirements files in a folder, a site-packages folder,
many files (a folder and paths in it, joined by NUL), or the clock until a time in nanoseconds since
the epoch. ``Watch`` adds the path (or time), and when it was
looked at, in nanoseconds of the file system's clock; ``Fact`` adds what was seen instead."""

_MAGIC = f"venvman memo 2 {__version__} {sys.implementation.cache_tag}"
ITEM = "\x1f"
"""Between the parts of what was seen."""
_MOST = 4096
"""Answers that are kept, of all projects of this user: some tens of each."""

ENDINGS = (".in", ".txt", ".lock", ".toml")
"""Of files that could become requirements files."""
_SITE_ENDINGS = (".dist-info", ".egg-info", ".pth", ".egg-link")

# Kernels stamp files with a clock of 1 to 10 ms; a time in whole seconds tells of a file system
# that knows no finer ones.
_GRAIN_NS = 10_000_000
_COARSE_NS = 2_000_000_000


class Memo:
    """``exit_code``, and what was ``shown``: to stderr or not, wrapped or not, and what.

    What is shown is text for programs, or the data of a drawing. ``answers`` as
    :class:`venvman.report.result.Result` has it.
    """

    __slots__ = ("answers", "exit_code", "shown")

    def __init__(self, exit_code: int, answers: bool, shown: Sequence[Shown]) -> None:
        self.exit_code = exit_code
        self.answers = answers
        self.shown = shown


def recall(question: str, variables: Mapping[str, str]) -> Memo | None:
    """The answer to ``question``; None if it must be found out.

    Raises:
        OSError: there is no folder for answers, or it cannot be read.
        ValueError: what was kept is damaged, or of another version.
    """
    content = read_regular(_path(question, variables))
    if zlib.crc32(content[4:]) != int.from_bytes(content[:4], "little"):
        raise ValueError(content[:4])
    # The folder is this user's alone, so that nobody else wrote it.
    found = marshal.loads(content[4:])  # noqa: S302
    magic, asked, names, seen, facts, exit_code, answers, shown = found
    if magic != _MAGIC or asked != question or seen != seen_of(variables, names):
        return None
    if any(fact_of(kind, path) != fact for kind, path, fact in facts):
        return None
    return Memo(exit_code, answers, shown)


def keep(
    question: str,
    memo: Memo,
    variables: Mapping[str, str],
    *,
    names: Iterable[str],
    watched: Iterable[Watch],
) -> bool:
    """Keeps the answer to ``question`` as long as what is ``watched`` stays; whether it could be.

    ``names`` are the variables that requirements files mention. An answer that rests on what may
    have changed since it was looked at is not kept, and an earlier one goes.
    """
    names = sorted(names)
    try:
        path = _path(question, variables)
        facts = look(watched)
        if facts is None:
            if os.path.exists(path):
                os.unlink(path)
            return False
        seen = seen_of(variables, names)
        rest = (names, seen, facts, memo.exit_code, memo.answers, list(memo.shown))
        content = marshal.dumps((_MAGIC, question, *rest))
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        _make_room(os.path.dirname(path))
        replace(path, zlib.crc32(content).to_bytes(4, "little"), content)
    except (OSError, ValueError):
        return False
    return True


def _path(question: str, variables: Mapping[str, str]) -> str:
    name = zlib.crc32(question.encode("utf-8", "surrogateescape"))
    return os.path.join(private(state_folder(variables)), "memo", f"{name:08x}")


def _make_room(folder: str) -> None:
    """Removes the older half of the answers in ``folder`` where there are too many."""
    with os.scandir(folder) as entries:
        found = list(entries)
    if len(found) < _MOST:
        return
    found.sort(key=lambda each: each.stat().st_mtime_ns)
    for entry in found[: _MOST // 2]:
        os.unlink(entry.path)


def look(watched: Iterable[Watch]) -> list[Fact] | None:
    """What there is to see now; None where something may have changed since it was looked at.

    Raises:
        OSError: as looking raises.
    """
    facts: list[Fact] = []
    for kind, path, since_ns in watched:
        if kind == MANY:
            rows = _rows(path)
            fact = _digest(rows)
            fresh = any(modified > since_ns - _GRAIN_NS for _, _, modified, _ in rows)
        else:
            fact = fact_of(kind, path)
            fresh = not is_settled(fact, since_ns=since_ns)
        if fresh:
            return None
        facts.append((kind, path, fact))
    return facts


def settle(since_ns: int | None = None) -> int:
    """Waits until what was written by ``since_ns`` is settled; the time from which to look again.

    In nanoseconds since the epoch; without ``since_ns`` all that was written by now counts.
    """
    now = time.time_ns()
    # A clock that was set back meanwhile tells of no more than one grain to come.
    passed = 0 if since_ns is None else min(max(now - since_ns, 0), _GRAIN_NS)
    if passed < _GRAIN_NS:
        time.sleep((_GRAIN_NS - passed) / 1e9)
    return time.time_ns() + 1


def is_settled(fact: str, *, since_ns: int) -> bool:
    """Whether nothing that ``fact`` tells of is so young that a later change could hide in it."""
    for item in fact.split(ITEM):
        for word in item.split(" ")[-3:-1]:
            if word.isdigit():
                time_ns = int(word)
                grain = _GRAIN_NS if time_ns % 1_000_000_000 else _COARSE_NS
                if time_ns > since_ns - grain:
                    return False
    return True


def fact_of(kind: str, path: str) -> str:
    """What is to be seen at ``path``."""
    if kind == MANY:
        return _digest(_rows(path))
    if kind == UNTIL:
        return "before" if time.time_ns() < int(path) else "past"
    try:
        if kind == NAMES:
            return ITEM.join(sorted(each for each in os.listdir(path) if each.endswith(ENDINGS)))
        return _site(path) if kind == SITE else _shown(os.stat(path))
    except OSError:
        return "-"


def many(root: str, paths: Iterable[str], near: Sequence[str] = ()) -> list[str]:
    """What to watch as :data:`MANY` to watch ``paths``, which are relative to ``root``.

    Those in a folder of ``near`` (relative to it, too) are named from there: the shorter a path is,
    the sooner it is looked up, and looking them up is most of what a remembered answer costs.
    """
    left = sorted(paths)
    found: list[tuple[str, list[str]]] = []
    for folder in near:
        start = f"{folder}/"
        found.append(
            (f"{root}/{start}", [each[len(start) :] for each in left if each.startswith(start)])
        )
        left = [each for each in left if not each.startswith(start)]
    return ["\0".join((folder, *names)) for folder, names in ((root, left), *found) if names]


def _digest(rows: Iterable[tuple[int, int, int, int]]) -> str:
    return str(hash(tuple(rows)))


def _rows(paths: str) -> list[tuple[int, int, int, int]]:
    """Mode, size, time and inode of each of many files; zeros for what is not there.

    Without ctime, which changes with each environment that a file is linked into.
    """
    folder, *names = paths.split("\0")
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        try:
            found = list(map(os.lstat, names))
        except OSError:
            return [_row(name) for name in names]
        return [(each.st_mode, each.st_size, each.st_mtime_ns, each.st_ino) for each in found]
    except OSError:
        return []
    finally:
        os.fchdir(here)
        os.close(here)


def _row(name: str) -> tuple[int, int, int, int]:
    try:
        found = os.lstat(name)
    except OSError:
        return 0, 0, 0, 0
    return found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino


def _shown(found: os.stat_result) -> str:
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _site(folder: str) -> str:
    about = _shown(os.stat(folder))
    with os.scandir(folder) as entries:
        rows = [f"{e.name} {_shown(e.stat())}" for e in entries if e.name.endswith(_SITE_ENDINGS)]
    return ITEM.join((about, *sorted(rows)))


def seen_of(variables: Mapping[str, str], names: Iterable[str]) -> str:
    """A digest of the variables that settings, pip's configuration or ``${NAME}`` may come from."""
    wanted = {*names, *_VARIABLES}
    rows = sorted(
        f"{name}={value}"
        for name, value in variables.items()
        if name in wanted or name.startswith(_PREFIXES)
    )
    joined = "\n".join(rows).encode("utf-8", "surrogateescape")
    return f"{len(rows)} {zlib.crc32(joined):08x}"


_PREFIXES = ("VENVMAN_", "PIP_")
_VARIABLES = ("CI", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
