"""Managers of hooks, and hooks that a project keeps itself: what is left to them.

Husky 9 is a folder of its own (:attr:`Repository.guest_folder`); pre-commit and prek run ours as
``NAME.legacy``, or what their configuration names; lefthook runs it by ``lefthook-local.yml``.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from venvman.githooks import script
from venvman.githooks.repository import Repository, hook_text
from venvman.githooks.script import HookName
from venvman.model.errors import Advice, GitError, Problem, Severity
from venvman.system.files import write_atomically
from venvman.system.git import try_git

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


LEFTHOOK_LOCAL = "lefthook-local.yml"
LEFTHOOK = "# venvman git hook: `venvman hooks uninstall` removes this file."
PRE_COMMIT_CONFIG = ".pre-commit-config.yaml"


def shared_folder(repository: Repository) -> GitError:
    """Why nothing is put into a folder of hooks that several repositories have."""
    own = repository.common / "hooks"
    if own.is_symlink():
        own = own.with_name("own-hooks")
    line = shared_line(HookName.POST_CHECKOUT)
    called = f"Let the hooks in {repository.folder} call `{line}`, or give "
    return GitError(
        f"Git's hooks are in {repository.folder}, which this repository does not own.",
        code="git-hooks-shared",
        why="a hook put there would run for every repository that shares the folder",
        fix=Advice(
            f"{called if repository.folder.is_dir() else 'Give '}"
            "this repository hooks of its own with `git config --local core.hooksPath "
            f"{shlex.quote(str(own))}`: those of the shared folder then run here no more."
        ),
    )


def is_lefthook(repository: Repository, name: HookName) -> bool:
    """Whether lefthook writes this hook: it would write it again over another one."""
    return "lefthook" in hook_text(repository.folder / name.value)


def put_into_lefthook(repository: Repository, names: Sequence[HookName]) -> Iterator[Problem]:
    """Has lefthook's local file run our hooks, which lie in the git folder."""
    folder = shlex.quote(str(repository.data))
    parts = [
        f"{name.value}:\n  commands:\n    venvman:\n"
        f"      run: {json.dumps(f'sh {folder}/{name.value} {{0}}')}\n"
        + ("      use_stdin: true\n" if name is HookName.POST_REWRITE else "")
        for name in names
    ]
    file = repository.top / LEFTHOOK_LOCAL
    if file.exists() and LEFTHOOK not in hook_text(file):
        yield Problem(
            code="git-hook-tracked",
            message=f"{file.name} is there already and was left alone.",
            severity=Severity.WARNING,
            path=file.name,
            why="lefthook writes the hooks of this repository",
            fix=Advice(f"Add these lines to it:\n{''.join(parts)}"),
        )
        return
    write_atomically(file, "\n".join((LEFTHOOK, *parts)).encode())
    repository.exclude(file)


def is_called(repository: Repository, name: HookName, text: str) -> bool:
    """Whether the foreign hook of this ``text`` does what ours would."""
    if script.is_ours(text):
        return False
    if not script.is_calling_legacy(text):
        return f"venvman hooks run {name.value}" in text
    ids = "lock" if name is HookName.PRE_COMMIT else "(drift|sync)"
    pattern = rf"^\s*-?\s*id:\s*['\"]?venvman-{ids}\b"
    return bool(re.search(pattern, hook_text(repository.top / PRE_COMMIT_CONFIG), re.MULTILINE))


def left_alone(repository: Repository, name: HookName) -> Problem | None:
    """Why no hook of ours is put where ``name`` belongs: the one that is there is the project's."""
    path = next(repository.paths(name))
    text = hook_text(path)
    if is_lefthook(repository, name) or is_called(repository, name, text):
        return None
    is_guest = repository.guest_folder != repository.folder
    theirs = is_guest and path.exists() and not script.is_ours(text)
    words = ("ls-files", "--error-unmatch", "--", str(path))
    if not theirs and not try_git(*words, cwd=repository.top, variables=repository.variables).ok:
        return None
    shown = repository.shown(path)
    return Problem(
        code="git-hook-tracked",
        message=f"{shown} is the project's own and was left alone.",
        severity=Severity.WARNING,
        path=shown,
        why="what a repository or a manager of hooks keeps is never changed",
        fix=Advice(f"Add this line to it: {shared_line(name)}"),
    )


def shared_line(name: HookName) -> str:
    """What a hook that people share does: nothing where there is no venvman."""
    run = f"venvman hooks run {name.value}"
    if name is HookName.PRE_COMMIT:
        return f"! command -v venvman >/dev/null || {run}"
    return f"{run} || :"
