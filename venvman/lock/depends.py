"""Judging a lock by its packages' own metadata: every dependency pinned, extras included. Pure."""

from __future__ import annotations

from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING

from venvman.lock.direct import parse_reference
from venvman.lock.match import in_lock, is_place, matches_source
from venvman.lock.style import left_out
from venvman.model.names import canonical
from venvman.model.pep508 import Malformed, parse_requirement
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement as Dependency

    from venvman.lock.file import Lock, LockEntry
    from venvman.model.errors import Problem
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target
    from venvman.requirements.requirement import Requirement


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
            met = needed in absent if pin is None else _fits(pin, dependency)
            if not met:
                yield _unmet(entry, extra, dependency, pin)
            pending += [(needed, wanted) for wanted in ("", *sorted(dependency.extras))]
    if root is not None:
        yield from _unasked_places(pins, direct, urls, requires, root)


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
        yield in_lock(
            entry,
            "lock-place-unasked",
            f"{entry.name} is locked from {redact(str(entry.source))}, which nothing asks for.",
        )


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


def _fits(pin: LockEntry, dependency: Dependency) -> bool:
    return pin.version is None or dependency.specifier.contains(pin.version, prereleases=True)


def _unmet(entry: LockEntry, extra: str, dependency: Dependency, pin: LockEntry | None) -> Problem:
    asking = f"{entry.name}[{extra}]" if extra else entry.name
    needed = f"{dependency.name}{dependency.specifier}"
    but = "which is not locked" if pin is None else f"but the lock has {pin.version}"
    message = f"{asking} {entry.version or ''} needs {needed}, {but}.".replace("  ", " ")
    return in_lock(entry, "lock-misses-dependency", message)
