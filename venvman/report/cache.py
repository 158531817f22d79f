"""What the ``cache`` commands found or did, as Results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode, Problem, Severity
from venvman.files import permit
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from venvman.environment.neighbours import Neighbour
    from venvman.store.care import CachePart, DamagedWheel, Freed, Verified
    from venvman.workflow.attics import AtticReport

__all__ = [
    "cache_freed_result",
    "cache_size_result",
    "cache_verified_result",
]

_KINDS = {
    "wheels-v1": "store",
    "index-v1": "index pages",
    "known-v1": "index pages",
    "metadata-v1": "metadata",
    "built-metadata-v1": "metadata",
    "interpreters": "interpreters",
    "tools": "tools",
    "git": "builds",
    "pip": "builds",
    "pip-tools": "builds",
    "working": "builds",
}


def cache_size_result(
    folder: Path, parts: Sequence[CachePart], attic: AtticReport | None
) -> Result:
    """``data.{folder, files, bytes, parts[] {name, kind, files, bytes}, attic}``."""
    data = {
        "folder": folder.as_posix(),
        "files": sum(part.files for part in parts),
        "bytes": sum(part.bytes for part in parts),
        "parts": [
            {
                "name": part.name,
                "kind": _KINDS.get(part.name, "other"),
                "files": part.files,
                "bytes": part.bytes,
            }
            for part in parts
        ],
        "attic": None if attic is None else _attic(attic),
    }
    return _done("cache size", data, answers=True)


def cache_freed_result(folder: Path, freed: Freed, *, command: str) -> Result:
    """``data.{folder, files, bytes}``: what was removed."""
    data = {"folder": folder.as_posix(), "files": freed.files, "bytes": freed.bytes}
    return _done(command, data)


def cache_verified_result(
    folder: Path, verified: Verified, damaged: Sequence[DamagedWheel]
) -> Result:
    """``data.{folder, checked, files, bytes, damaged[]}``; ``drift`` where anything is damaged."""
    return Result(
        command="cache verify",
        status=Status.DRIFT if damaged else Status.OK,
        exit_code=ExitCode.DRIFT if damaged else ExitCode.OK,
        data={
            "folder": folder.as_posix(),
            "checked": verified.checked,
            "files": verified.held.files,
            "bytes": verified.held.bytes,
            "damaged": [
                {
                    "sha256": each.sha256,
                    "filename": each.filename,
                    "paths": list(each.paths),
                    "discarded": each.discarded,
                    "environments": [other.path.as_posix() for other in each.environments],
                }
                for each in damaged
            ],
        },
        problems=(
            *(_stays(folder, each) for each in damaged if not each.discarded),
            *_shared(damaged),
        ),
        answers=True,
    )


def _stays(folder: Path, damaged: DamagedWheel) -> Problem:
    return Problem(
        code="store-unwritable",
        message=f"{damaged.filename or damaged.sha256} is damaged and could not be removed.",
        severity=Severity.WARNING,
        path=folder.as_posix(),
        why="It is not linked into any environment as long as it is damaged.",
        fix=permit("u+rwX", folder, below=True),
    )


def _shared(damaged: Sequence[DamagedWheel]) -> Iterator[Problem]:
    """One for each environment that has damaged files: taking them from the store mends nothing."""
    wheels: dict[Neighbour, list[str]] = {}
    for each in damaged:
        for environment in each.environments:
            wheels.setdefault(environment, []).append(each.filename or each.sha256)
    for environment, names in wheels.items():
        yield Problem(
            code="environment-shares-damage",
            message=f"{environment.path} has the damaged files of {', '.join(names)}, too.",
            severity=Severity.WARNING,
            path=environment.path.as_posix(),
            why="They are hard links: a file edited in one place is edited in all.",
            fix=environment.mend,
        )


def _attic(attic: AtticReport) -> dict[str, Any]:
    return {
        "environment": attic.project.display(attic.environment),
        "entries": [
            {"name": entry.name, "version": entry.version, "bytes": entry.size}
            for entry in attic.entries
        ],
        "bytes": attic.bytes,
        "limit": {
            "setting": attic.setting,
            "bytes": attic.limit.size,
            "count": attic.limit.count,
        },
    }


def _done(command: str, data: dict[str, Any], *, answers: bool = False) -> Result:
    return Result(
        command=command, status=Status.OK, exit_code=ExitCode.OK, data=data, answers=answers
    )
