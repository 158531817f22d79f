"""Groups that cannot live together, found when nobody has declared them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.engines import FreezeRequest
    from venvman.errors import UnsatisfiableError

__all__ = ["found_apart", "rivals_in"]


def rivals_in(error: UnsatisfiableError, request: FreezeRequest) -> set[str]:
    """The groups, other than ``default`` and ``dev``, whose own files the conflict names."""
    rivals = set()
    display = request.project.display
    for group in request.groups:
        files = {display(path) for path in group.files}
        others = {
            display(path) for other in request.groups if other is not group for path in other.files
        }
        own = files - others
        if group.name not in {"default", "dev"} and own & {p.path for p in error.problems}:
            rivals.add(group.name)
    return rivals


def found_apart(rivals: Iterable[str]) -> Problem:
    """The note that says so, and how to declare it."""
    names = sorted(rivals)
    return Problem(
        code="groups-conflict",
        severity=Severity.NOTE,
        message=f"The groups {' and '.join(names)} cannot live together; each is frozen apart.",
        path="pyproject.toml",
        fix=f"[tool.venvman] conflicts = [{names}]".replace("'", '"'),
    )
