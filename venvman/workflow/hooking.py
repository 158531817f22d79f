"""What a git hook does once the shell has decided that Python must start.

A post hook speaks one line a project and never fails; the pre-commit hook checks what is staged,
not what lies in the work tree, and is the only one that refuses.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.githooks.script import HookMode, HookName
from venvman.model.errors import (
    Advice,
    Command,
    EnvironmentUnusable,
    ExitCode,
    Fix,
    GitError,
    Problem,
    ProjectNotFound,
    VenvmanError,
    at,
)
from venvman.outcomes import HookLine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman.model.events import Reporter
    from venvman.workflow.context import Context

    Opened = Callable[..., Context]

FROZEN, PLAIN = "[('frozen', True)]", "[]"
"""What ``sync --frozen`` and ``sync`` choose (:func:`venvman.cli.read.choosing`)."""


def run_hook(
    name: HookName,
    *,
    mode: HookMode | None,
    projects: Sequence[str],
    variables: Mapping[str, str],
    top: Path,
    reporter: Reporter,
) -> tuple[HookLine, ...]:
    """One line for each of ``projects`` (relative to the work tree ``top``) worth one.

    Without ``projects`` those that hooks were installed for, else all there are; without ``mode``
    each in the one that it was installed with.

    Never raises a :class:`VenvmanError`: what went wrong is a line too.
    """
    chosen = _chosen(projects, mode, variables, top)
    if name is HookName.PRE_COMMIT:
        opened = partial(_opened, variables=variables, reporter=reporter)
        lines = _check_staged(list(chosen), variables, top, opened)
    else:
        opened = partial(_opened, variables={**variables, **_IMPATIENT}, reporter=reporter)
        lines = [_follow(each, how, top, opened) for each, how in chosen.items()]
    return tuple(
        replace(line, fix=at(line.fix, top / line.project)) for line in lines if line is not None
    )


_IN_A_HURRY = {"index-timeout", "index-too-slow", "index-truncated", "index-unreachable"}
"""Codes of what waiting longer, or asking again, may help against."""
_IMPATIENT = {"PIP_DEFAULT_TIMEOUT": "3", "PIP_RETRIES": "0"}
"""Whoever checks out a branch does not wait for an index that does not answer, be it one for which
installing would wait longer."""


def _chosen(
    projects: Sequence[str], mode: HookMode | None, variables: Mapping[str, str], top: Path
) -> Mapping[str, HookMode]:
    from venvman.githooks.status import hooked_projects
    from venvman.workflow.projects import find_projects

    known: dict[str, HookMode] = {}
    with suppress(GitError):
        known = {each.path: each.mode for each in hooked_projects(top, variables=variables)}
    names = list(projects) or list(known)
    if not names:
        with suppress(ProjectNotFound):
            found = find_projects(top=None, variables=variables, cwd=top, workspace=True)
            names = [each.root.relative_to(top).as_posix() for each in found.projects]
    return {name: mode or known.get(name, HookMode.REPORT) for name in names}


def _follow(project: str, mode: HookMode, top: Path, opened: Opened) -> HookLine | None:
    """Reports or repairs one project's drift; None where there is none, or no project any more."""
    try:
        context = opened(top / project, top)
        said, fix = _repair(context) if mode is HookMode.SYNC else _report(context)
    except ProjectNotFound:
        # The branch that is checked out does not have it.
        return None
    except VenvmanError as error:
        said, fix = _of_problem(error.problems[0])
        if error.problems[0].code in _IN_A_HURRY:
            fix = Advice("`venvman sync` waits longer.")
    return HookLine(project=project, text=said, fix=fix) if said else None


def _opened(
    root: Path,
    cwd: Path,
    flags: Mapping[str, object] | None = None,
    *,
    variables: Mapping[str, str],
    reporter: Reporter,
) -> Context:
    """The project in just this folder, seen from ``cwd``.

    Raises:
        ProjectNotFound: there is none; one above is another one.
    """
    from venvman.workflow.context import open_context

    context = open_context(
        project=root, flags=flags or {}, variables=variables, cwd=cwd, reporter=reporter
    )
    if os.path.realpath(context.project.root) != os.path.realpath(root):
        raise ProjectNotFound(f"{root} holds no project.", code="project-not-found")
    return context


def _report(context: Context) -> tuple[str, Fix | None]:
    from venvman.environment.inspection import Absent, Broken
    from venvman.lock.freshness import Stale
    from venvman.workflow.checking import status

    report = status(context)
    shown = context.project.display(report.environment)
    if isinstance(report.inspection, Absent):
        return f"there is no {shown}", Command.venvman("sync")
    if report.problems:
        return _of_problem(report.problems[0])
    if isinstance(report.inspection, Broken):
        return f"{shown} is broken: {report.inspection.reason.rstrip('.')}", report.inspection.fix
    if report.plan is None:
        return f"{shown} cannot be compared with its lock", Command.venvman("doctor")
    if report.plan:
        from venvman.doctor.remedies import of_plan

        count = _packages(len(report.plan.steps))
        verb = "differs" if len(report.plan.steps) == 1 else "differ"
        fix = of_plan(report.plan, report.environment)
        return f"{count} in {shown} {verb} from the lock", fix
    stale = [each for each in report.locks if isinstance(each.freshness, Stale)]
    if stale:
        return f"{context.project.display(stale[0].path)} is stale", Command.venvman("freeze")
    return "", None


