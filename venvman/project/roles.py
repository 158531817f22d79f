"""Which part each file of a project plays (docs/reference/requirements-files.md). Pure.

Takes the names found and what can be asked of the files; gives every group with its sources and its
lock, and the files that are constraints. Paths are relative to the root, POSIX.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.requirements.declared import PYPROJECT, Compiled, read_declared
from venvman.requirements.header import (
    EXPORTED,
    is_hashed,
    parse_header,
    read_header,
    read_pylock_header,
)
from venvman.requirements.includes import includes_in
from venvman.requirements.multiuse import inner_groups
from venvman.requirements.naming import (
    DEFAULT,
    DEV,
    FOLDER,
    WELL_KNOWN,
    group_of,
    is_constraints,
    is_default,
    is_pylock,
    pylock_group,
    pylock_of,
    stem_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from venvman.requirements.declared import Declared
    from venvman.requirements.header import LockHeader
    from venvman.requirements.multiuse import InnerGroup


class Role(str, Enum):
    """What a file is to its project."""

    SOURCE = "source"
    LOCK = "lock"
    CONSTRAINTS = "constraints"
    INCLUDED = "included"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One group: its sources (none for a lock made from something else) and its lock.

    ``lock`` need not exist. ``folder`` is where the command in its header is run, relative to the
    root, None where that cannot be told. ``note`` says what about the name was not plain.
    ``declared``: the source is the entry of that name in pyproject.toml; ``compiled`` as
    pip-compile can make its lock. ``former`` is its lock in another format, until the first freeze.
    ``inner`` is what the group is in a lock that other groups have, too.
    """

    group: str
    sources: tuple[str, ...]
    lock: str
    folder: str | None = None
    note: str | None = None
    declared: bool = False
    compiled: Compiled | None = None
    former: str | None = None
    inner: InnerGroup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """A group whose file ``source`` only includes others: its pins are those of ``members``."""

    group: str
    source: str
    members: tuple[str, ...]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Every group, ``default`` (or what it gathers) and ``dev`` first, and the constraints."""

    parts: tuple[Part, ...]
    gatherings: tuple[Gathering, ...]
    constraints: tuple[str, ...]


class Facts:
    """What the files of a root say; ``read`` gives (the beginning of) one's text, None of none."""

    def __init__(self, read: Callable[[str, int], str | None]) -> None:
        self._read = read
        self._headers: dict[str, LockHeader | None] = {}

    def text(self, name: str) -> str | None:
        """All that a file says; None of none."""
        return self._read(name, -1)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._read(name, 0) is not None

    def header(self, name: str) -> LockHeader | None:
        """The header of a file; None where it has none, or is not there."""
        if name not in self._headers and is_pylock(name):
            said = self._read(name, -1)
            self._headers[name] = None if said is None else read_pylock_header(said)
        elif name not in self._headers:
            found = parse_header(self._read(name, _HEADER_LENGTH) or "")
            if found is None or not found.sources:
                found = read_header(self._read(name, -1) or "")
            self._headers[name] = found
        return self._headers[name]

    def is_written_afar(self, name: str) -> bool:
        """Whether ``name`` is a lock whose command names that folder, and sources elsewhere."""
        header = self.header(name)
        return (
            header is not None
            and header.is_compiled
            and "/" in (header.output or "")
            and not self.exists(f"{name[:-4]}.in")
            and any(
                all(self.exists(_at(folder, prefix, each)) for each in header.sources)
                for folder, prefix in _folders(name, header)
                if header.sources and not prefix
            )
        )

    def names_root(self, name: str) -> bool:
        """Whether a line of the file ``name`` is the project itself: ``-e .``, ``.[test]``."""
        text = self._read(name, -1) or ""
        return re.search(r"(?m)^\s*(?:(?:-e|--editable)[ =]+)?\.(?:\[|[\s;]|$)", text) is not None

    def is_own_lock(self, name: str) -> bool:
        """Whether somebody pinned and hashed every line of the file ``name``."""
        return is_hashed(self._read(name, -1) or "")

    def gathers(self, name: str) -> tuple[tuple[str, str], ...]:
        """The ``-r`` and ``-c`` of a file that holds nothing else; of any other file none."""
        text = self._read(name, -1) or ""
        lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()]
        said = [line for line in lines if line and not line.startswith("#")]
        includes = tuple(includes_in(text))
        if not includes or len(includes) != len(said):
            return ()
        folder = posixpath.dirname(name)
        return tuple(
            (flag, posixpath.normpath(posixpath.join(folder, target))) for flag, target in includes
        )

    def includes(self, name: str) -> dict[str, str]:
        """The files that it names, each with the ``-r`` or ``-c`` that does."""
        folder = posixpath.dirname(name)
        return {
            posixpath.normpath(posixpath.join(folder, target)): flag
            for flag, target in includes_in(self._read(name, -1) or "")
        }

    def reached(self, name: str) -> frozenset[str]:
        """The files that it includes by ``-r``, directly or through others."""
        found: set[str] = set()
        pending = [name]
        while pending:
            for path, flag in self.includes(pending.pop()).items():
                if flag == "-r" and path not in found:
                    found.add(path)
                    pending.append(path)
        return frozenset(found)


