"""Groups that cannot live together, found when nobody has declared them."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Problem, Severity, UnsatisfiableError
from venvman.system.secrets import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from venvman.engines import FreezeRequest, Resolution
    from venvman.model.errors import FileLine
    from venvman.model.events import Reporter
    from venvman.resolve.demand import Demand, Pin

SHARED_PINS = "the pins that other groups share"
"""The file of the constraints that stand for them."""


def resolved_apart(
    request: FreezeRequest, reporter: Reporter, resolve: Callable[[set[str]], Resolution]
) -> Resolution:
    """What ``resolve`` gives when the groups that it is told cannot live together are so.

    Those that are not declared are found by what the conflict names, and a note says so.
    """
    apart = set().union(*request.conflicts)
    try:
        return resolve(apart)
    except UnsatisfiableError as error:
        conflicting = _conflicting(error, request) - apart
        if len(conflicting) < 2 or not request.parts:
            raise
    names = sorted(conflicting)
    reporter.problem(
        Problem(
            code="groups-conflict",
            severity=Severity.NOTE,
            message=f"The groups {' and '.join(names)} cannot live together; each is frozen apart.",
            fix=declared([names]),
        )
    )
    return resolve(apart | conflicting)


def _conflicting(error: UnsatisfiableError, request: FreezeRequest) -> set[str]:
    """The groups, other than ``default`` and ``dev``, whose own files the conflict names."""
    conflicting = set()
    display = request.project.display
    for group in request.groups:
        files = {display(path) for path in group.files}
        others = {path for other in request.groups if other is not group for path in other.files}
        own = files - set(map(display, others))
        if group.name not in {"default", "dev"} and own & {p.path for p in error.problems}:
            conflicting.add(group.name)
    return conflicting


def declared(conflicts: Iterable[Sequence[str]]) -> Advice:
    """The setting that says so, to be copied."""
    shown = str([list(each) for each in conflicts]).replace("'", '"')
    return Advice(f"Declare it in pyproject.toml: [tool.venvman] conflicts = {shown}.")


def unresolvable_apart(
    error: UnsatisfiableError, roots: Sequence[Demand], common: Mapping[str, Pin]
) -> UnsatisfiableError:
    """``error``, saying of each common pin which line of ``roots`` brings it.

    It is of a group that is frozen apart, after the common pins were moved as far as they can be.
    """
    problems = tuple(
        _of_common(each, roots, common) if each.path == SHARED_PINS else each
        for each in error.problems
    )
    return UnsatisfiableError(
        "A group that is frozen apart cannot live with what the other groups share.",
        code=error.code,
        why=" ".join(each.message for each in problems),
        problems=problems,
    )


def _of_common(problem: Problem, roots: Sequence[Demand], common: Mapping[str, Pin]) -> Problem:
    name, _, version = (problem.text or "").partition("==")
    origin, way = _way_to(name, roots, common)
    brings = f" It is there for {' -> '.join([str(origin), *way])}." if origin else ""
    return replace(
        problem,
        message=f"The other groups share {name} {version}, and some need that version.{brings}",
        **line_of(origin),
        fix=Advice(f"Ask for {way[0] if way else name} only in the groups that are frozen apart."),
    )


def _way_to(
    name: str, roots: Sequence[Demand], common: Mapping[str, Pin]
) -> tuple[FileLine | None, list[str]]:
    """The line of ``roots`` that brings ``name`` in by the fewest steps, and those steps."""
    waiting = deque((root.line, root.identifier, [str(root.name)]) for root in roots)
    seen: set[str] = set()
    while waiting:
        line, identifier, way = waiting.popleft()
        pin = common.get(identifier)
        if pin is None or identifier in seen:
            continue
        if pin.name == name:
            return (line.origin if line else None), list(dict.fromkeys(way))
        seen.add(identifier)
        waiting += ((line, each.identifier, [*way, str(each.name)]) for each in pin.demands or ())
    return None, []