def _repair(context: Context) -> tuple[str, None]:
    """As ``sync --frozen``: a hook never freezes and never changes a tracked file."""
    from venvman.install.fastpath import NotTaken, switch
    from venvman.report.sync import locked_count, nothing_to_do
    from venvman.workflow.requests import LockPolicy, SyncRequest
    from venvman.workflow.syncing import sync
    from venvman.workflow.watching import facts_of_sync

    root, variables = context.project.root, context.variables
    for flags in (FROZEN, PLAIN):
        known = switch(flags, variables, str(root))
        if not isinstance(known, NotTaken):
            shown = context.project.display(context.environment_path)
            return _followed(shown, known.changes, known.seconds), None
    done = sync(context, SyncRequest(locks=LockPolicy.FROZEN))
    if done.observation is not None and not done.problems:
        said, locked = nothing_to_do(done), locked_count(done)
        facts_of_sync(context, done.observation, flags=FROZEN, said=said, locked=locked)
    if not done.plan and not done.created:
        return "", None
    shown = context.project.display(done.environment)
    told = _followed(shown, len(done.plan.steps), sum(done.seconds.values()))
    return " ".join([told, *(each.message for each in done.problems)]), None


def _followed(shown: str, changes: int, seconds: float) -> str:
    return f"{shown} follows: {_packages(changes)} changed in {seconds:.1f} s" if changes else ""


def _packages(count: int) -> str:
    return "1 package" if count == 1 else f"{count} packages"


def _of_problem(problem: Problem) -> tuple[str, Fix | None]:
    """With the reason: that no file has a locked hash must not read like a missing one."""
    why = f" ({problem.why.splitlines()[0].rstrip('.')})" if problem.why else ""
    return f"{_place(problem)}{problem.message.rstrip('.')}{why}", problem.fix


def _place(problem: Problem) -> str:
    """Where it is, unless the message says so itself."""
    location = f"{problem.path}:{problem.line}" if problem.path and problem.line else ""
    return "" if not location or location in problem.message else f"{location}: "


def _check_staged(
    projects: Sequence[str], variables: Mapping[str, str], top: Path, opened: Opened
) -> list[HookLine | None]:
    from venvman.system.git import git

    names = git("diff", "--cached", "--name-only", "-z", cwd=top, variables=variables)
    staged = frozenset(filter(None, names.split("\0")))
    with tempfile.TemporaryDirectory(prefix="venvman-staged-") as folder:
        # The real path: on macOS the temporary folder is behind a link.
        tree = _StagedTree(Path(folder).resolve(), top.resolve(), variables)
        return [_judge(tree, project, staged, opened) for project in projects]


class _StagedTree:
    """The work tree as the commit will have it, as far as its requirements files are concerned.

    Below the temporary ``folder`` files lie at their absolute paths, so that what leads out of the
    work tree (``-r ../shared.in``) leads to the same file. What the index cannot know (ignored
    files, submodules, other folders) is as it lies in the work tree.
    """

    def __init__(self, folder: Path, top: Path, variables: Mapping[str, str]) -> None:
        self.top = top
        self.root = folder / top.relative_to(top.anchor)
        self.state = folder / ".state"
        self._base = folder
        self._variables = variables
        self._seen: set[Path] = set()

    def add_project(self, project: str) -> None:
        """What may be a requirements file of ``project`` by its name."""
        at = "" if project == "." else f"{project}/"
        wanted = [f"{at}{pattern}" for pattern in ("*.in", "*.txt", "*.lock", *_PROJECT_FILES)]
        wanted += [f"{at}requirements/{pattern}" for pattern in ("*.in", "*.txt", "*.lock")]
        names = self._git("ls-files", "-z", "--", *(f":(glob){each}" for each in wanted))
        self._export([name for name in names.split("\0") if name])

    def complete(self, context: Context) -> bool:
        """Adds what the files of the staged project name and is not there; whether any was."""
        from venvman.model.sources import DirectorySource
        from venvman.project.localproject import METADATA_FILES, inputs_of
        from venvman.requirements.includes import local_path
        from venvman.workflow.inputs import open_scan

        wanted: set[Path] = set()
        for file in open_scan(context).files:
            for include in file.parsed.includes if file.parsed else ():
                path = local_path(str(file.path.parent / include.target))
                wanted |= {Path(os.path.normpath(path))} if path else set()
            for line in file.parsed.requirements if file.parsed else ():
                if isinstance(line.requirement.source, DirectorySource):
                    folder = context.project.root / line.requirement.source.path
                    names = {*METADATA_FILES, *inputs_of(self._real(folder))}
                    wanted |= {Path(os.path.normpath(folder / name)) for name in names}
        new = {path for path in wanted - self._seen if path.is_relative_to(self._base)}
        self._seen |= new
        missing = [self._real(path) for path in sorted(new) if not path.exists()]
        self._add(missing)
        return any(self._base.joinpath(*path.parts[1:]).exists() for path in missing)

    def in_work_tree(self, text: str) -> str:
        """``text`` about the staged files with the paths that they have in the work tree."""
        return text.replace(str(self._base), "")

    def name_of(self, path: Path) -> str:
        """``path`` of the staged tree as git names it: relative to the top."""
        return Path(os.path.relpath(path, self.root)).as_posix()

    def _real(self, path: Path) -> Path:
        return Path(self.top.anchor) / path.relative_to(self._base)

    def _add(self, paths: Sequence[Path]) -> None:
        inside = {
            path.relative_to(self.top).as_posix(): path
            for path in paths
            if path.is_relative_to(self.top)
        }
        known: set[str] = set()
        if inside:
            pathspecs = [f":(literal){name}" for name in inside]
            known = set(self._git("ls-files", "-z", "--", *pathspecs).split("\0")) & inside.keys()
            self._export(sorted(known))
            # Untracked files that nobody ignores will not be in the commit.
            words = ("ls-files", "-z", "--others", "--exclude-standard", "--", *pathspecs)
            known |= set(self._git(*words).split("\0")) - {""}
        for path in paths:
            name = path.relative_to(self.top).as_posix() if path.is_relative_to(self.top) else ""
            if name in known or not path.is_file():
                continue
            copy = self._base / path.relative_to(path.anchor)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())

    def _export(self, names: Sequence[str]) -> None:
        from venvman.system.git import try_git

        self.root.mkdir(parents=True, exist_ok=True)
        prefix = f"--prefix={self.root.as_posix()}/"
        # A command line has a greatest length.
        for start in range(0, len(names), 500):
            words = ("checkout-index", "--force", "--quiet", prefix, "--")
            batch = names[start : start + 500]
            try_git(*words, *batch, cwd=self.top, variables=self._variables)

    def _git(self, *words: str) -> str:
        from venvman.system.git import git

        return git(*words, cwd=self.top, variables=self._variables)


_PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg", ".python-version", "pylock*.toml")
_MOST_ROUNDS = 20


def _judge(
    tree: _StagedTree, project: str, staged: frozenset[str], opened: Opened
) -> HookLine | None:
    """Refuses what is staged where a lock is stale because of it; a warning if that cannot be told.

    Locks that the commit has nothing to do with are no reason, nor are faults elsewhere.
    """
    from venvman.workflow.freezing import freeze
    from venvman.workflow.inputs import open_scan
    from venvman.workflow.requests import FreezeRequest

    at = "" if project == "." else f"{project}/"
    try:
        tree.add_project(project)
        context = _staged_context(tree, project, opened)
        for _ in range(_MOST_ROUNDS):
            if not tree.complete(context):
                break
            context = _staged_context(tree, project, opened)
        scan = open_scan(context)
        concerned = {tree.name_of(file.path) for file in scan.files}
        # A lock that is deleted is staged, too.
        concerned |= {tree.name_of(source.lock) for source in scan.sources}
        concerned |= {f"{at}{name}" for name in _PROJECT_FILES}
        if concerned.isdisjoint(staged):
            return None
        outcome = freeze(context, FreezeRequest(check=True))
    except ProjectNotFound:
        return None
    except VenvmanError as error:
        if error.code == "lock-of-another-source":
            return None
        text, fix = _of_problem(error.problems[0])
        text = tree.in_work_tree(text)
        named = {f"{at}{problem.path}" for problem in error.problems if problem.path}
        # A Python that is not here says nothing about the files.
        if named.isdisjoint(staged) or isinstance(error, EnvironmentUnusable):
            return HookLine(project=project, text=f"cannot check what is staged: {text}", fix=fix)
        return HookLine(project=project, text=f"what is staged: {text}", fix=fix, refused=True)
    for lock in outcome.locks:
        files = {tree.name_of(file.path) for file in scan.files if file.group == lock.group}
        files |= {tree.name_of(lock.path), *(f"{at}{each.path}" for each in lock.stale)}
        if lock.stale and not files.isdisjoint(staged):
            reason = lock.stale[0]
            return HookLine(
                project=project,
                text=f"the staged lock is stale: {_place(reason)}{reason.message} "
                "Freeze and stage the lock, or commit with --no-verify",
                fix=Command.venvman("freeze"),
                refused=True,
            )
    return None


def _staged_context(tree: _StagedTree, project: str, opened: Opened) -> Context:
    """The staged project, checked for the Python of the environment that the work tree has."""
    from venvman.workflow.location import freezing_interpreter

    flags: dict[str, object] = {}
    with suppress(VenvmanError):
        real = opened(tree.top / project, tree.top)
        flags["python"] = str(freezing_interpreter(real).path)
    context = opened(tree.root / project, tree.root, flags)
    # What is remembered of a folder that is about to vanish shall vanish with it.
    return replace(context, directories=replace(context.directories, state=tree.state))


def exit_code(lines: Sequence[HookLine]) -> ExitCode:
    """0 for every post hook; 1 where pre-commit refuses."""
    return ExitCode.DRIFT if any(line.refused for line in lines) else ExitCode.OK