_HEADER_LENGTH = 4096


def assign(
    names: Sequence[str], facts: Facts, *, asked: Collection[str] = (), pylock: bool | None = None
) -> Assignment:
    """Gives each of ``names`` (the ``.in`` and ``.txt`` files of a root, its pylocks) its part.

    ``names`` are relative paths, of the root and of its ``requirements`` folder; ``asked`` are
    groups that somebody asks for by name. ``pylock``: locks are in the format of PEP 751, or are
    not; None: where they are in that format, and no other lock is there.
    """
    pylocks = {group: name for name in names if (group := pylock_group(name)) is not None}
    names = [name for name in names if not is_pylock(name)]
    table = _Table(names, facts)
    parts = _without_fragments(_parts(table, names), facts, asked)
    if pylock is not False:
        named = {part.group for part in parts}
        more = pylocks.keys() - named
        parts += [Part(group=each, sources=(), lock=pylocks[each]) for each in more]
        parts += _inside({each: pylocks[each] for each in more}, facts, taken=named | more)
    parts = _declared(parts, facts, written=[name for name in names if name.endswith(".in")])
    parts = [_in_format(part, facts, pylocks.get(part.group), pylock) for part in parts]
    parts, gatherings = _gathered(parts, facts, locked=table.compiled)
    first = {DEFAULT, *members_of(DEFAULT, gatherings)}
    return Assignment(
        parts=tuple(
            sorted(parts, key=lambda each: (each.group not in first, each.group != DEV, each.group))
        ),
        gatherings=tuple(sorted(gatherings, key=lambda each: each.group)),
        constraints=tuple(sorted(table.constraints)),
    )


def _inside(pylocks: Mapping[str, str], facts: Facts, *, taken: Collection[str]) -> Iterator[Part]:
    """The groups of each of ``pylocks`` but its own; where a file is called as one, it wins."""
    for group, lock in pylocks.items():
        for each in inner_groups(facts.text(lock) or "", group):
            if each.name not in taken:
                yield Part(group=each.name, sources=(), lock=lock, inner=each)


def _in_format(part: Part, facts: Facts, there: str | None, pylock: bool | None) -> Part:
    """``part`` with the lock of the format that is asked for; ``there`` is its pylock on disk."""
    exists = facts.exists(part.lock)
    if not part.sources or (pylock is None and (exists or not there)):
        return part
    if pylock is False:
        return part if exists else replace(part, former=there)
    return replace(
        part, lock=pylock_of(part.group), former=part.lock if exists and not there else None
    )


