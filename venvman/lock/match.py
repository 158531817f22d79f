"""Whether pins match what asks for them: lines by version or place, ``via`` notes, other pins."""

from __future__ import annotations

import os
import posixpath
import re
from collections import defaultdict
from dataclasses import replace
from itertools import chain, product
from types import MappingProxyType
from typing import TYPE_CHECKING

from venvman.lock.direct import parse_reference
from venvman.lock.file import located
from venvman.lock.style import left_out
from venvman.model.errors import Command, Problem
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.model.pep508 import Malformed, parse_requirement
from venvman.model.sources import ArchiveSource, VcsSource
from venvman.system.secrets import line_of, redact, without_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement as Dependency

    from venvman.lock.file import Lock, LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.sources import Source
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.requirements.file import Requirement

    Pins = Mapping[NormalizedName, Sequence[LockEntry]]


def strict_tool(lock: Lock) -> bool:
    """Whether the lock's maker names files in ``via`` and keeps to the pins' own names."""
    return lock.header.tool in {"venvman", "pip-compile"}


def pins_of(lock: Lock) -> Pins:
    """The entries of ``lock`` by name: as many lines ask for one as it has."""
    found: dict[NormalizedName, list[LockEntry]] = {}
    for entry in lock.entries:
        found.setdefault(entry.name, []).append(entry)
    return found


def named_entry(
    requirement: Requirement, pins: Pins, *, target: Target, root: Path
) -> LockEntry | None:
    """The entry that applies on ``target`` and has the name of ``requirement``, or its source."""
    if requirement.name:
        found = iter(pins.get(requirement.name, ()))
    else:
        every = chain.from_iterable(pins.values())
        found = (entry for entry in every if matches_source(requirement, entry, root=root))
    return next((entry for entry in found if target.applies(entry.marker)), None)


def matches_source(
    requirement: Requirement, entry: LockEntry, *, root: Path, strict: bool = False
) -> bool:
    """Whether ``entry`` comes from where ``requirement`` says.

    A lock holds ``${VAR}`` unexpanded, no credentials and, for a branch, a commit: those are equal
    to what they stand for. ``strict``: the lock says which revision a commit was found at.
    """
    found = located(entry.source, root)
    return any(_same(asked, found, strict=strict) for asked in _asked(requirement, root))


def is_place(source: Source, entry: LockEntry, *, root: Path) -> bool:
    """Whether ``entry`` comes from ``source``, which a dependency names."""
    return _same(located(source, root), located(entry.source, root), strict=False)


def _asked(requirement: Requirement, root: Path) -> Iterator[Source]:
    yield requirement.source
    if "${" in requirement.raw:
        text = re.split(r"\s+;\s*", requirement.raw, maxsplit=1)[0]
        reference = parse_reference(text, editable=requirement.source.editable)
        if reference is not None:
            yield located(reference.source, root)


def _same(asked: Source, found: Source, *, strict: bool) -> bool:
    if isinstance(asked, ArchiveSource) and isinstance(found, ArchiveSource):
        hashes = not (asked.hashes and found.hashes) or set(asked.hashes) & set(found.hashes)
        return bool(hashes) and _bare(asked) == _bare(found)
    if isinstance(asked, VcsSource) and isinstance(found, VcsSource):
        if asked.commit is not None:
            same = found.commit == asked.commit
        else:
            same = found.revision == asked.revision or not (strict or found.commit is None)
        return same and _bare(asked) == _bare(found)
    return not asked.is_index and asked == found


def _bare(source: ArchiveSource | VcsSource) -> Source:
    url = without_secret(source.url)
    if isinstance(source, ArchiveSource):
        return replace(source, url=url, hashes=())
    return replace(source, url=url, revision=None, commit=None)


FIX = Command.venvman("freeze")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """Which files ask for each pin, as ``-r path`` and ``-c path``, and all the paths there are.

    ``spelled`` has them as the lock's command writes them, from where it is run.
    """

    files: dict[LockEntry, set[str]]
    paths: frozenset[str]
    spelled: Mapping[str, str]

    def known(self, via: str) -> str | None:
        """``via`` with its path relative to the root; None where it names no file of the group."""
        flag, _, path = via.partition(" ")
        known = path if path in self.paths else self.spelled.get(posixpath.normpath(path))
        return f"{flag} {known}" if known is not None else None


def check_annotations(
    group: Group, lock: Lock, *, targets: Sequence[Target], root: Path
) -> Iterator[Problem]:
    """A problem for every pin that nothing asks for and every annotation that is not true.

    ``targets`` are all that the lock is for: who asks on one of them, asks. A lock without
    any annotation cannot be judged. Other tools' locks name projects that are no files and no pins;
    those count as asking.
    """
    if not any(entry.via for entry in lock.entries):
        return
    asking = _asking(group, lock, targets=targets, root=root)
    names = {entry.name for entry in lock.entries} | left_out(lock)
    alive = _alive(lock, asking, names)
    # Of the first versions of pip-compile only what another pin asks for has a note.
    names_files = any(via.startswith("-") for entry in lock.entries for via in entry.via)
    strict = strict_tool(lock) and names_files
    for entry in lock.entries:
        if not any(target.applies(entry.marker) for target in targets):
            continue
        if entry.name not in alive:
            message = f"Nothing asks for {entry.name} any more."
            yield in_lock(entry, "lock-pins-unasked", message)
        elif strict:
            yield from _untrue(entry, asking, names)


def _asking(group: Group, lock: Lock, *, targets: Sequence[Target], root: Path) -> _Asking:
    files: dict[LockEntry, set[str]] = defaultdict(set)
    read = {path.relative_to(root).as_posix() for path in group.files if path.is_relative_to(root)}
    pins = pins_of(lock)
    for target, requirement in product(targets, group.lines):
        if not target.applies(requirement.marker):
            continue
        entry = named_entry(requirement, pins, target=target, root=root)
        if entry is not None:
            flag = "-c" if requirement.constraint else "-r"
            files[entry].add(f"{flag} {requirement.origin.path}")
    origins = {requirement.origin.path for requirement in group.lines}
    # An older pip-compile, run beside the source, wrote its paths relative to that.
    folders = (group.folder or root, group.sources[0].parent)
    own_locks = {group.lock.relative_to(root).as_posix()} if group.lock.is_relative_to(root) else ()
    paths = frozenset(origins | read).difference(own_locks)
    spelled = {
        os.path.relpath(root / path, folder): path
        for folder in reversed(folders)
        for path in paths
        if "://" not in path
    }
    return _Asking(files=dict(files), paths=paths, spelled=spelled)


def _alive(lock: Lock, asking: _Asking, names: Iterable[NormalizedName]) -> set[NormalizedName]:
    """The pins that a requirement asks for, directly or through other pins."""
    children: dict[NormalizedName, list[NormalizedName]] = defaultdict(list)
    pending = list(left_out(lock))  # asked for, but not pinned
    for entry in lock.entries:
        foreign = False
        for via in entry.via:
            if not via.startswith("-"):
                foreign = foreign or canonical(via.partition(" ")[0]) not in names
                children[canonical(via)].append(entry.name)
        strange = foreign and not strict_tool(lock)
        asked = any(text.startswith("-r") for text in asking.files.get(entry, ()))
        # A -r may name another lock of the project, judged by itself.
        elsewhere = any(
            via.startswith("-r ") and asking.known(via) is None and not via.endswith(".in")
            for via in entry.via
        )
        if strange or elsewhere or asked:
            pending.append(entry.name)
    alive: set[NormalizedName] = set()
    while pending:
        name = pending.pop()
        if name not in alive:
            alive.add(name)
            pending += children[name]
    return alive


def _untrue(
    entry: LockEntry, asking: _Asking, names: Iterable[NormalizedName]
) -> Iterator[Problem]:
    expected = asking.files.get(entry, set())
    said = {known for via in entry.via if via.startswith("-") and (known := asking.known(via))}
    unknown = any(via.startswith("-") and asking.known(via) is None for via in entry.via)
    for text in sorted(said - expected):
        file = text.partition(" ")[2]
        verb = "limits" if text.startswith("-c") else "asks for"
        message = f"{file} no longer {verb} {entry.name}."
        yield in_lock(entry, "lock-via-outdated", message)
    if not unknown:  # a lock that was included stands for the files behind it
        for text in sorted(expected - said):
            file = text.partition(" ")[2]
            message = f"{file} now names {entry.name}, which the lock's annotation does not say."
            yield in_lock(entry, "lock-via-outdated", message)
    for via in entry.via:
        if not via.startswith("-") and canonical(via) not in names:
            message = f"{entry.name} is locked because of {via}, which is not locked."
            yield in_lock(entry, "lock-via-unknown", message)


def in_lock(entry: LockEntry, code: str, message: str) -> Problem:
    """What is wrong with a line of a lock, and freezing mends."""
    return Problem(code=code, message=message, **line_of(entry.origin), fix=FIX)


def unmet_dependencies(
    requirements: Sequence[Requirement],
    lock: Lock,
    *,
    target: Target,
    requires: Callable[[LockEntry], Sequence[str] | None],
    overrides: Mapping[NormalizedName, Sequence[Dependency]] = MappingProxyType({}),
    root: Path | None = None,
    direct: Sequence[Requirement] = (),
) -> Iterator[Problem]:
    """A problem for each dependency of a pin that the lock misses or pins outside its range.

    What the lock leaves out by rule (setuptools, say) is not missed. ``overrides`` are what
    counts of a name in place of what the pins say.

    Followed from ``requirements`` with the extras they ask for; pins whose metadata is not known
    (``requires`` gives None) end the walk. With ``root``, the project's, also a problem for each
    pin by URL or path that neither a line (``direct``) nor a dependency asks for from there.
    """
    absent = left_out(lock)
    pins = {entry.name: entry for entry in lock.entries if target.applies(entry.marker)}
    pending = [
        (requirement.name, extra)
        for requirement in requirements
        for extra in ("", *sorted(requirement.extras))
    ]
    seen: set[tuple[NormalizedName | None, str]] = set()
    urls: dict[NormalizedName, list[str]] = defaultdict(list)
    while pending:
        name, extra = pending.pop()
        entry = pins.get(name) if name else None
        if entry is None or (name, extra) in seen:
            continue
        seen.add((name, extra))
        lines = dependencies_of(requires(entry) or (), target=target, extra=extra)
        for dependency in _overridden(lines, overrides, target):
            needed = canonical(dependency.name)
            if dependency.url:
                urls[needed].append(dependency.url)
            pin = pins.get(needed)
            if pin is None:
                met = needed in absent
            else:
                version, wanted = pin.version, dependency.specifier
                met = version is None or wanted.contains(version, prereleases=True)
            if met and pin is not None and dependency.url and root and needed in overrides:
                reference = parse_reference(dependency.url)
                met = reference is None or is_place(reference.source, pin, root=root)
            if not met:
                asking = f"{entry.name}[{extra}]" if extra else entry.name
                wants = f"{dependency.name}{dependency.specifier}"
                but = "which is not locked" if pin is None else f"but the lock has {pin.version}"
                message = f"{asking} {entry.version or ''} needs {wants}, {but}."
                yield in_lock(entry, "lock-misses-dependency", message.replace("  ", " "))
            pending += [(needed, wanted) for wanted in ("", *sorted(dependency.extras))]
    if overrides:
        yield from _unasked(pins, {name for name, _ in seen}, requires)
    if root is not None:
        yield from _unasked_places(pins, direct, urls, requires, root)


def _unasked(
    pins: Mapping[NormalizedName, LockEntry],
    asked: Container[NormalizedName | None],
    requires: Callable[[LockEntry], Sequence[str] | None],
) -> Iterator[Problem]:
    """Pins that were brought by something else than what the settings now put in its place."""
    for entry in pins.values():
        parents = [pins.get(canonical(via)) for via in entry.via if not via.startswith("-")]
        told = all(each is not None and requires(each) is not None for each in parents)
        if entry.name not in asked and entry.via and told:
            yield in_lock(entry, "lock-pins-unasked", f"Nothing asks for {entry.name} any more.")


def _overridden(
    lines: Iterator[Dependency],
    overrides: Mapping[NormalizedName, Sequence[Dependency]],
    target: Target,
) -> Iterator[Dependency]:
    for line in lines:
        instead = overrides.get(canonical(line.name))
        if instead is None:
            yield line
        else:
            yield from (
                each if canonical(each.name) == canonical(line.name) else _in_place_of(line, each)
                for each in instead
                if target.applies(each.marker)
            )


def _in_place_of(line: Dependency, other: Dependency) -> Dependency:
    """``other``, another package, in the versions that ``line`` asks for if it says none."""
    if other.specifier or other.url or not line.specifier:
        return other
    return parse_requirement(f"{other.name}{line.specifier}")


def _unasked_places(
    pins: Mapping[NormalizedName, LockEntry],
    direct: Sequence[Requirement],
    urls: Mapping[NormalizedName, Sequence[str]],
    requires: Callable[[LockEntry], Sequence[str] | None],
    root: Path,
) -> Iterator[Problem]:
    """A pin's parents whose metadata is not known may ask for any place."""
    for entry in pins.values():
        if entry.source.is_index or any(matches_source(line, entry, root=root) for line in direct):
            continue
        references = [each for url in urls[entry.name] if (each := parse_reference(url))]
        if any(is_place(each.source, entry, root=root) for each in references):
            continue
        parents = [pins.get(canonical(via)) for via in entry.via if not via.startswith("-")]
        if any(each is None or requires(each) is None for each in parents) or not entry.via:
            continue
        source = redact(str(entry.source))
        message = f"{entry.name} is locked from {source}, which nothing asks for."
        yield in_lock(entry, "lock-place-unasked", message)


def dependencies_of(
    lines: Sequence[str], *, target: Target, extra: str = ""
) -> Iterator[Dependency]:
    """The ``Requires-Dist`` ``lines`` that apply on ``target`` with ``extra`` asked for.

    With an extra only those that the extra adds. Lines that cannot be read are passed over.
    """
    for line in lines:
        try:
            dependency = parse_requirement(line)
        except Malformed:
            continue
        always = target.applies(dependency.marker)
        if always if not extra else not always and target.applies(dependency.marker, extra=extra):
            yield dependency
