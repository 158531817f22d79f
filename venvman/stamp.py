"""The stamp: what the world looked like when ``sync`` last found nothing to do.

When every fact is as it was, the answer is as it was, and is given before anything heavy is
imported: this module needs little but builtins, ``os``, ``sys`` and ``zlib``. Facts are size,
mtime, ctime and inode of

- every requirements file, lock, ``pyproject.toml`` and ``.python-version``, and the build metadata
  of local projects; and the names of all files that could become requirements files,
- the site-packages folders, every metadata folder and ``.pth`` file in them,
- ``pyvenv.cfg``, the environment's and the base interpreter, an unfinished transaction.

What it cannot see: files edited, or deleted from sub-folders, inside installed packages. ``doctor``
sees those.

A change within the clock's own granularity leaves the facts as they are (git's "racy" rule), so a
stamp is written only when everything in it is old enough.
"""

from __future__ import annotations

import os
import sys
import zlib

from venvman import __version__
from venvman.reading import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "FILE",
    "NAMES",
    "PART",
    "SITE",
    "Fact",
    "Stamp",
    "Watched",
    "answer",
    "fact_of",
    "find",
    "flags_of",
    "is_answerable",
    "is_indifferent",
    "is_settled",
    "look",
    "only_looks",
    "put",
    "read",
    "remove",
    "render",
    "root_above",
    "seen_of",
    "settle",
    "wants_quiet",
    "words_of",
    "write",
]

STAMP = os.path.join(".venvman", "stamp")
_MAGIC = f"venvman stamp 2 {__version__} {sys.version_info[0]}.{sys.version_info[1]}"
_FIELD = "\0"
_ITEM = "\x1f"

# Flags that change what is said or checked, not what would be done.
_INDIFFERENT = frozenset({"-q", "--quiet", "--check", "--dry-run", "--no-wait"})
_QUIET = frozenset({"-q", "--quiet"})
_LOOKING = frozenset({"--check", "--dry-run"})

# Those that choose what is wanted of the environment. With any other, the answer is not this text
# (--format, --verbose), not about this project (--project, --all), or work is done whatever the
# state (--recreate): the thorough way answers.
_CHOOSING = frozenset(
    {
        *("--group", "-g", "--only-group", "--all-groups", "--no-dev"),
        *("--locked", "--no-locked", "--frozen", "--inexact", "--python"),
        *("--compile", "--no-compile", "--link", "--cache-dir", "--offline"),
        *("--yes", "-y", "--color"),
    }
)

_REQUIREMENT_ENDINGS = (".in", ".txt", ".lock")
_SITE_ENDINGS = (".dist-info", ".egg-info", ".pth", ".egg-link")

# Kernels stamp files with a clock of 1 to 10 ms; a time in whole seconds tells of a file system
# that knows no finer ones.
_GRAIN_NS = 10_000_000
_COARSE_NS = 2_000_000_000

FILE, NAMES, SITE, PART = "F", "N", "S", "P"
Watched = tuple[str, str, int]
"""What is watched: of the project FILE or NAMES (of requirement files in a folder), of the
environment SITE (a site-packages) or PART (any other file); its path; and when it was looked at,
in nanoseconds of the file system's clock."""
Fact = tuple[str, str, str]
"""The same with what was seen."""


class Stamp:
    """What a sync left in ``environment`` (absolute).

    ``flags`` and ``seen`` tell which question it answers, with ``text``; ``names`` are the
    variables that ``seen`` is about. ``state`` names the state in :mod:`venvman.install.states`,
    if it is one. ``content`` is the file's.
    """

    __slots__ = ("content", "environment", "facts", "flags", "names", "seen", "state", "text")

    def __init__(self, environment: str, content: str) -> None:
        fields = content.split(_FIELD)
        magic, self.flags, names, self.seen, self.state, self.text = fields[:6]
        if magic != _MAGIC:
            raise ValueError(magic)
        self.environment = environment
        self.content = content
        self.names = names.split(_ITEM)
        self.facts: list[Fact] = list(zip(fields[6::3], fields[7::3], fields[8::3], strict=True))

    def holds(self) -> bool:
        """Whether every fact is as it was."""
        return all(fact_of(kind, path) == fact for kind, path, fact in self.facts)

    def gone(self) -> list[str] | None:
        """The metadata folders that are no longer there; None where the environment differs more.

        The time of a site-packages folder itself does not count: it tells of files without
        metadata, such as the first bytecode of a top module.
        """
        gone: list[str] = []
        for kind, path, fact in self.facts:
            now = fact_of(kind, path) if kind in (SITE, PART) else fact
            if now == fact:
                continue
            before, there = set(fact.split(_ITEM)[1:]), set(now.split(_ITEM)[1:])
            names = [row.rsplit(" ", 4)[0] for row in before - there]
            folders = all(name.endswith(".dist-info") for name in names)
            if kind != SITE or now == "-" or there - before or not folders:
                return None
            gone += [f"{path}/{name}" for name in names]
        return gone


