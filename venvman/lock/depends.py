"""Judging a lock by its packages' own metadata: every dependency pinned, extras included. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import Command, Problem
from venvman.lock.style import left_out
from venvman.names import canonical
from venvman.pep508 import Malformed, parse_requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from packaging.requirements import Requirement as Dependency

    from venvman.lock.file import Lock, LockEntry
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Requirement
    from venvman.target import Target

__all__ = ["dependencies_of", "unmet_dependencies"]


def unmet_dependencies(
    wishes: Sequence[Requirement],
    lock: Lock,
    *,
    target: Target,
    requires: Callable[[LockEntry], Sequence[str] | None],
) -> Iterator[Problem]:
    """A problem for each dependency of a pin that the lock misses or pins outside its range.

    What the lock leaves out by rule (setuptools, say) is not missed.

    Followed from ``wishes`` with the extras they ask for; pins whose metadata is not known
    (``requires`` gives None) end the walk.
    """
    absent = left_out(lock)
    pins = {entry.name: entry for entry in lock.entries if target.applies(entry.marker)}
    pending = [(wish.name, extra) for wish in wishes for extra in ("", *sorted(wish.extras))]
    seen: set[tuple[NormalizedName | None, str]] = set()
    while pending:
        name, extra = pending.pop()
        entry = pins.get(name) if name else None
        if entry is None or (name, extra) in seen:
            continue
        seen.add((name, extra))
        for dependency in dependencies_of(requires(entry) or (), target=target, extra=extra):
            needed = canonical(dependency.name)
            pin = pins.get(needed)
            met = needed in absent if pin is None else _fits(pin, dependency)
            if not met:
                yield _unmet(entry, extra, dependency, pin)
            pending += [(needed, wanted) for wanted in ("", *sorted(dependency.extras))]


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
    origin = entry.origin
    return Problem(
        code="lock-misses-dependency",
        message=f"{asking} {entry.version or ''} needs {needed}, {but}.".replace("  ", " "),
        path=origin.path if origin else None,
        line=origin.line if origin else None,
        text=origin.text if origin else None,
        fix=Command.venvman("freeze"),
    )
