"""Which projects a command is about: the one here, all below, those that a revision concerns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, ConfigurationError, GitError, ProjectNotFound, VenvmanError
from venvman.model.frozen import dataclass
from venvman.project.find import find_members, find_project, find_workspace, may_hold_workspace
from venvman.project.project import Project, has_sources
from venvman.project.settings import WorkspaceSettings, read_settings
from venvman.system.git import commit_of, git, try_git
from venvman.system.reading import text_of
from venvman.workflow.context import home_of, workspace_files
from venvman.workflow.inputs import limits_of, open_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from venvman.workflow.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The projects that a command works on, sorted by path; ``walked`` as in :class:`Context`.

    ``instead`` of one where the user stands, which has no requirements.
    """

    projects: tuple[Project, ...]
    walked: tuple[Path, ...] = ()
    instead: bool = False


def find_projects(
    *, top: Path | None, variables: Mapping[str, str], cwd: Path, workspace: bool
) -> Found:
    """The project at or above ``top`` (None: ``cwd``); with ``workspace`` all at or below it.

    Where the project there has no requirements, or there is none at all, but in folders below:
    those, if they belong together.

    Raises:
        ProjectNotFound: there is none either way.
    """
    folder, home = (cwd / (top or ".")).absolute(), home_of(variables)
    if workspace:
        found = _members(folder, variables)
        return found if found.projects else Found(projects=(find_project(folder, home=home),))
    try:
        here = find_project(cwd, home=home, explicit=top)
    except ProjectNotFound as error:
        if error.code != "project-not-found" or not may_hold_workspace(folder, home=home):
            raise
        found = _members(folder, variables)
        # Whether the projects in ``folder`` are repositories of their own: they only lie
        # together.
        if not found.projects or (
            any(
                each.git_root is not None and each.git_root.is_relative_to(folder)
                for each in found.projects
            )
            and not (folder / ".git").exists()
        ):
            raise
        return replace(found, instead=True)
    if has_sources(here.root):
        return Found(projects=(here,))
    found = _members(here.root, variables)
    below = tuple(each for each in found.projects if each.root != here.root)
    return replace(found, projects=below, instead=True) if below else Found(projects=(here,))


def _members(folder: Path, variables: Mapping[str, str]) -> Found:
    """What ``[tool.venvman.workspace]`` of ``folder`` names; all below it where it names none."""
    walked: list[Path] = []

    def excluded(inside: Path) -> tuple[str, ...]:
        walked.append(inside)
        said = variables if inside == folder else {}
        try:
            settings = read_settings(inside, variables=said)
        except ConfigurationError:  # told where it is a project's
            return ()
        return (*settings.exclude.value, *settings.workspace.value.exclude)

    try:
        workspace = read_settings(folder, variables=variables).workspace.value
    except ConfigurationError:
        if not has_sources(folder):
            raise
        workspace = WorkspaceSettings()  # told where the project's own are
    if workspace.members:
        found, looked = find_members(folder, workspace.members, workspace.exclude)
        return Found(projects=found, walked=looked)
    projects = find_workspace(folder, variables=variables, excluded=excluded) or find_workspace(
        folder, variables=variables, excluded=excluded, declaring=True
    )
    return Found(projects=projects, walked=tuple(dict.fromkeys(walked)))


def changed_since(
    projects: Sequence[Project],
    revision: str,
    *,
    variables: Mapping[str, str],
    opens: Callable[[Project], Context],
) -> tuple[Project, ...]:
    """Those in which a file differs from where this branch left ``revision``, or is new.

    A file of a project in another one's folder is not the other's; a file or folder elsewhere that
    requirements or constraints name, or that says so, counts as one of their own.

    Raises:
        GitError: a project is in no repository, or there is no such revision.
    """
    changed = {
        top: _paths(top, revision, variables) for top in {each.git_root for each in projects}
    }
    roots = {each.root for each in projects}
    return tuple(each for each in projects if _concerns(each, changed[each.git_root], roots, opens))


def _paths(top: Path | None, revision: str, variables: Mapping[str, str]) -> list[Path]:
    """What differs in the work tree ``top``, absolute."""
    if top is None:
        raise GitError(
            "--changed-since needs a git repository, and there is none.", code="git-no-repository"
        )
    commit = commit_of(revision, cwd=top, variables=variables)
    if commit is None:
        raise GitError(
            f"There is no revision {revision} here.",
            code="git-revision-unknown",
            fix=Advice("Fetch it first: a checkout in CI often holds one commit only."),
        )
    base = try_git("merge-base", commit, "HEAD", cwd=top, variables=variables).stdout.strip()
    # A file that went from one project to another concerns both.
    words = ("diff", "--name-only", "--no-renames", "-z")
    known = git(*words, base or commit, cwd=top, variables=variables)
    fresh = git("ls-files", "-z", "--others", "--exclude-standard", cwd=top, variables=variables)
    return [top / name for name in f"{known}{fresh}".split("\0") if name]


def _concerns(
    project: Project,
    changed: Sequence[Path],
    roots: set[Path],
    opens: Callable[[Project], Context],
) -> bool:
    def owner(path: Path) -> Path | None:
        return next((each for each in path.parents if each in roots), None)

    if any(owner(path) == project.root for path in changed):
        return True
    named = list(_named_elsewhere(project, opens))
    return any(path == each or path.is_relative_to(each) for path in changed for each in named)


def _named_elsewhere(project: Project, opens: Callable[[Project], Context]) -> Iterator[Path]:
    """The files that requirements and settings name, and the folders that are installed."""
    from venvman.model.sources import DirectorySource

    try:
        context = opens(project)
        found = open_scan(context)
    except VenvmanError:
        yield project.root  # the command tells what is wrong with it
        return
    for file in found.files:
        yield file.path
        for line in file.parsed.requirements if file.parsed else ():
            if isinstance(line.requirement.source, DirectorySource):
                yield Path(project.root, line.requirement.source.path).resolve()
    for location in limits_of(context):
        if "://" not in location:
            yield Path(project.root, location).resolve()
    for path in workspace_files(project, context.home):
        if "tool.venvman.workspace" in text_of(path):
            yield path
