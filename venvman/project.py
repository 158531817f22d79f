"""Project: a folder with requirements files, found by walking upwards (DESIGN 4.1)."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from venvman.errors import Advice, ProjectNotFound, VenvmanError
from venvman.files import write_together
from venvman.frozen import dataclass
from venvman.naming import FOLDER, group_of, is_constraints, is_pylock, pylock_group
from venvman.reading import read_regular, read_toml
from venvman.repository import work_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pathspec import GitIgnoreSpec

    from venvman.errors import Problem
    from venvman.requirements.declared import Declared

LOOKED_FOR = (
    "Looked for requirements.in, requirements.txt, files such as requirements-dev.txt, a "
    "requirements folder, and [tool.venvman] in pyproject.toml."
)
"""What makes a folder a project, for messages that say that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """``root`` is absolute; ``git_root`` is the work tree that holds it, None outside git.

    ``drafts`` are files as they shall be, by absolute path: read as if they were there, and put in
    place by :meth:`write`.
    """

    root: Path
    git_root: Path | None = None
    drafts: Mapping[Path, bytes] = field(default_factory=dict, compare=False, repr=False)

    def read(self, path: Path, *, first: int | None = None) -> bytes:
        """The draft of the absolute ``path``, else what :func:`read_regular` reads."""
        draft = self.drafts.get(path)
        return read_regular(path, first=first) if draft is None else draft[:first]

    def write(self, contents: Mapping[Path, bytes]) -> None:
        """Puts the drafts and ``contents`` in place, all or none.

        Raises:
            VenvmanError: ``file-unwritable``.
        """
        try:
            for path in self.drafts:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_together({**self.drafts, **contents})
        except OSError as error:
            shown = self.display(Path(os.fsdecode(error.filename)))
            raise VenvmanError(
                f"{shown} could not be written.",
                code="file-unwritable",
                path=shown,
                why=f"{error.strerror or error}. Everything is as it was.",
            ) from error

    def display(self, path: Path) -> str:
        """``path`` as people and JSON see it: POSIX, relative to the root, absolute outside it."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


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
        if folder.name != FOLDER and _is_root(folder):
            root = _owner(folder) or folder
            return Project(root=root, git_root=git_root_of(root))
        if folder == home or (folder / ".git").exists():
            break
    error: ProjectNotFound | None = None
    for folder in looked:
        declared = None if folder.name == FOLDER else _declared(folder / "pyproject.toml")
        if declared is None:
            continue
        # Above projects with files of their own, one that asks for nothing only sets up tools.
        if any(each.requirements for each in declared.groups.values()):
            return project_at(folder)
        error = error or _not_found(looked, home)
        if error.fix != _NAME_ONE:
            return project_at(folder)
    raise error or _not_found(looked, home)


def project_at(folder: Path) -> Project:
    """The project that the absolute ``folder`` is, or becomes with its first requirements file."""
    root = Path(os.path.normpath(folder))
    return Project(root=root, git_root=git_root_of(root))


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
        for root in sorted({_owner(root) or root for root in roots})
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


def has_sources(root: Path) -> bool:
    """Whether a file in ``root`` says what a project needs; ``[tool.venvman]`` alone does not."""
    return bool(_made_by(requirement_names(root))) or _declares(root / "pyproject.toml")


def may_hold_workspace(folder: Path, *, home: Path) -> bool:
    """Whether projects below ``folder``, which is none, are likely to be meant by a command there.

    Those of a repository are. Elsewhere not in folders for everything, such as the home folder.
    """
    if not folder.is_dir():
        return False
    if git_root_of(folder) is not None:
        return True
    return not (home.is_relative_to(folder) or len(folder.parts) < 3 or folder.stat().st_mode & 0o2)


def requirement_names(folder: Path, *, drafts: Iterable[Path] = ()) -> tuple[str, ...]:
    """The ``.in`` and ``.txt`` files in ``folder`` and in its ``requirements/``, sorted, POSIX.

    And those of PEP 751 in ``folder``. ``drafts`` count as being there.

    Unreadable folders count as empty; a link to another project's ``requirements/`` does, too,
    beside files of the folder's own.
    """
    own = _files(folder, drafts)
    below = _files(folder / FOLDER, drafts)
    inner = [f"{FOLDER}/{name}" for name in below if not is_pylock(name)]
    if inner and (folder / FOLDER).is_symlink() and _made_by(own):
        inner = [] if _owner_of([folder / inner[0]], folder) else inner
    return (*own, *inner)


def names_below(folder: Path) -> tuple[str, ...]:
    """The ``.txt`` files one folder below ``folder`` or its ``requirements/``: locks, maybe."""
    tops = [each for each in (folder, folder / FOLDER) if not each.is_symlink() or each == folder]
    inner = [
        each
        for top in tops
        for each in _folders(top)
        if each.name != FOLDER and not (each / "pyvenv.cfg").is_file()
    ]
    return tuple(
        (each / name).relative_to(folder).as_posix()
        for each in inner
        for name in _files(each)
        if name.endswith(".txt")
    )


_ENDINGS = (".in", ".txt")
_NEVER_ENTERED = frozenset({"node_modules", "__pycache__"})
_TEMPLATE = "{{"  # cookiecutter's, copier's: a name that is filled in elsewhere


def _files(folder: Path, drafts: Iterable[Path] = ()) -> list[str]:
    names = {path.name for path in drafts if path.parent == folder}
    with suppress(OSError), os.scandir(folder) as entries:
        names |= {each.name for each in entries if _is_file_of_ours(each)}
    return sorted(names)


def _is_file_of_ours(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):  # a link to itself
        known = entry.name.endswith(_ENDINGS) or is_pylock(entry.name)
        return known and _TEMPLATE not in entry.name and entry.is_file()
    return False


def _is_root(folder: Path, *, names: Collection[str] | None = None) -> bool:
    names = requirement_names(folder) if names is None else names
    return bool(_made_by(names)) or _has_table(folder / "pyproject.toml")


def _made_by(names: Collection[str]) -> list[str]:
    """Those of ``names`` that make a folder a project."""
    return [
        name
        for name in names
        if pylock_group(name) or (group_of(name, beside=names) and not is_constraints(name))
    ]


def _owner(folder: Path) -> Path | None:
    """The project that ``folder`` has nothing but links to; None where it is one by itself."""
    names = _made_by(requirement_names(folder))
    linked = (folder / FOLDER).is_symlink()
    if not names or not all(
        (folder / name).is_symlink() or (linked and name.startswith(f"{FOLDER}/")) for name in names
    ):
        return None
    if _has_table(folder / "pyproject.toml"):
        return None
    return _owner_of([folder / name for name in names], folder)


def _owner_of(files: Sequence[Path], folder: Path) -> Path | None:
    """The one other project of the same repository where all of ``files`` really lie."""
    parents = {Path(os.path.realpath(file)).parent for file in files}
    owners = {parent.parent if parent.name == FOLDER else parent for parent in parents}
    here = Path(os.path.realpath(folder))
    top = git_root_of(here) or here.parent
    if len(owners) != 1 or here in owners:
        return None
    owner = next(iter(owners))
    return owner if owner.is_relative_to(top) and _is_root(owner) else None


def leaves_tree(path: Path, root: Path) -> bool:
    """Whether ``path``, links followed, lies outside of the work tree that the project is part of.

    Who wrote a project's files may name any file of this machine: what it holds is not theirs to
    see, in the log of a build for example.
    """
    tree = git_root_of(root) or root
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(tree))


def unseen(problem: Problem) -> Problem:
    """``problem`` without the text that it is about: its path, and what kind it is."""
    line = "" if problem.line is None else f"Line {problem.line} of "
    message = f"{line}{problem.path or 'a file'} cannot be used ({problem.code})."
    why = "The file lies outside of the project, so that nothing of it is shown."
    return replace(problem, message=message, text=None, why=why)


def _has_table(path: Path) -> bool:
    """Whether the file has ``[tool.venvman]``; broken TOML that speaks of it counts as having it.

    The settings then say what is wrong with it.
    """
    try:
        content = read_regular(path)
    except OSError:
        return False
    if b"venvman" not in content:
        return False
    try:
        return "venvman" in read_toml(content.decode()).get("tool", {})
    except ValueError:
        return b"tool.venvman" in content


def git_root_of(folder: Path) -> Path | None:
    """The nearest folder upwards that has a ``.git``."""
    tree = work_tree(str(folder))
    return None if tree is None else Path(tree)


def _declares(path: Path) -> bool:
    return _declared(path) is not None


def _declared(path: Path) -> Declared | None:
    """What the pyproject.toml says that a project needs; None where it is for tools only."""
    from venvman.requirements.declared import read_declared

    try:
        return read_declared(read_regular(path).decode())
    except (OSError, ValueError):
        return None


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
    "pyproject.toml": "its build backend",
}
"""What says what a project needs where no requirements file does, and who reads it."""


def _says(path: Path) -> bool:
    """Whether the file is there; a pyproject.toml may be for tools only."""
    with suppress(OSError):
        content = read_regular(path)
        return path.name != "pyproject.toml" or b"[project]" in content
    return False


def instead(folder: Path) -> tuple[str, Advice]:
    """Why ``folder`` is no project, and what people can do about it."""
    for name, tool in _OTHERS.items():
        if _says(folder / name):
            return (
                f"There is {name}, which is for {tool}. {LOOKED_FOR}",
                Advice(
                    f"Keep to {tool} here, or write requirements files beside {name}."
                    if name == "pyproject.toml"
                    else f"Keep to {tool} here, or have `venvman adopt` write requirements files."
                ),
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
        from venvman.errors import GitError
        from venvman.git import git

        if self._root is None or self._variables is None:
            return frozenset()
        listed = ("-c", "core.fsmonitor=false", "ls-files", "-z", "-c", "-i", "--exclude-standard")
        try:
            said = git(*listed, cwd=self._root, variables=self._variables)
        except GitError:
            return frozenset()
        files = [self._root / name for name in said.split("\0") if name.endswith(_SEEN)]
        return frozenset(files).union(*(file.parents for file in files))


_SEEN = (*_ENDINGS, "pyproject.toml")


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
        if _is_root(folder, names=names) or (declaring and _declares(folder / "pyproject.toml")):
            yield folder
    for child in _folders(folder):
        if not rules.excludes(child, is_folder=True) and not (child / "pyvenv.cfg").is_file():
            yield from _roots_below(child, rules, declaring=declaring)


def _folders(folder: Path) -> list[Path]:
    """Those that may hold projects: not hidden, no templates, no links."""
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path)
                for entry in sorted(entries, key=lambda each: each.name)
                if not entry.name.startswith(".")
                and entry.name not in _NEVER_ENTERED
                and _TEMPLATE not in entry.name
                and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
