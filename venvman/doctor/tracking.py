"""What git knows of a project's locks: gathered for the examination, two processes at most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor.examination import LockTracking
from venvman.git import try_git

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def tracking_of(
    paths: Sequence[Path], *, root: Path, variables: Mapping[str, str]
) -> Mapping[Path, LockTracking]:
    """How git sees each of ``paths`` (absolute) from ``root``; empty outside a work tree.

    Raises:
        GitError: git is missing.
    """
    if not paths:
        return {}

    def listed(*options: str) -> frozenset[Path] | None:
        arguments = ("ls-files", "-z", "--full-name", *options, "--", *map(str, paths))
        answer = try_git(*arguments, cwd=root, variables=variables)
        return _among(paths, answer.stdout.split("\0")) if answer.ok else None

    tracked = listed()
    if tracked is None:
        return {}
    known = dict.fromkeys(paths, LockTracking.UNTRACKED)
    if len(tracked) < len(known):
        ignored = listed("--others", "--ignored", "--exclude-standard")
        known |= dict.fromkeys(ignored or (), LockTracking.IGNORED)
    return known | dict.fromkeys(tracked, LockTracking.TRACKED)


def _among(paths: Sequence[Path], listed: Sequence[str]) -> frozenset[Path]:
    """Those of ``paths`` that ``git ls-files`` named, relative to the top of the work tree."""
    endings = [Path(name).parts for name in listed if name]
    return frozenset(
        path for path in paths if any(path.parts[-len(parts) :] == parts for parts in endings)
    )