def answer(arguments: Sequence[str], variables: Mapping[str, str], cwd: str) -> str | None:
    """What ``venvman`` with ``arguments`` in ``cwd`` would print; None if it must be found out.

    The text is empty for a quiet run. Only a ``sync`` whose last run with the same flags found
    nothing to do can be answered.
    """
    if not is_answerable(arguments):
        return None
    stamp = find(cwd)
    if stamp is None or stamp.flags != flags_of(arguments):
        return None
    if stamp.seen != seen_of(variables, stamp.names) or not stamp.holds():
        return None
    return "" if wants_quiet(arguments) else f"{stamp.text}\n"


def find(cwd: str) -> Stamp | None:
    """The stamp of the project that holds ``cwd``, looking upwards as far as that is certain.

    Raises:
        ValueError: it is damaged, or of another version.
    """
    folder = cwd
    while True:
        is_root = False
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.endswith(_REQUIREMENT_ENDINGS) or name in _ROOT_MARKS:
                        is_root = True
                    elif entry.is_dir():
                        content = read(os.path.join(entry.path, STAMP), folder, entry.path)
                        if content is not None:
                            return Stamp(entry.path, content)
        except OSError:
            return None
        above = os.path.dirname(folder)
        # A folder that may be a project itself is left to the thorough search.
        if is_root or above == folder:
            return None
        folder = above


def look(watched: Iterable[Watched]) -> list[Fact] | None:
    """What there is to see now; None where something may have changed since it was looked at.

    Raises:
        OSError: as looking raises.
    """
    facts: list[Fact] = []
    for kind, place, since_ns in watched:
        fact = fact_of(kind, place)
        if not is_settled(fact, since_ns=since_ns):
            return None
        facts.append((kind, place, fact))
    return facts


def write(
    environment: str,
    *,
    flags: str,
    names: Iterable[str],
    seen: str,
    state: str,
    text: str,
    facts: Iterable[Fact],
) -> bool:
    """Writes the stamp into ``environment``; whether it could be. See :class:`Stamp`."""
    from venvman.seal import sealed

    content = render(flags=flags, names=names, seen=seen, state=state, text=text, facts=facts)
    try:
        whole = sealed(environment, "stamp", content.encode("utf-8", "surrogateescape"))
    except OSError:
        return False
    return put(os.path.join(environment, STAMP), whole)


def render(
    *, flags: str, names: Iterable[str], seen: str, state: str, text: str, facts: Iterable[Fact]
) -> str:
    """The content that :class:`Stamp` reads."""
    head = (_MAGIC, flags, _ITEM.join(sorted(names)), seen, state, text)
    return _FIELD.join((*head, *(field for fact in facts for field in fact)))


def put(path: str, content: bytes) -> bool:
    """Puts a stamp's content at ``path`` in one step, in a private folder; whether it could be."""
    try:
        temporary = f"{path}.{os.getpid()}"
        try:
            stream = open(temporary, "wb")  # noqa: SIM115 - closed below, wherever it was opened
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            stream = open(temporary, "wb")  # noqa: SIM115 - closed below
        with stream:
            stream.write(content)
        os.replace(temporary, path)
    except OSError:
        return False
    return True


