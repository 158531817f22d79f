"""What a git hook does once the shell has decided that Python must start.

A post hook speaks one line a project and never fails; the pre-commit hook judges what is staged,
not what lies in the work tree, and is the only one that refuses.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import Command, ExitCode, ProjectNotFound, VenvmanError, at
from venvman.frozen import dataclass
from venvman.hookscript import PATTERNS, HookMode, HookName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvman.errors import Fix, Problem
    from venvman.events import Reporter
    from venvman.workflow.context import Context

__all__ = ["HookLine", "exit_code", "run_hook"]

_AS_SYNC = ("sync", "--frozen")


@dataclass(frozen=True, slots=True, kw_only=True)
class HookLine:
    """What the hook says of one project, and what to do about it.

    ``refused`` makes git stop (pre-commit only).
    """

    project: str
    text: str
    fix: Fix | None = None
    refused: bool = False


def run_hook(
    name: HookName,
    *,
    mode: HookMode,
    projects: Sequence[str],
    variables: Mapping[str, str],
    top: Path,
    reporter: Reporter,
) -> tuple[HookLine, ...]:
    """One line for each of ``projects`` (relative to the work tree ``top``) worth one.

    Never raises a :class:`VenvmanError`: what went wrong is a line too.
    """
    if name is HookName.PRE_COMMIT:
        lines = _judge_staged(projects, variables, top, reporter)
    else:
        lines = [_follow(project, mode, variables, top, reporter) for project in projects]
    return tuple(
        replace(line, fix=at(line.fix, top / line.project)) for line in lines if line is not None
    )


def _follow(
    project: str, mode: HookMode, variables: Mapping[str, str], top: Path, reporter: Reporter
) -> HookLine | None:
    """Reports or repairs one project's drift; None where there is none, or no project any more."""
    try:
        context = _context(top / project, variables, top, reporter)
        said, fix = _repair(context) if mode is HookMode.SYNC else _report(context)
    except ProjectNotFound:
        # The branch that is checked out does not have it.
        return None
    except VenvmanError as error:
        said, fix = _of_problem(error.problems[0])
    return HookLine(project=project, text=said, fix=fix) if said else None


def _context(
    root: Path,
    variables: Mapping[str, str],
    top: Path,
    reporter: Reporter,
    *,
    flags: Mapping[str, object] | None = None,
) -> Context:
    from venvman.workflow.context import open_context

    return open_context(
        project=root, flags=flags or {}, variables=variables, cwd=top, reporter=reporter
    )


def _report(context: Context) -> tuple[str, Fix | None]:
    from venvman.environment.inspection import Absent
    from venvman.workflow.checking import status

    report = status(context)
    shown = context.project.display(report.environment)
    if isinstance(report.inspection, Absent):
        return f"there is no {shown}", Command.venvman("sync")
    if report.problems:
        return _of_problem(report.problems[0])
    if report.plan is None:
        return f"{shown} cannot be compared with its lock", Command.venvman("doctor")
    if report.plan:
        count = _packages(len(report.plan.steps))
        verb = "differs" if len(report.plan.steps) == 1 else "differ"
        return f"{count} in {shown} {verb} from the lock", Command.venvman("sync")
    stale = [each for each in report.locks if _is_stale(each.freshness)]
    if stale:
        return f"{context.project.display(stale[0].path)} is stale", Command.venvman("freeze")
    return "", None


def _is_stale(judgement: object) -> bool:
    from venvman.lock.freshness import Stale

    return isinstance(judgement, Stale)


def _repair(context: Context) -> tuple[str, None]:
    """As ``sync --frozen``: a hook never freezes and never changes a tracked file."""
    from venvman.environment.lifecycle import locate
    from venvman.install.switch import attempt
    from venvman.report.sync import locked_count, nothing_to_do
    from venvman.workflow.stamping import leave_stamp
    from venvman.workflow.syncing import sync
    from venvman.workflow.values import LockPolicy, SyncRequest

    root, variables = context.project.root, context.variables
    for words in (_AS_SYNC, ("sync",)):
        known = attempt(words, variables, str(root))
        if known is not None:
            shown = context.project.display(locate(context.project, context.settings))
            return _followed(shown, known.changes, known.seconds), None
    done = sync(context, SyncRequest(locks=LockPolicy.FROZEN))
    if done.looked is not None:
        text = "".join(nothing_to_do(done))
        leave_stamp(context, done.looked, _AS_SYNC, text=text, locked=locked_count(done))
    if not done.plan and not done.created:
        return "", None
    shown = context.project.display(done.environment)
    return _followed(shown, len(done.plan.steps), sum(done.seconds.values())), None