def _declared(parts: list[Part], facts: Facts, *, written: Collection[str]) -> list[Part]:
    """The groups of pyproject.toml that no file of ``parts`` is for, where none is for ``default``.

    A requirements file (``written``: the ``.in``) for ``default`` wins over all of it, and so do
    one that names the project itself (``-e .``) and any lock that another tool made. What was made
    of it before is then the lock of the ``.in`` beside it, or nobody freezes it.
    """
    own = [
        part
        for part in parts
        if not {*part.sources} - {PYPROJECT}
        and (header := facts.header(part.lock)) is not None
        and (header.tool == "venvman" or header.declared is not None)
    ]
    beside = {part.lock: f"{part.lock[:-4]}.in" for part in own}
    files = [part for part in parts if part not in own]
    alone = set(beside.values()).isdisjoint(written) and all(
        part.sources and part.group != DEFAULT and not any(map(facts.names_root, part.sources))
        for part in files
    )
    said = read_declared(facts.text(PYPROJECT) or "") if alone else None
    locks = {
        group: f"{FOLDER}.txt" if group == DEFAULT else f"{FOLDER}-{group}.txt"
        for group in (said.groups if said is not None else ())
    }
    if said is None or not all(_is_of(part, locks, said, facts) for part in own):
        return [
            replace(each, sources=tuple(name for name in [beside[each.lock]] if name in written))
            if each in own
            else each
            for each in parts
        ]
    taken = {*locks, *locks.values()}
    others = [part for part in own if taken.isdisjoint({part.group, part.lock})]
    used = {said for part in files for said in (part.group, part.lock)}
    return [*files, *(replace(part, sources=()) for part in others)] + [
        Part(
            group=group,
            sources=(PYPROJECT,),
            lock=lock,
            declared=True,
            compiled=Compiled(said.spelled, said.compiled[group])
            if group in said.compiled
            else None,
        )
        for group, lock in locks.items()
        if used.isdisjoint({group, lock})
    ]


def _is_of(part: Part, locks: Mapping[str, str], said: Declared, facts: Facts) -> bool:
    """Whether pip-compile, where it made the lock, made it of that group and nothing else."""
    header = facts.header(part.lock)
    if header is None or header.declared is None:
        return True
    groups = [group for group, lock in locks.items() if lock == part.lock]
    return any(said.compiled.get(group) == header.declared for group in groups)


def _without_fragments(parts: Sequence[Part], facts: Facts, asked: Collection[str]) -> list[Part]:
    """``parts`` without those that only hold lines which others share.

    So is a file without a lock that a source with one includes: whoever made that lock wanted none
    of the fragment. Names that the table spells out keep their role, and so does what is asked for.
    """
    locked = [part for part in parts if facts.exists(part.lock)]
    reached = {name for part in locked for source in part.sources for name in facts.reached(source)}
    kept = {*WELL_KNOWN, *asked}
    return [
        part
        for part in parts
        if part in locked or part.group in kept or reached.isdisjoint(part.sources)
    ]


def members_of(group: str, gatherings: Sequence[Gathering]) -> tuple[str, ...]:
    """The groups with locks that ``group`` stands for: itself, unless it gathers others."""
    members = {each.group: each.members for each in gatherings}
    found: dict[str, None] = {}
    pending, seen = [group], {group}
    while pending:
        name = pending.pop(0)
        if name not in members:
            found[name] = None
        for each in members.get(name, ()):
            if each not in seen:
                seen.add(each)
                pending.append(each)
    return tuple(found)


def _gathered(
    parts: Sequence[Part], facts: Facts, *, locked: Collection[str]
) -> tuple[list[Part], list[Gathering]]:
    """``parts`` that have locks, and those that only include others.

    A lock that is there stays, and one of a source in ``locked`` is made.
    """
    part_of = {file: part for part in parts for file in (part.lock, *part.sources)}
    found = []
    for part in parts:
        if len(part.sources) != 1 or facts.exists(part.lock) or part.sources[0] in locked:
            continue
        members, source = _included(part, part_of, facts), part.sources[0]
        if members:
            gathering = Gathering(group=part.group, source=source, members=members, note=part.note)
            found.append(gathering)
    found = [each for each in found if members_of(each.group, found)]  # no loops
    names = {each.group for each in found}
    return [part for part in parts if part.group not in names], found


