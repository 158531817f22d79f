"""VM6: what git knows: are locks in it, are the hooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.doctor.examination import Examination, LockTracking
from venvman.githooks.status import HookState
from venvman.model.errors import Command
from venvman.system.git import try_git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvman.doctor.finding import Finding


def hooks(examination: Examination) -> Iterator[Finding]:
    """Git hooks that would tell of drift after a checkout, and are not there."""
    if examination.hooks is None:
        return
    hooks = examination.hooks.hooks
    absent = [each for each in hooks if each.state is not HookState.OURS]
    if absent:
        are = "is" if len(absent) == 1 else "are"
        edited = all(each.state is HookState.EDITED for each in absent)
        yield codes.HOOKS_ABSENT(
            f"Git will not tell of drift: {', '.join(each.name.value for each in absent)} "
            f"{are} not {'as venvman writes it' if edited else 'installed'}.",
            path=examination.display(examination.hooks.folder),
            # What installing would leave alone is a matter for people.
            fix=next((each.fix for each in examination.hooks.problems), None)
            or Command.venvman("hooks", "install"),
        )


def program(examination: Examination) -> Iterator[Finding]:
    """Hooks that start a venvman which is gone: they say so at every checkout, and do nothing."""
    report = examination.hooks
    if report is None or report.program is None or report.starts:
        return
    if any(each.state is HookState.OURS for each in report.hooks):
        yield codes.HOOKS_OF_GONE(
            f"The hooks start {report.program}, which is gone, and there is no venvman on PATH.",
            path=examination.display(report.folder),
            fix=Command.venvman("hooks", "install"),
        )


def apart(examination: Examination) -> Iterator[Finding]:
    """A lock and its source of which only one is to be committed as it is now."""
    for each in examination.locks:
        lock = examination.moved.get(each.path, "  ")
        for source in each.sources:
            states = {each.path: lock, source: examination.moved.get(source, "  ")}
            staged = [path for path, state in states.items() if state[0] not in " ?"]
            left = [path for path, state in states.items() if state[1] != " "]
            if len(staged) == 1 and left and left[0] != staged[0]:
                here, other = (examination.display(path) for path in (staged[0], left[0]))
                yield codes.STAGED_APART(
                    f"{here} is staged, but what was changed in {other} is not: the commit will "
                    "hold a lock and a source that do not belong together.",
                    path=other,
                    fix=Command.of("git", "add", left[0]),
                )


def environment(examination: Examination) -> Iterator[Finding]:
    """An environment that comes with the repository: code of one machine, and its state."""
    if examination.tracked:
        shown = examination.display(examination.root)
        count = len(examination.tracked)
        yield codes.ENVIRONMENT_TRACKED(
            f"Git tracks {count} {'file' if count == 1 else 'files'} of {shown}, first "
            f"{examination.tracked[0]}: what runs there comes with every clone, and is another "
            "machine's.",
            path=shown,
            fix=Command.of("git", "rm", "-r", "-q", "--cached", examination.root),
        )


def locks(examination: Examination) -> Iterator[Finding]:
    """Locks that others will not get."""
    for each in examination.locks:
        shown = examination.display(each.path)
        if each.lock is None:
            continue
        if each.tracking is LockTracking.IGNORED:
            yield codes.LOCK_IGNORED(
                f"Git ignores {shown}: nobody else will install what you do.",
                path=shown,
                fix=Command.of("git", "add", "--force", each.path),
            )
        elif each.tracking is LockTracking.UNTRACKED:
            yield codes.LOCK_UNTRACKED(
                f"{shown} is not in git yet.", path=shown, fix=Command.of("git", "add", each.path)
            )


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
