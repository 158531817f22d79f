"""The short results: an environment removed, the place of the cache, text for a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.project import Project
    from venvman.workflow.values import CleanOutcome

__all__ = [
    "cache_dir_result",
    "cache_key_result",
    "clean_result",
    "run_result",
    "shell_text_result",
]


def clean_result(outcome: CleanOutcome, project: Project) -> Result:
    """``data.{environment, removed}``."""
    path = project.display(outcome.environment)
    return _done("clean", {"environment": path, "removed": outcome.removed})


def cache_dir_result(folder: Path) -> Result:
    """``data.{folder}``, absolute."""
    return _done("cache dir", {"folder": folder.as_posix()}, answers=True)


def cache_key_result(key: str) -> Result:
    """``data.{key}``."""
    return _done("cache key", {"key": key}, answers=True)


def shell_text_result(command: str, shell: str, text: str) -> Result:
    """``data.{shell, text}``: what ``shell`` evaluates."""
    return Result(
        command=command,
        status=Status.OK,
        exit_code=ExitCode.OK,
        data={"shell": shell, "text": text},
        verbatim=text,
    )


def _done(command: str, data: dict[str, Any], *, answers: bool = False) -> Result:
    return Result(
        command=command, status=Status.OK, exit_code=ExitCode.OK, data=data, answers=answers
    )


def run_result(code: int) -> Result:
    """``data.{exit_code}``: what a program said that was run in one of several projects."""
    return Result(
        command="run",
        status=Status.DRIFT if code else Status.OK,
        exit_code=ExitCode.DRIFT if code else ExitCode.OK,
        data={"exit_code": code},
    )