def _followed(shown: str, changes: int, seconds: float) -> str:
    return f"{shown} follows: {_packages(changes)} changed in {seconds:.1f} s" if changes else ""


def _packages(count: int) -> str:
    return "1 package" if count == 1 else f"{count} packages"


def _of_problem(problem: Problem) -> tuple[str, Fix | None]:
    return f"{_place(problem)}{problem.message.rstrip('.')}", problem.fix


def _place(problem: Problem) -> str:
    """Where it is, unless the message says so itself."""
    place = f"{problem.path}:{problem.line}" if problem.path and problem.line else ""
    return "" if not place or place in problem.message else f"{place}: "


def _judge_staged(
    projects: Sequence[str], variables: Mapping[str, str], top: Path, reporter: Reporter
) -> list[HookLine | None]:
    with tempfile.TemporaryDirectory(prefix="venvman-staged-") as name:
        # The real path: on macOS the temporary folder is behind a link.
        staged = Path(name).resolve() / "tree"
        staged.mkdir()
        real = {project: _real(top / project, variables, top, reporter) for project in projects}
        _write_staged(staged, top, variables, tuple(_included(real.values(), top)))
        return [_judge(staged, project, real[project], variables, reporter) for project in projects]


def _real(
    root: Path, variables: Mapping[str, str], top: Path, reporter: Reporter
) -> Context | None:
    """The project as it lies in the work tree; None where it does not, or cannot be read."""
    try:
        return _context(root, variables, top, reporter)
    except VenvmanError:
        return None


def _included(contexts: Iterable[Context | None], top: Path) -> Iterator[str]:
    """Files that requirements include and whose names are not what :data:`PATTERNS` expects."""
    from venvman.workflow.wishes import open_scan

    for context in contexts:
        if context is None:
            continue
        for file in open_scan(context).files:
            if file.path.is_relative_to(top):
                yield file.path.relative_to(top).as_posix()


def _write_staged(
    folder: Path, top: Path, variables: Mapping[str, str], further: Sequence[str]
) -> None:
    """Every staged file that venvman may read, as it will be committed."""
    from venvman.git import git, try_git

    wanted = (*PATTERNS, *(f":(literal){name}" for name in further))
    names = git("ls-files", "-z", "--", *wanted, cwd=top, variables=variables)
    prefix = f"--prefix={folder.as_posix()}/"
    for batch in _batches([name for name in names.split("\0") if name]):
        words = ("checkout-index", "--force", "--quiet", prefix, "--", *batch)
        try_git(*words, cwd=top, variables=variables)


def _batches(names: Sequence[str], *, size: int = 500) -> Iterator[Sequence[str]]:
    """A command line has a greatest length."""
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _judge(
    staged: Path,
    project: str,
    real: Context | None,
    variables: Mapping[str, str],
    reporter: Reporter,
) -> HookLine | None:
    from venvman.workflow.freezing import freeze
    from venvman.workflow.values import FreezeRequest

    try:
        context = _staged_context(staged, project, real, variables, reporter)
        outcome = freeze(context, FreezeRequest(check=True))
    except ProjectNotFound:
        return None
    except VenvmanError as error:
        if error.code == "lock-of-another-source":
            return None
        text, fix = _of_problem(error.problems[0])
        return HookLine(project=project, text=text, fix=fix, refused=True)
    if not outcome.changed:
        return None
    reason = outcome.problems[0]
    return HookLine(
        project=project,
        text=f"the staged lock is stale: {_place(reason)}{reason.message} "
        "Freeze and stage the lock, or commit with --no-verify",
        fix=Command.venvman("freeze"),
        refused=True,
    )


def _staged_context(
    staged: Path,
    project: str,
    real: Context | None,
    variables: Mapping[str, str],
    reporter: Reporter,
) -> Context:
    """The staged project, judged for the Python of the environment that the work tree has."""
    from venvman.workflow.places import freezing_interpreter

    flags: dict[str, object] = {}
    if real is not None:
        flags["python"] = str(freezing_interpreter(real).path)
    context = _context(staged / project, variables, staged, reporter, flags=flags)
    # What is remembered of a folder that is about to vanish shall vanish with it.
    directories = replace(context.directories, state=staged.with_name("state"))
    return replace(context, directories=directories)


def exit_code(lines: Sequence[HookLine]) -> ExitCode:
    """0 for every post hook; 1 where pre-commit refuses."""
    return ExitCode.DRIFT if any(line.refused for line in lines) else ExitCode.OK
