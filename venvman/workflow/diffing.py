"""``diff``: locks compared, from files, git revisions, or against the environment."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.lock.io import parse_text
from venvman.model.errors import Advice, Command, ConfigurationError, GitError, LockError
from venvman.outcomes import DiffOutcome, LockPair
from venvman.project.roles import Facts, assign
from venvman.requirements.multiuse import EVERY
from venvman.requirements.naming import is_pylock
from venvman.system.git import commit_of, git, try_git
from venvman.workflow.checking import status
from venvman.workflow.inputs import open_scan, wants_pylock
from venvman.workflow.locks import read_group_lock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.lock.file import Lock
    from venvman.workflow.context import Context

HERE = "work tree"
"""What the project's files are called beside revisions."""


def diff(context: Context, sides: Sequence[str] = (), *, environment: bool = False) -> DiffOutcome:
    """Compares two states of the project's locks.

    ``sides`` as typed: none, one or two locks or git revisions, or ``A..B``. Without any the last
    commit with the work tree; one alone with the work tree. ``environment`` compares what is
    installed with the locks instead.

    Raises:
        ConfigurationError: more than two sides, or sides together with ``environment``.
        GitError: a side is neither a file nor a revision.
        LockError: a lock that cannot be read.
    """
    context = context.looking()
    if environment:
        return _with_environment(context, sides)
    before, after = _sides(tuple(sides))
    if before is not None and _is_own_lock(context, before) and after is None:
        # As with git diff: what happened to that file since the last commit.
        path = context.project.display(_absolute(context, before))
        old, new = _revision(context, "HEAD"), _work_tree(context)
        return _outcome(context, "HEAD", HERE, _only(old, path), _only(new, path))
    named = [each for each in (before, after) if each is not None]
    if before and after and all(_absolute(context, each).is_file() for each in named):
        pair = LockPair(path=after, before=_read(context, before), after=_read(context, after))
        return DiffOutcome(project=context.project, before=before, after=after, pairs=(pair,))
    first = before or "HEAD"
    return _outcome(
        context,
        first,
        after or HERE,
        _side(context, first),
        _side(context, after) if after else _work_tree(context),
    )


def _with_environment(context: Context, sides: Sequence[str]) -> DiffOutcome:
    if sides:
        raise ConfigurationError(
            "--env compares the environment with the locks as they are.",
            code="usage",
            why=f"It takes no {sides[0]!r}.",
            fix=Command.venvman("diff", "--help"),
        )
    report = status(context)
    shown = context.project.display(report.environment)
    if report.plan is None:
        raise LockError(
            f"{shown} cannot be compared with the locks.",
            code="diff-impossible",
            why="There is no environment, or no lock, or one of them cannot be read.",
            fix=Command.venvman("sync"),
            problems=report.problems,
        )
    return DiffOutcome(
        project=context.project,
        before=shown,
        after="locks",
        plan=report.plan,
        problems=report.problems,
    )


def _sides(typed: tuple[str, ...]) -> tuple[str | None, str | None]:
    if len(typed) == 1 and ".." in typed[0].strip("./\\"):
        first, _, second = typed[0].partition("..")
        typed = (first or "HEAD", second.lstrip(".") or "HEAD")
    if len(typed) > 2:
        raise ConfigurationError(
            "diff compares two sides.",
            code="usage",
            why=f"{len(typed)} were given.",
            fix=Command.venvman("diff", "--help"),
        )
    return typed[0] if typed else None, typed[1] if len(typed) > 1 else None


def _absolute(context: Context, typed: str) -> Path:
    return (context.cwd / typed).absolute()


def _is_own_lock(context: Context, typed: str) -> bool:
    path = Path(os.path.normpath(_absolute(context, typed)))
    return any(source.lock == path for source in open_scan(context).sources)


def _outcome(
    context: Context, before: str, after: str, old: Mapping[str, Lock], new: Mapping[str, Lock]
) -> DiffOutcome:
    return DiffOutcome(
        project=context.project,
        before=before,
        after=after,
        pairs=tuple(
            LockPair(path=path, before=old.get(path), after=new.get(path))
            for path in dict.fromkeys((*new, *old))
        ),
    )


def _only(locks: Mapping[str, Lock], path: str) -> Mapping[str, Lock]:
    return {each: lock for each, lock in locks.items() if each == path}


def _side(context: Context, typed: str) -> Mapping[str, Lock]:
    """The locks by path: of a revision; or one file, compared with the default's lock."""
    if not _absolute(context, typed).is_file():
        return _revision(context, typed)
    lock = _read(context, typed)
    sources = open_scan(context).sources
    path = context.project.display(sources[0].lock) if sources else typed
    return {path: lock}


def _read(context: Context, typed: str) -> Lock:
    lock = read_group_lock(context, _absolute(context, typed), EVERY)
    if lock is None:
        raise LockError(f"There is no {typed}.", code="lock-missing", path=typed)
    return replace(lock, entries=lock.own)


def _work_tree(context: Context) -> Mapping[str, Lock]:
    found = {
        context.project.display(source.lock): read_group_lock(context, source.lock, EVERY)
        for source in open_scan(context).sources
    }
    return {
        path: replace(lock, entries=lock.own) for path, lock in found.items() if lock is not None
    }


def _revision(context: Context, revision: str) -> Mapping[str, Lock]:
    """The locks of the project's folder as they were, by the same rules as those on disk."""
    root = context.project.root
    commit = _commit(context, revision)
    afar = [
        name
        for each in open_scan(context).sources
        if (name := context.project.display(each.lock)).count("/")
    ]
    listed = _git(context, "ls-tree", "-z", "--name-only", commit, "./", "requirements/", *afar)
    every = [name for name in listed.split("\0") if name]
    names = [name for name in every if name.endswith((".in", ".txt")) or is_pylock(name)]
    texts: dict[str, str] = {}

    def text(name: str) -> str:
        if name not in texts:
            texts[name] = _git(context, "show", f"{commit}:./{name}").replace("\r\n", "\n")
        return texts[name]

    facts = Facts(lambda name, _: text(name) if name in every else None)
    roles = assign(names, facts, pylock=wants_pylock(context))
    return {
        part.lock: parse_text(
            text(part.lock), path=f"{revision}:{part.lock}", root=root, groups=EVERY
        )
        for part in roles.parts
        if part.lock in every
    }


def _commit(context: Context, revision: str) -> str:
    """The commit that ``revision`` names; an option-like word is never taken for an option."""
    if context.project.git_root is None:
        raise GitError(
            f"{revision!r} is no file, and there is no git repository here to know it.",
            code="revision-unknown",
            fix=Advice("Name two files that are there."),
        )
    cwd, variables = context.project.root, context.variables
    commit = commit_of(revision, cwd=cwd, variables=variables)
    if commit is not None:
        return commit
    begun = try_git("rev-list", "--all", "-n", "1", cwd=cwd, variables=variables).stdout.strip()
    raise GitError(
        f"{revision!r} is neither a file nor a git revision.",
        code="revision-unknown",
        why=None if begun else "The repository has no commit yet.",
        fix=Command.of("git", "log", "--oneline", "--all", "-n", "20")
        if begun
        else Advice("Name two files, or commit the locks first."),
    )


def _git(context: Context, *arguments: str) -> str:
    return git(*arguments, cwd=context.project.root, variables=context.variables)
