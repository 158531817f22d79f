"""Freshness: whether a lock still matches its requirements, judged by meaning.

Not the bytes of the files count but what they say: every requirement has a pin that satisfies it,
every constraint is respected, nothing is pinned that nothing asks for, the ``via`` annotations are
true, hashes are there if asked for, and local projects have not changed their build metadata.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from venvman.lock.file import not_for, select
from venvman.lock.match import (
    FIX,
    check_annotations,
    in_lock,
    matches_source,
    named_entry,
    pins_of,
    strict_tool,
    unmet_dependencies,
)
from venvman.lock.style import left_out, style_of
from venvman.model.errors import Advice, Command, Fix, LockError, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.model.sources import DirectorySource
from venvman.project.localproject import inputs_of, metadata_digest
from venvman.system import records
from venvman.system.files import make_private_folder
from venvman.system.secrets import line_of, redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement as Dependency

    from venvman.lock.file import Lock, LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.requirements.file import Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """The lock matches its requirements; ``notes`` say what could not be judged."""

    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """It does not: each reason names the line of the file that made it so."""

    reasons: tuple[Problem, ...]


Freshness = Fresh | Stale


def check(
    group: Group,
    lock: Lock | None,
    *,
    target: Target,
    root: Path,
    targets: Sequence[Target] = (),
    others: Sequence[Group] = (),
    hashes: bool | None = None,
    requires: Callable[[LockEntry], Sequence[str] | None] | None = None,
    record: CachedCheck | None = None,
    overrides: Sequence[str] = (),
) -> Freshness:
    """Whether ``lock`` still is what freezing ``group`` with its pins would give.

    Args:
        group: the requirements, includes followed.
        lock: what is on disk; None where there is nothing.
        target: the one at hand, whose markers count.
        root: the project's, absolute.
        targets: all those the lock is for, whose markers then count; empty: ``target`` alone.
        others: the project's other groups, which may bring a package by URL that this one asks
            for by name.
        hashes: whether every pin that can have them must; None leaves it to the lock's header.
        requires: the ``Requires-Dist`` lines of a pin where they are known on this machine.
            With them the dependencies, extras included, are judged too.
        record: what is remembered of this group, if anything.
        overrides: the requirements that count of their names, whatever metadata says.
    """
    if lock is None:
        path = group.lock.relative_to(root) if group.lock.is_relative_to(root) else group.lock
        message = f"Group {group.name} has no lock yet."
        missing = Problem(code="lock-missing", message=message, path=path.as_posix(), fix=FIX)
        return Stale(reasons=(missing,))
    every = tuple(targets) or (target,)
    requirements = tuple(requirements_of(group, every))
    reasons = [
        *not_for(target, lock, _path(lock) or "The lock"),
        *_on_each(every, lambda one: _pinned_twice(lock, one)),
        *_on_each(every, lambda one: _unsatisfied(group, lock, one, root, others)),
        *check_annotations(group, lock, targets=every, root=root),
        *_unhashed(lock, hashes),
        *_record_differs(requirements, lock, record),
    ]
    notes = [*elsewhere(lock, target, targets)]
    if lock.entries and not any(entry.via for entry in lock.entries):
        unannotated = Problem(
            code="lock-unannotated",
            severity=Severity.NOTE,
            message="The lock does not say what brings its packages, so one that nothing asks "
            "for any more cannot be told.",
            path=_path(lock),
        )
        notes.insert(0, unannotated)
    if requires is not None:
        reasons += unmet_dependencies(
            tuple(requirements_of(group, (target,))),
            lock,
            target=target,
            requires=requires,
            overrides=_by_name(overrides),
            root=root,
            direct=direct_requirements((group, *others)),
        )
    if reasons:
        return Stale(reasons=tuple(reasons))
    return Fresh(notes=tuple(notes))


def _pinned_twice(lock: Lock, target: Target) -> Iterator[Problem]:
    """Pins of one name that differ, of which no environment on ``target`` can hold both."""
    if len({entry.name for entry in lock.entries}) < len(lock.entries):
        try:
            select([(_path(lock) or "", lock)], target)
        except LockError as error:
            yield from error.problems


def _by_name(overrides: Sequence[str]) -> dict[NormalizedName, list[Dependency]]:
    from venvman.model.pep508 import parse_override

    found: dict[NormalizedName, list[Dependency]] = {}
    for text in overrides:
        name, parsed = parse_override(text)
        found.setdefault(name, []).extend([] if parsed is None else [parsed])
    return found


def _on_each(
    targets: Sequence[Target], find: Callable[[Target], Iterator[Problem]]
) -> Iterator[Problem]:
    """Each problem once, saying where it is one unless that is everywhere."""
    found: dict[Problem, list[Target]] = {}
    for target in targets:
        for problem in find(target):
            found.setdefault(problem, []).append(target)
    for problem, where in found.items():
        if len(where) == len(targets):
            yield problem
        else:
            from venvman.python.targets import names_of

            yield replace(problem, why=f"So it is on {', '.join(names_of(where))}.")


def _unsatisfied(
    group: Group, lock: Lock, target: Target, root: Path, others: Sequence[Group]
) -> Iterator[Problem]:
    direct = direct_requirements((group, *others))
    strict = lock.header.tool == "venvman"
    absent = left_out(lock)
    pins = pins_of(lock)
    for requirement in (*group.requirements, *group.constraints):
        if not target.applies(requirement.marker):
            continue
        entry = named_entry(requirement, pins, target=target, root=root)
        if entry is None:
            if not requirement.constraint and requirement.name not in absent:
                message = f"{_asks(requirement)}, which is not locked."
                yield _at(requirement, "lock-misses-requirement", message)
            continue
        why = _rejection(requirement, entry, direct, root=root, strict=strict)
        if why is not None:
            code = "lock-breaks-constraint" if requirement.constraint else "lock-breaks-requirement"
            yield _at(requirement, code, f"{_asks(requirement)}, but {why}.")


def _rejection(
    requirement: Requirement, entry: LockEntry, direct: Sequence[Requirement], *, root: Path,
    strict: bool,
) -> str | None:  # fmt: skip
    """Why ``entry`` does not satisfy ``requirement``, as the end of a sentence; None if it does."""
    asking = [requirement]
    if requirement.source.is_index:
        asking = [each for each in direct if each.name in {None, entry.name}]
    if not (requirement.source.is_index and entry.source.is_index) and not any(
        matches_source(each, entry, root=root, strict=strict) for each in asking
    ):
        return f"the lock has {entry}"
    wanted, version = requirement.specifier, entry.version
    if version is not None and not wanted.contains(version, prereleases=True):
        return f"the lock has {entry}"
    if entry.extras and not requirement.extras <= entry.extras:
        missing = ", ".join(sorted(requirement.extras - entry.extras))
        return f"the lock has {entry.name} without the extra {missing}"
    if requirement.hashes and entry.hashes and not set(requirement.hashes) & set(entry.hashes):
        return "the lock has none of its hashes"
    return None


def _unhashed(lock: Lock, hashes: bool | None) -> Iterator[Problem]:
    some = any(entry.hashes for entry in lock.entries)
    asked = (style_of(lock).hashes and lock.header.command) or some
    if not (asked if hashes is None else hashes):
        return
    for entry in lock.entries:
        if entry.source.is_index and not entry.hashes:
            yield in_lock(entry, "lock-without-hashes", f"{entry} has no hash in the lock.")


def _record_differs(
    requirements: Sequence[Requirement], lock: Lock, record: CachedCheck | None
) -> Iterator[Problem]:
    if record is None:
        return
    kept = {entry.name for entry in lock.entries if entry.extras}
    for requirement in requirements:
        name = requirement.name
        if name is None or name in kept or requirement.extras <= set(record.extras.get(name, ())):
            continue
        message = f"{_asks(requirement)}, but the lock was made without that extra."
        yield _at(requirement, "lock-misses-extra", message)
    for requirement in requirements:
        source = requirement.source
        if not isinstance(source, DirectorySource):
            continue
        folder = source.folder
        if record.folders.get(folder, "") not in {metadata_digest(Path(folder)), ""}:
            files = ", ".join(inputs_of(Path(folder)))
            yield _at(
                requirement,
                "lock-older-than-project",
                f"The build metadata of {requirement.raw or source.path} changed since it was "
                "locked.",
                why=f"One of {files} differs.",
            )


def elsewhere(lock: Lock, target: Target, targets: Sequence[Target]) -> tuple[Problem, ...]:
    """Notes that ``lock`` was made for others than ``target``; ``targets`` is as for `check`."""
    if targets:
        return tuple(_other_targets(lock, target, targets))
    minor = ".".join(map(str, target.minor))
    made_for = lock.header.python
    if not strict_tool(lock) or made_for in {None, minor}:
        return ()
    return (
        Problem(
            code="lock-of-another-python",
            severity=Severity.NOTE,
            message=f"The lock was made for Python {made_for}, the environment has {minor}.",
            path=_path(lock),
        ),
    )


def _other_targets(lock: Lock, target: Target, targets: Sequence[Target]) -> Iterator[Problem]:
    from venvman.python.targets import is_covered, label_of, names_of

    if not is_covered(target, targets):
        label = label_of(target)
        words = [word for name in (*names_of(targets), label) for word in ("--target", name)]
        yield Problem(
            code="lock-of-other-targets",
            severity=Severity.NOTE,
            message=f"The lock is for {', '.join(names_of(targets))}; the environment is {label}.",
            path=_path(lock),
            fix=Command.venvman("freeze", *words),
        )


def _path(lock: Lock) -> str | None:
    return next((entry.origin.path for entry in lock.entries if entry.origin), None)


def _asks(requirement: Requirement) -> str:
    verb = "limits to" if requirement.constraint else "asks for"
    return f"{requirement.origin} {verb} {redact(requirement.raw or str(requirement.name))}"


def _at(requirement: Requirement, code: str, message: str, *, why: str | None = None) -> Problem:
    origin, source = requirement.origin, requirement.source
    fix: Fix = FIX
    if isinstance(source, DirectorySource) and not Path(source.path).is_dir():
        # Nothing can be frozen from it; what it was is beside the point.
        code, message = "folder-missing", f"{origin} asks for {source.path}, which is no folder."
        fix = Advice(f"Bring the folder back, or take line {origin.line} out of {origin.path}.")
    return Problem(code=code, message=message, **line_of(origin), why=why, fix=fix)


_KIND = "fresh locks 2"


class CachedCheck(NamedTuple):
    """What is remembered of a lock last found fresh, outside the lock.

    ``digest`` is over everything that :func:`check` looks at: the same digest has the same answer.
    ``extras`` maps a requirement's name to the extras that the
    lock was made with, which a lock without extras cannot tell; ``folders`` maps local projects
    (as the lock writes them) to their metadata's digest.
    """

    digest: str
    extras: Mapping[str, tuple[str, ...]]
    folders: Mapping[str, str]


def cached_of(
    group: Group,
    content: bytes,
    target: Target,
    *,
    root: Path,
    targets: Sequence[Target] = (),
    others: Sequence[Group] = (),
    overrides: Sequence[str] = (),
) -> CachedCheck:
    """What to remember of a lock (its bytes are ``content``) that was made or found fresh.

    Comments and order of the requirements files do not count.
    """
    folders = {
        folder: metadata_digest(root / folder)
        for folder in sorted(
            each.source.folder
            for each in group.requirements
            if isinstance(each.source, DirectorySource)
        )
    }
    digest = hashlib.sha256(content)
    for each in (target, *targets):
        digest.update(repr(sorted(each.markers)).encode())
    every = (*group.requirements, *group.constraints, *direct_requirements(others))
    lines = [*map(_said, every), *overrides]
    digest.update("\n".join(sorted(lines)).encode())
    for folder, metadata in folders.items():
        digest.update(f"{folder}={metadata}\n".encode())
    extras: dict[str, set[str]] = {}
    for requirement in requirements_of(group, targets or (target,)):
        if requirement.name is not None and requirement.extras:
            extras.setdefault(requirement.name, set()).update(requirement.extras)
    return CachedCheck(
        digest=digest.hexdigest(),
        extras={name: tuple(sorted(values)) for name, values in extras.items()},
        folders=folders,
    )


def read_cached(path: Path) -> dict[str, CachedCheck]:
    """What is remembered of locks found fresh, by group name; empty where nothing is."""
    return {name: CachedCheck(*row) for name, row in (records.load(path, _KIND) or {}).items()}


def write_cached(path: Path, found: Mapping[str, CachedCheck]) -> None:
    """Replaces the file, which may vanish at any time: that costs one check of each lock.

    Raises:
        OSError: as writing raises.
    """
    make_private_folder(path.parent)
    records.save(path, _KIND, found)


def direct_requirements(groups: Sequence[Group]) -> list[Requirement]:
    """The lines of ``groups`` that name a place."""
    return [
        requirement
        for group in groups
        for requirement in (*group.requirements, *group.constraints)
        if not requirement.source.is_index
    ]


def requirements_of(group: Group, targets: Sequence[Target]) -> Iterator[Requirement]:
    """Those of ``group`` that hold for any of ``targets``."""
    return (
        requirement
        for requirement in group.requirements
        if any(target.applies(requirement.marker) for target in targets)
    )


def _said(requirement: Requirement) -> str:
    """Everything about a requirement but the line it stands on."""
    facts = (
        requirement.name, sorted(requirement.extras), sorted(map(str, requirement.specifier)),
        str(requirement.marker or ""), requirement.source, sorted(requirement.hashes),
        requirement.config_settings, requirement.constraint, requirement.origin.path,
    )  # fmt: skip
    return repr(facts)