def _included(part: Part, part_of: Mapping[str, Part], facts: Facts) -> tuple[str, ...]:
    """The groups that the file of ``part`` includes; empty where it says more than that.

    A ``-c`` says more, unless all that is included is locked already.
    """
    includes = facts.gathers(part.sources[0])
    members: dict[str, None] = {}
    for flag, target in includes:
        member = part_of.get(target)
        if flag == "-r" and (member is None or member is part):
            return ()
        if flag == "-r" and member is not None:
            members[member.group] = None
    locked = all(facts.exists(each.lock) for each in part_of.values() if each.group in members)
    limited = any(flag == "-c" for flag, _ in includes)
    return tuple(members) if locked or not limited else ()


@dataclass(frozen=True, slots=True)
class _Made:
    """What a lock is made from, and where its header's command is run."""

    sources: tuple[str, ...]
    folder: str | None = None


class _Table:
    """The rows of the table: constraints, locks (each with what it is made from), sources.

    ``compiled`` are the sources that are constraints.
    """

    def __init__(self, names: Sequence[str], facts: Facts) -> None:
        self._names = frozenset(names)
        self._facts = facts
        limits = [name for name in names if is_constraints(name)]
        self.compiled = {each for each in limits if each.endswith(".in") and self._compiles(each)}
        compiled = {*self.compiled, *map(_lock_name, self.compiled)}
        self.constraints = [name for name in limits if name not in compiled]
        rest = [name for name in names if name not in self.constraints]
        self._inputs = self.compiled | {
            name for name in rest if name.endswith(".in") and group_of(name, beside=names)
        }
        self.locks: dict[str, _Made] = {}
        copies: set[str] = set()
        for name in [each for each in rest if each.endswith(".txt")]:
            header = facts.header(name)
            beside = f"{name[:-4]}.in"
            if header is not None and header.text.startswith(EXPORTED):
                copies.add(name)
            elif header is not None and header.is_lock and beside not in self._inputs:
                if self._is_copy(name, header):
                    copies.add(name)
                else:
                    self.locks[name] = self._made(name, header, None)
            elif beside in self._inputs:
                self.locks[name] = self._made(name, header, beside)
            elif facts.is_own_lock(name) and not facts.exists(_lock_name(name)):
                self.locks[name] = _Made(())
        self.sources = [each for each in rest if each not in self.locks and each not in copies]
        for name in self.sources:
            lock = f"{name[:-4]}.lock"
            if name.endswith(".txt") and (header := facts.header(lock)) is not None:
                made = self._made(lock, header, name)
                if name in made.sources:
                    self.locks[lock] = made
        for name in [each for each in self.locks if self._is_unnamed_copy(each)]:
            del self.locks[name]

    def _compiles(self, source: str) -> bool:
        """Whether the constraints ``source`` are frozen: into a lock, or one that is asked for."""
        lock = _lock_name(source)
        if self._facts.exists(lock):
            return self._is_lock(lock)
        return any(lock in self._facts.includes(name) for name in self._names)

    def _made(self, lock: str, header: LockHeader | None, beside: str | None) -> _Made:
        """``beside`` is the source that the lock's name says, where it is there."""
        fallback = (beside,) if beside else ()
        if header is None or not header.is_lock:
            return _Made(fallback)
        if header.sources:
            return self._named(lock, header) or _Made(fallback)
        if header.tool == "venvman" and beside:
            return _Made(fallback, "")
        return self._noted(lock, header, beside)

    def _named(self, lock: str, header: LockHeader) -> _Made | None:
        """The requirements files that the header's command names; None where one is not there.

        Commands run in the root as a rule, some in the lock's folder, or above the root. A lock
        made from pyproject.toml is synced as it is.
        """
        if not all(name.endswith((".in", ".txt")) for name in header.sources):
            return _Made(())
        for folder, prefix in _folders(lock, header):
            found = [_at(folder, prefix, name) for name in header.sources]
            if all(each != lock and self._facts.exists(each) for each in found):
                return _Made(tuple(dict.fromkeys(found)), folder)
        return None

    def _noted(self, lock: str, header: LockHeader, beside: str | None) -> _Made:
        """The files that the notes of the pins name, less those that another of them includes."""
        for folder, prefix in (*_folders(lock, header), *_above(header, beside)):
            found = [_at(folder, prefix, name) for name in header.noted]
            there = [each for each in found if each != lock and self._facts.exists(each)]
            if there:
                break
        else:
            return _Made((beside,) if beside else ())
        first = [beside] if beside else []
        below = frozenset[str]().union(*map(self._facts.reached, {*first, *there}))
        own = [each for each in there if each not in below and not self._is_lock(each)]
        return _Made(tuple(dict.fromkeys([*first, *own])), folder)

    def _is_lock(self, name: str) -> bool:
        header = self._facts.header(name) if name.endswith(".txt") else None
        return header is not None and header.is_lock

    def _is_copy(self, lock: str, header: LockHeader) -> bool:
        """Whether the header's command writes another lock that is there."""
        candidates = [
            _at(folder, prefix, header.output or lock) for folder, prefix in _folders(lock, header)
        ]
        if lock in candidates:
            return False
        others = [self._facts.header(each) for each in candidates]
        return any(each is not None and each.is_lock for each in others)

    def _is_unnamed_copy(self, lock: str) -> bool:
        """Whether it says all that the lock says which its sources' name would have.

        The commands of venvman, and of uv without ``-o``, do not name what they write.
        """
        sources = self.locks[lock].sources
        header = self._facts.header(lock)
        if not sources or header is None or header.output is not None:
            return False
        return any(
            other in self.locks
            and self.locks[other].sources == sources
            and _says(self._facts.header(other)) == _says(header)
            for other in {_lock_name(sources[0])} - {lock}
        )