def remove(environment: str) -> None:
    """Removes the stamp: what it says may no longer be true.

    Raises:
        OSError: it cannot be removed.
    """
    path = os.path.join(environment, STAMP)
    if os.path.lexists(path):
        os.unlink(path)


def settle(since_ns: int | None = None) -> int:
    """Waits until what was written by ``since_ns`` is settled; the time from which to look again.

    In nanoseconds since the epoch; without ``since_ns`` all that was written by now counts.
    """
    import time

    now = time.time_ns()
    # A clock that was set back meanwhile tells of no more than one grain to come.
    passed = 0 if since_ns is None else min(max(now - since_ns, 0), _GRAIN_NS)
    if passed < _GRAIN_NS:
        time.sleep((_GRAIN_NS - passed) / 1e9)
    return time.time_ns() + 1


def is_settled(fact: str, *, since_ns: int) -> bool:
    """Whether nothing that ``fact`` tells of is so young that a later change could hide in it."""
    for item in fact.split(_ITEM):
        for word in item.split(" ")[-3:-1]:
            if word.isdigit():
                time_ns = int(word)
                grain = _GRAIN_NS if time_ns % 1_000_000_000 else _COARSE_NS
                if time_ns > since_ns - grain:
                    return False
    return True


def is_answerable(arguments: Sequence[str]) -> bool:
    """Whether this is a ``sync`` that says the same again as long as nothing has changed."""
    if not arguments or arguments[0] != "sync":
        return False
    flags = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    return all(flag in _INDIFFERENT or flag in _CHOOSING for flag in flags)


def wants_quiet(arguments: Sequence[str]) -> bool:
    """Whether nothing is to be said."""
    return bool(_QUIET.intersection(arguments))


def only_looks(arguments: Sequence[str]) -> bool:
    """Whether nothing is to be changed."""
    return bool(_LOOKING.intersection(arguments))


_ROOT_MARKS = frozenset({"pyproject.toml", "requirements", ".git"})


def root_above(cwd: str) -> str | None:
    """The nearest folder, ``cwd`` or above, that may be a project: the only one to answer for."""
    folder = cwd
    while True:
        try:
            names = os.listdir(folder)
        except OSError:
            return None
        if any(name.endswith(_REQUIREMENT_ENDINGS) or name in _ROOT_MARKS for name in names):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def is_indifferent(flag: str) -> bool:
    """Whether ``flag`` changes only what is said or checked."""
    return flag in _INDIFFERENT


def read(path: str, root: str, environment: str | None = None) -> str | None:
    """The content of the stamp at ``path``, if it is about the project at ``root``.

    One in an ``environment`` is believed only if this user wrote it there.
    """
    try:
        found = read_regular(path)
    except OSError:
        return None
    if environment is not None:
        from venvman.seal import open_sealed

        found = open_sealed(environment, "stamp", found) or b""
    content = found.decode("utf-8", "surrogateescape")
    # The names in the root are the first thing watched: an environment that was moved here from
    # another project says so by it.
    return content if f"{_FIELD}{NAMES}{_FIELD}{root}{_FIELD}" in content else None


def fact_of(kind: str, path: str) -> str:
    """What is to be seen at ``path``."""
    if kind in (FILE, PART):
        return _stat(path)
    if kind == NAMES:
        return _names(path)
    return _site(path)


def _stat(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return "-"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _names(folder: str) -> str:
    try:
        names = os.listdir(folder)
    except OSError:
        return "-"
    return _ITEM.join(sorted(name for name in names if name.endswith(_REQUIREMENT_ENDINGS)))


def _site(folder: str) -> str:
    rows = [_stat(folder)]
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SITE_ENDINGS):
                    found = entry.stat()
                    rows.append(
                        f"{entry.name} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"
                        f" {found.st_ino}"
                    )
    except OSError:
        return "-"
    return _ITEM.join((rows[0], *sorted(rows[1:])))


def flags_of(arguments: Sequence[str]) -> str:
    """The flags that choose what is wanted, as text."""
    return _ITEM.join(word for word in arguments[1:] if word not in _INDIFFERENT)


def words_of(flags: str) -> list[str]:
    """The inverse of :func:`flags_of`."""
    return flags.split(_ITEM)


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
