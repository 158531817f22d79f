"""Project: a folder with requirements files, found by walking upwards (DESIGN 4.1)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import Advice, ProjectNotFound
from venvman.frozen import dataclass
from venvman.naming import FOLDER, group_of, is_constraints
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pathspec import GitIgnoreSpec

    from venvman.errors import Problem

__all__ = [
    "LOOKED_FOR",
    "Project",
    "find_project",
    "find_workspace",
    "leaves_tree",
    "project_at",
    "requirement_names",
    "unseen",
]

LOOKED_FOR = (
    "Looked for requirements.in, requirements.txt, files such as requirements-dev.txt, a "
    "requirements folder, and [tool.venvman] in pyproject.toml."
)
"""What makes a folder a project, for messages that say that there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """``root`` is absolute; ``git_root`` is the work tree that holds it, None outside git."""

    root: Path
    git_root: Path | None = None

    def display(self, path: Path) -> str:
        """``path`` as people and JSON see it: POSIX, relative to the root, absolute outside it."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.as_posix()


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
            return Project(root=folder, git_root=_git_root(folder))
        if folder == home or (folder / ".git").exists():
            break
    raise _not_found(looked)


def project_at(folder: Path) -> Project:
    """The project that the absolute ``folder`` is, or becomes with its first requirements file."""
    root = Path(os.path.normpath(folder))
    return Project(root=root, git_root=_git_root(root))


def find_workspace(top: Path) -> tuple[Project, ...]:
    """Every project at or below the absolute ``top``, sorted by path; empty where there is none.

    Environments, ``node_modules``, ``.git`` and whatever a ``.gitignore`` excludes are not entered;
    links to folders are not followed.
    """
    git_root = _git_root(top)
    ignore = _Ignore()
    if git_root is not None:
        # Those of the folders above; the walk itself reads the top's.
        for folder in reversed(top.relative_to(git_root).parents):
            ignore = ignore.inside(git_root / folder)
    roots = [] if top.name == FOLDER else list(_roots_below(top, ignore))
    return tuple(
        Project(root=root, git_root=_git_root(root, known=git_root, top=top))
        for root in sorted(roots)
    )


def requirement_names(folder: Path) -> tuple[str, ...]:
    """The ``.in`` and ``.txt`` files in ``folder`` and in its ``requirements/``, sorted, POSIX.

    Unreadable folders count as empty.
    """
    inner = (f"{FOLDER}/{name}" for name in _files(folder / FOLDER))
    return (*_files(folder), *inner)


_ENDINGS = (".in", ".txt")
_NEVER_ENTERED = frozenset({".git", "node_modules", "__pycache__", ".hg", ".svn"})


def _files(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if e.name.endswith(_ENDINGS) and e.is_file())
    except OSError:
        return []


def _is_root(folder: Path, *, names: Collection[str] | None = None) -> bool:
    names = requirement_names(folder) if names is None else names
    named = any(group_of(name, beside=names) and not is_constraints(name) for name in names)
    return named or _has_table(folder / "pyproject.toml")


def leaves_tree(path: Path, root: Path) -> bool:
    """Whether ``path``, links followed, lies outside of the work tree that the project is part of.

    Who wrote a project's files may name any file of this machine: what it holds is not theirs to
    see, in the log of a build for example.
    """
    tree = _git_root(root) or root
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(tree))


def unseen(problem: Problem) -> Problem:
    """``problem`` without the text that it is about: its place, and what kind it is."""
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
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return "venvman" in tomllib.loads(content.decode()).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return b"tool.venvman" in content


def _git_root(folder: Path, *, known: Path | None = None, top: Path | None = None) -> Path | None:
    """The nearest folder upwards that has a ``.git``; ``known`` is the answer from ``top`` on."""
    for candidate in (folder, *folder.parents):
        if top is not None and candidate == top:
            return known
        if (candidate / ".git").exists():
            return candidate
    return None


def _not_found(looked: list[Path]) -> ProjectNotFound:
    below = find_workspace(looked[0]) if (looked[-1] / ".git").exists() else ()
    if below:
        names = ", ".join(each.root.relative_to(looked[0]).as_posix() for each in below[:5])
        more = f" and {len(below) - 5} more" if len(below) > 5 else ""
        return ProjectNotFound(
            f"There is no requirements file in {looked[0]}, but in folders below.",
            code="project-not-found",
            why=f"Below are {names}{more}.",
            fix=Advice("Name one of them with --project, or all of them with --all."),
        )
    where = str(looked[0]) if len(looked) == 1 else f"{looked[0]} or above, up to {looked[-1]}"
    return ProjectNotFound(
        f"There is no requirements file in {where}.",
        code="project-not-found",
        why=LOOKED_FOR,
        fix=Advice("Name a first package with `venvman add`, or write a requirements file."),
    )


@dataclass(frozen=True, slots=True)
class _Ignore:
    """The ``.gitignore`` files in force, outermost first, each with the folder it is in."""

    layers: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    def inside(self, folder: Path) -> _Ignore:
        try:
            lines = read_regular(folder / ".gitignore").decode("utf-8", "replace").splitlines()
        except OSError:
            return self
        from pathspec import GitIgnoreSpec

        return _Ignore((*self.layers, (folder, GitIgnoreSpec.from_lines(lines))))

    def excludes(self, path: Path, *, is_folder: bool) -> bool:
        for base, spec in reversed(self.layers):
            name = path.relative_to(base).as_posix() + ("/" if is_folder else "")
            verdict = spec.check_file(name).include
            if verdict is not None:
                return verdict
        return False


def _roots_below(folder: Path, ignore: _Ignore) -> Iterator[Path]:
    ignore = ignore.inside(folder)
    if folder.name != FOLDER:
        names = [
            name
            for name in requirement_names(folder)
            if not ignore.excludes(folder / name, is_folder=False)
        ]
        if _is_root(folder, names=names):
            yield folder
    for child in _folders(folder):
        if not ignore.excludes(child, is_folder=True) and not (child / "pyvenv.cfg").is_file():
            yield from _roots_below(child, ignore)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path)
                for entry in sorted(entries, key=lambda each: each.name)
                if entry.name not in _NEVER_ENTERED and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []
