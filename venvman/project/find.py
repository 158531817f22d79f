"""Projects are found: the one here by walking upwards, those of a workspace downwards."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from venvman.model.errors import Advice, Command, ProjectNotFound
from venvman.model.frozen import dataclass
from venvman.project.project import (
    ENDINGS,
    Project,
    declared_in,
    declares,
    folders_in,
    git_root_of,
    has_sources,
    is_root,
    owner_of,
    project_at,
    requirement_names,
)
from venvman.requirements.naming import FOLDER
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pathspec import GitIgnoreSpec

    from venvman.model.errors import Fix


LOOKED_FOR = (
    "Looked for requirements.in, requirements.txt, files such as requirements-dev.txt, a "
    "requirements folder, and [tool.venvman] in pyproject.toml."
)
"""What makes a folder a project, for messages that say that there is none."""


class Members(NamedTuple):
    """The projects of a workspace, and the folders that were looked at to find them."""

    projects: tuple[Project, ...]
    walked: tuple[Path, ...]


def find_project(start: Path, *, home: Path, explicit: Path | None = None) -> Project:
    """The nearest project at or above ``start``, or above ``explicit`` (``--project``).

    The walk ends with the git root or ``home``, whichever is met first; both are looked at.

    Raises:
        ProjectNotFound: nothing on the way; says where it looked. Or ``explicit`` is no folder.
    """
    if explicit is not None and not (start / explicit).is_dir():
        raise ProjectNotFound(
            f"{explicit} is not a folder.", code="project-not-a-folder", path=explicit.as_posix()
        )
    first = Path(os.path.abspath(start / explicit if explicit else start))  # noqa: PTH100 - keeps links
    looked: list[Path] = []
    for folder in (first, *first.parents):
        looked.append(folder)
        if folder.name != FOLDER and is_root(folder):
            root = owner_of(folder) or folder
            return Project(root=root, git_root=git_root_of(root))
        if folder == home or (folder / ".git").exists():
            break
    error: ProjectNotFound | None = None
    for folder in looked:
        declared = None if folder.name == FOLDER else declared_in(folder / "pyproject.toml")
        if declared is None:
            continue
        # Above projects with files of their own, one that asks for nothing only sets up tools.
        if any(each.requirements for each in declared.groups.values()):
            return project_at(folder)
        error = error or _not_found(looked, home)
        if error.fix != _NAME_ONE:
            return project_at(folder)
    _refuse_broken(looked)
    raise error or _not_found(looked, home)


def _refuse_broken(folders: Iterable[Path]) -> None:
    """Raises a ConfigurationError for a pyproject.toml that nobody can read, nearest first."""
    from venvman.project.settings import parse_toml

    for folder in folders:
        with suppress(OSError):
            content = read_regular(folder / "pyproject.toml")
            if b"project" in content or b"dependency-groups" in content:
                parse_toml(content)


def find_workspace(
    top: Path,
    *,
    variables: Mapping[str, str] | None = None,
    excluded: Callable[[Path], Sequence[str]] = lambda _: (),
    declaring: bool = False,
) -> tuple[Project, ...]:
    """Every project at or below the absolute ``top``, sorted by path; empty where there is none.

    Hidden folders, environments, ``node_modules``, templates (``{{name}}``) and whatever a
    ``.gitignore`` excludes and git does not track are not entered; links to folders are not
    followed, and what a folder only links to is the project that it lies in.

    Args:
        top: where the walk begins.
        variables: the environment to run git with; None asks git nothing.
        excluded: gives for a folder with a pyproject.toml the globs of what below it holds no
            project.
        declaring: a pyproject.toml that says what a project needs makes a folder one, too.
    """
    git_root = git_root_of(top)
    rules = _Rules(_Tracked(git_root, variables), excluded)
    if git_root is not None:
        # Those of the folders above; the walk itself reads the top's.
        for folder in reversed(top.relative_to(git_root).parents):
            rules = rules.inside(git_root / folder)
    roots = [] if top.name == FOLDER else list(_roots_below(top, rules, declaring=declaring))
    return tuple(
        Project(root=root, git_root=git_root_of(root))
        for root in sorted({owner_of(root) or root for root in roots})
    )


def find_members(top: Path, members: Iterable[str], excluded: Iterable[str]) -> Members:
    """The projects in the folders below ``top`` that the globs ``members`` name.

    A pyproject.toml that says what a project needs makes a folder one. What ``excluded``, globs of
    ``.gitignore``, or a link to outside of ``top`` names is none.
    """
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(excluded)
    inside = os.path.realpath(top)
    looked = sorted({each for glob in members for each in top.glob(glob) if each.is_dir()})
    found = (
        each
        for each in looked
        if not spec.match_file(f"{each.relative_to(top).as_posix()}/")
        and not (each / "pyvenv.cfg").is_file()
        and Path(os.path.realpath(each)).is_relative_to(inside)
        and has_sources(each)
    )
    projects = tuple(Project(root=each, git_root=git_root_of(each)) for each in found)
    return Members(projects, (top, *looked, *{each.parent for each in looked}))


def may_hold_workspace(folder: Path, *, home: Path) -> bool:
    """Whether projects below ``folder``, which is none, are likely to be meant by a command there.

    Those of a repository are. Elsewhere not in folders for everything, such as the home folder.
    """
    if not folder.is_dir():
        return False
    if git_root_of(folder) is not None:
        return True
    return not (home.is_relative_to(folder) or len(folder.parts) < 3 or folder.stat().st_mode & 0o2)


_NAME_ONE = Advice("Name one of them with --project, or all of them with --all.")


def _not_found(looked: list[Path], home: Path) -> ProjectNotFound:
    below = find_workspace(looked[0]) if may_hold_workspace(looked[0], home=home) else ()
    if below:
        names = ", ".join(each.root.relative_to(looked[0]).as_posix() for each in below[:5])
        more = f" and {len(below) - 5} more" if len(below) > 5 else ""
        return ProjectNotFound(
            f"There is no requirements file in {looked[0]}, but in folders below.",
            code="project-not-found",
            why=f"Below are {names}{more}.",
            fix=_NAME_ONE,
        )
    where = str(looked[0]) if len(looked) == 1 else f"{looked[0]} or above, up to {looked[-1]}"
    why, fix = instead(looked[0])
    return ProjectNotFound(
        f"There is no requirements file in {where}.", code="project-not-found", why=why, fix=fix
    )


_OTHERS = {
    "uv.lock": "uv",
    "poetry.lock": "Poetry",
    "pdm.lock": "PDM",
    "Pipfile": "Pipenv",
    "environment.yml": "conda",
    "pyproject.toml": None,
    "setup.py": None,
}
"""What says what a project needs where no requirements file does, and who reads it.

