"""Which projects of a workspace a range of commits concerns, for ``--changed-since``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import Advice, GitError, VenvmanError
from venvman.git import git, try_git

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from venvman.project import Project


def changed_since(
    projects: Sequence[Project], revision: str, *, variables: Mapping[str, str]
) -> tuple[Project, ...]:
    """Those in which a file differs from where this branch left ``revision``, or is new.

    A file of a project in another one's folder is not the other's; a file or folder elsewhere that
    requirements name counts as one of their own.

    Raises:
        GitError: a project is in no repository, or there is no such revision.
    """
    changed = {
        top: _paths(top, revision, variables) for top in {each.git_root for each in projects}
    }
    roots = {each.root for each in projects}
    return tuple(
        each for each in projects if _concerns(each, changed[each.git_root], roots, variables)
    )


def _paths(top: Path | None, revision: str, variables: Mapping[str, str]) -> list[Path]:
    """What differs in the work tree ``top``, absolute."""
    if top is None:
        raise GitError(
            "--changed-since needs a git repository, and there is none.", code="git-no-repository"
        )
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    found = try_git(*words, cwd=top, variables=variables)
    if not found.ok:
        raise GitError(
            f"There is no revision {revision} here.",
            code="git-revision-unknown",
            fix=Advice("Fetch it first: a checkout in CI often holds one commit only."),
        )
    commit = found.stdout.strip()
    base = try_git("merge-base", commit, "HEAD", cwd=top, variables=variables).stdout.strip()
    known = git("diff", "--name-only", "-z", base or commit, cwd=top, variables=variables)
    fresh = git("ls-files", "-z", "--others", "--exclude-standard", cwd=top, variables=variables)
    return [top / name for name in f"{known}{fresh}".split("\0") if name]


def _concerns(
    project: Project, changed: Sequence[Path], roots: set[Path], variables: Mapping[str, str]
) -> bool:
    def owner(path: Path) -> Path | None:
        return next((each for each in path.parents if each in roots), None)

    if any(owner(path) == project.root for path in changed):
        return True
    named = list(_named_elsewhere(project, variables))
    return any(path == each or path.is_relative_to(each) for path in changed for each in named)


def _named_elsewhere(project: Project, variables: Mapping[str, str]) -> Iterator[Path]:
    """The files that requirements include, and the folders that they install, wherever."""
    from venvman.scan import scan
    from venvman.sources import DirectorySource

    try:
        found = scan(project, variables=variables)
    except VenvmanError:
        yield project.root  # the command tells what is wrong with it
        return
    for file in found.files:
        yield file.path
        for line in file.parsed.requirements if file.parsed else ():
            if isinstance(line.requirement.source, DirectorySource):
                yield Path(project.root, line.requirement.source.path).resolve()
