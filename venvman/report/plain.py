"""The short results: an environment removed, a cache measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvman.cachecare import CachePart, Freed
    from venvman.project import Project
    from venvman.workflow.values import CleanOutcome

__all__ = ["cache_dir_result", "cache_freed_result", "cache_size_result", "clean_result"]


def clean_result(outcome: CleanOutcome, project: Project) -> Result:
    """``data.{environment, removed}``."""
    path = project.display(outcome.environment)
    return _done("clean", {"environment": path, "removed": outcome.removed})


def cache_dir_result(folder: Path) -> Result:
    """``data.{folder}``, absolute."""
    return _done("cache dir", {"folder": folder.as_posix()}, answers=True)


def cache_size_result(folder: Path, parts: Sequence[CachePart]) -> Result:
    """``data.{folder, files, bytes, parts[] {name, files, bytes}}``."""
    data = {
        "folder": folder.as_posix(),
        "files": sum(part.files for part in parts),
        "bytes": sum(part.bytes for part in parts),
        "parts": [{"name": each.name, "files": each.files, "bytes": each.bytes} for each in parts],
    }
    return _done("cache size", data, answers=True)


def cache_freed_result(folder: Path, freed: Freed, *, command: str) -> Result:
    """``data.{folder, files, bytes}``: what was removed."""
    data = {"folder": folder.as_posix(), "files": freed.files, "bytes": freed.bytes}
    return _done(command, data)


def _done(command: str, data: dict[str, Any], *, answers: bool = False) -> Result:
    return Result(
        command=command, status=Status.OK, exit_code=ExitCode.OK, data=data, answers=answers
    )