def _says(header: LockHeader | None) -> tuple[str | None, ...]:
    """What of a header tells two locks of the same sources apart."""
    if header is None:
        return ()
    # Whatever Python venvman freezes for, the lock has the same name.
    return header.tool, header.command, None if header.tool == "venvman" else header.python


def _folders(lock: str, header: LockHeader) -> list[tuple[str, str]]:
    """Where the command may have been run, best first: a folder relative to the root.

    With what the paths in it begin with that name files of the root, for a folder above the root.
    """
    folder = lock.rpartition("/")[0]
    found = [("", ""), (folder, "")]
    output = posixpath.normpath(header.output) if header.output else lock
    above = output.count("../")
    if above:  # some folder below the lock's: what it is called makes no difference
        found.insert(0, (posixpath.join(folder, *["-"] * above), ""))
    elif output.endswith(f"/{lock}"):
        prefix = output.removesuffix(lock)
        found.append(("/".join([".."] * prefix.count("/")), prefix))
    elif lock.endswith(f"/{output}"):
        found.insert(0, (lock.removesuffix(f"/{output}"), ""))
    return list(dict.fromkeys(found))


def _above(header: LockHeader, beside: str | None) -> list[tuple[str, str]]:
    """Folders above the root where a note's path of the source ``beside`` would be right."""
    names = [
        each.removesuffix(beside)
        for each in header.noted
        if beside and each != beside and each.endswith(f"/{beside}")
    ]
    return [("/".join([".."] * name.count("/")), name) for name in names]


def _at(folder: str, prefix: str, name: str) -> str:
    """``name``, as a command in ``folder`` writes it, relative to the root."""
    name = posixpath.normpath(name)
    if prefix and name.startswith(prefix):
        return name.removeprefix(prefix)
    return posixpath.normpath(posixpath.join(folder, name))