None: only a build tells.
"""


def _says(path: Path) -> bool:
    """Whether the file is there; a pyproject.toml may be for tools only."""
    with suppress(OSError):
        content = read_regular(path)
        return path.name != "pyproject.toml" or b"[project]" in content
    return False


def instead(folder: Path) -> tuple[str, Fix]:
    """Why ``folder`` is no project, and what people can do about it."""
    for name, tool in _OTHERS.items():
        if not _says(folder / name):
            continue
        if tool is None:
            return (
                f"There is {name}, and only a build tells what it depends on. {LOOKED_FOR}",
                Command.venvman("add", "-e", folder),
            )
        return (
            f"There is {name}, which is for {tool}. {LOOKED_FOR}",
            Advice(f"Keep to {tool} here, or have `venvman adopt` write requirements files."),
        )
    return LOOKED_FOR, Advice(
        "Name a first package with `venvman add`, or write a requirements file."
    )


class _Tracked:
    """What git tracks although its rules ignore it: the rules are for what it does not track."""

    def __init__(self, root: Path | None, variables: Mapping[str, str] | None) -> None:
        self._root = root
        self._variables = variables

    def __contains__(self, path: Path) -> bool:
        """Whether ``path`` is such a file, or a folder that holds some."""
        return self._root is not None and path in self._paths

    @cached_property
    def _paths(self) -> frozenset[Path]:
        from venvman.model.errors import GitError
        from venvman.system.git import git

        if self._root is None or self._variables is None:
            return frozenset()
        listed = ("-c", "core.fsmonitor=false", "ls-files", "-z", "-c", "-i", "--exclude-standard")
        try:
            said = git(*listed, cwd=self._root, variables=self._variables)
        except GitError:
            return frozenset()
        files = [self._root / name for name in said.split("\0") if name.endswith(_SEEN)]
        return frozenset(files).union(*(file.parents for file in files))


_SEEN = (*ENDINGS, "pyproject.toml")


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is not looked at: by ``.gitignore`` files and by ``exclude`` settings.

    Both outermost first, each with the folder it is in.
    """

    tracked: _Tracked
    excluded: Callable[[Path], Sequence[str]]
    ignored: tuple[tuple[Path, GitIgnoreSpec], ...] = ()
    settings: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    def inside(self, folder: Path) -> _Rules:
        """With the rules that ``folder`` adds."""
        try:
            lines = read_regular(folder / ".gitignore").decode("utf-8", "replace").splitlines()
        except OSError:
            lines = []
        globs = self.excluded(folder)
        if not lines and not globs:
            return self
        from pathspec import GitIgnoreSpec

        ignored = ((folder, GitIgnoreSpec.from_lines(lines)),) if lines else ()
        settings = ((folder, GitIgnoreSpec.from_lines(globs)),) if globs else ()
        return replace(
            self, ignored=(*self.ignored, *ignored), settings=(*self.settings, *settings)
        )

    def excludes(self, path: Path, *, is_folder: bool) -> bool:
        """Whether ``path`` holds no project, whatever is in it."""
        if is_folder and _matches(self.settings, path, is_folder=True):
            return True
        return _matches(self.ignored, path, is_folder=is_folder) and path not in self.tracked


def _matches(layers: Sequence[tuple[Path, GitIgnoreSpec]], path: Path, *, is_folder: bool) -> bool:
    """What the innermost of ``layers`` that speaks of ``path`` says."""
    for base, spec in reversed(layers):
        name = path.relative_to(base).as_posix() + ("/" if is_folder else "")
        result = spec.check_file(name).include
        if result is not None:
            return result
    return False


def _roots_below(folder: Path, rules: _Rules, *, declaring: bool) -> Iterator[Path]:
    rules = rules.inside(folder)
    if folder.name != FOLDER:
        names = [
            name
            for name in requirement_names(folder)
            if not rules.excludes(folder / name, is_folder=False)
        ]
        if is_root(folder, names=names) or (declaring and declares(folder / "pyproject.toml")):
            yield folder
    for child in folders_in(folder):
        if not rules.excludes(child, is_folder=True) and not (child / "pyvenv.cfg").is_file():
            yield from _roots_below(child, rules, declaring=declaring)
