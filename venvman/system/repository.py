"""What the plain files of a git repository say: where it is, its HEAD, its tags.

For what must not start a process, or has no time to. Imports next to nothing; reads no more of a
file than of any that a stranger may have made.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from venvman.system.reading import read_regular


class Head(NamedTuple):
    """Where HEAD is; the branch is None where it is detached."""

    commit: str
    branch: str | None


def work_tree(folder: str) -> str | None:
    """``folder`` or the nearest one above it (absolute) that has a ``.git``."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def head_of(folder: str) -> Head | None:
    """Where the repository that holds ``folder`` stands.

    None outside a repository, before the first commit, and for repositories that keep their
    references in another way than files.
    """
    try:
        git_folder = _git_folder(folder)
        if git_folder is None:
            return None
        head = _text(f"{git_folder}/HEAD")
        if not head.startswith("ref: "):
            return Head(head, None)
        name = head[5:]
        commit = _reference(git_folder, name)
    except (OSError, UnicodeDecodeError):
        return None
    return None if commit is None else Head(commit, name.replace("refs/heads/", "", 1))


def tags_of(folder: str) -> list[str]:
    """The tags of the repository that holds ``folder``, each as ``NAME=OBJECT``; sorted."""
    found: list[str] = []
    try:
        git_folder = _git_folder(folder)
        if git_folder is None:
            return []
        common = _common(git_folder)
        for parent, _, names in os.walk(f"{common}/refs/tags"):
            found += [f"{parent}/{name}={_text(f'{parent}/{name}')}" for name in names]
        rows = _text(f"{common}/packed-refs").splitlines()
        found += [row for row in rows if "refs/tags/" in row]
    except (OSError, UnicodeDecodeError):
        pass
    return sorted(found)


def _git_folder(folder: str) -> str | None:
    tree = work_tree(folder)
    if tree is None:
        return None
    git_folder = os.path.join(tree, ".git")
    if os.path.isfile(git_folder):  # a worktree or submodule: "gitdir: PATH"
        return os.path.join(tree, _text(git_folder).partition(": ")[2])
    return git_folder


def _common(git_folder: str) -> str:
    """The folder of the repository, which its worktrees share."""
    if os.path.isfile(f"{git_folder}/commondir"):
        return os.path.join(git_folder, _text(f"{git_folder}/commondir"))
    return git_folder


def _reference(git_folder: str, name: str) -> str | None:
    """``name`` in the worktree's own folder or the repository's; loose, else packed."""
    common = _common(git_folder)
    for folder in dict.fromkeys((git_folder, common)):
        if os.path.isfile(f"{folder}/{name}"):
            return _text(f"{folder}/{name}")
    for line in _text(f"{common}/packed-refs").splitlines():
        if line.endswith(f" {name}"):
            return line.partition(" ")[0]
    return None


def _text(path: str) -> str:
    return read_regular(path).decode().strip()