def _parts(table: _Table, names: Sequence[str]) -> list[Part]:
    groups = _Groups(names)
    lock_of = _locks_by_source(table)
    ownerless = [lock for lock, made in table.locks.items() if not made.sources]
    candidates = (*table.sources, *ownerless)
    ranked = [(rank, name) for name in candidates if (rank := is_default(name)) is not None]
    default = min(ranked)[1] if ranked else None
    shared = {each for made in table.locks.values() for each in made.sources}
    taken = set(table.locks)
    parts: list[Part] = []

    def add(group: tuple[str, str | None], lock: str, made: _Made) -> None:
        name, note = group
        taken.add(lock)
        parts.append(
            Part(group=name, sources=made.sources, lock=lock, folder=made.folder, note=note)
        )

    if _DEFAULT_LOCK in table.locks:
        add(groups.take(_DEFAULT_LOCK, group=DEFAULT), _DEFAULT_LOCK, table.locks[_DEFAULT_LOCK])
    elif default is not None:
        lock = default if default in table.locks else lock_of.get(default)
        having = (each for each in sorted(table.locks) if default in table.locks[each].sources)
        lock = lock or next(having, None)
        made = table.locks[lock] if lock else _Made((default,))
        add(groups.take(default, group=DEFAULT), lock or _lock_name(default), made)
    done = {part.lock for part in parts}
    alone = {lock for lock in lock_of.values() if lock not in done}
    for lock in sorted(table.locks.keys() - alone - done):
        # What has no other lock names the group: `base.in dev.in -o all.txt` locks dev.
        own = [each for each in table.locks[lock].sources if each not in lock_of]
        name = own[0] if len(own) == 1 and group_of(own[0], beside=names) else lock
        add(groups.take(name, group=None), lock, table.locks[lock])
    named = [
        each for each in table.sources if each in table.compiled or group_of(each, beside=names)
    ]
    for source in sorted(named, key=_preference):
        lock = lock_of.get(source)
        if lock in alone:
            add(groups.take(source, group=None), lock, table.locks[lock])
        elif source not in shared and _lock_name(source) not in taken:
            add(groups.take(source, group=None), _lock_name(source), _Made((source,)))
    # Sources whose name says nothing, but a lock's header names them: src/deps.in, say.
    for source in sorted(lock_of.keys() - set(named)):
        lock = lock_of[source]
        if lock in alone:
            add(groups.take(lock, group=None), lock, table.locks[lock])
    return parts


def _locks_by_source(table: _Table) -> dict[str, str]:
    """The lock of each source that has one of its own; beside it rather than elsewhere."""
    single = [
        (made.sources[0], lock) for lock, made in table.locks.items() if len(made.sources) == 1
    ]
    found: dict[str, str] = {}
    for source, lock in sorted(single, key=lambda pair: pair[1]):
        found.setdefault(source, lock)
    found.update(pair for pair in single if stem_of(pair[0])[:2] == stem_of(pair[1])[:2])
    return found


_DEFAULT_LOCK = f"{FOLDER}.txt"


def _lock_name(source: str) -> str:
    return source.rpartition(".")[0] + (".txt" if source.endswith(".in") else ".lock")


def _preference(source: str) -> tuple[bool, int, str]:
    """Which of two sources keeps a group's name: the root's before the folder's, in table order."""
    folder, stem, _ = stem_of(source)
    spellings = ("requirements-", "requirements_", "requirements.")
    rank = next((i for i, prefix in enumerate(spellings) if stem.startswith(prefix)), 3)
    return bool(folder), rank, source


class _Groups:
    """Hands out group names, each once."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._taken: dict[str, str] = {}

    def take(self, path: str, *, group: str | None) -> tuple[str, str | None]:
        """A free name for the group of ``path``, and what to tell if it is not the plain one."""
        folder, stem, _ = stem_of(path)
        first = group or group_of(path, beside=self._names) or stem.lower()
        others = [stem.lower(), f"{folder or FOLDER}-{stem}".lower().replace("/", "-")]
        others += [f"{first}-{number}" for number in range(2, 2 + len(self._names))]
        for name in (first, *others):
            if name not in self._taken:
                note = None
                if name != first:
                    note = f"{path} is group {name}, because {self._taken[first]} is {first}."
                self._taken[name] = path
                return name, note
        raise AssertionError(path)  # more names are offered than there are files
