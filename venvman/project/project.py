"""Project: a folder with requirements files, and what makes a folder one."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import VenvmanError
from venvman.model.frozen import dataclass
from venvman.requirements.naming import FOLDER, group_of, is_constraints, is_pylock, pylock_group
from venvman.system.files import write_together
from venvman.system.reading import read_regular, read_toml
from venvman.system.repository import work_tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from venvman.model.errors import Problem
    from venvman.requirements.declared import Declared


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


def project_at(folder: Path) -> Project:
    """The project that the absolute ``folder`` is, or becomes with its first requirements file."""
    root = Path(os.path.normpath(folder))
    return Project(root=root, git_root=git_root_of(root))


def has_sources(root: Path) -> bool:
    """Whether a file in ``root`` says what a project needs; ``[tool.venvman]`` alone does not."""
    return bool(_made_by(requirement_names(root))) or declares(root / "pyproject.toml")


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
        for each in folders_in(top)
        if each.name != FOLDER and not (each / "pyvenv.cfg").is_file()
    ]
    return tuple(
        (each / name).relative_to(folder).as_posix()
        for each in inner
        for name in _files(each)
        if name.endswith(".txt")
    )


ENDINGS = (".in", ".txt")
_NEVER_ENTERED = frozenset({"node_modules", "__pycache__"})
_TEMPLATE = "{{"  # cookiecutter's, copier's: a name that is filled in elsewhere


def _files(folder: Path, drafts: Iterable[Path] = ()) -> list[str]:
    names = {path.name for path in drafts if path.parent == folder}
    with suppress(OSError), os.scandir(folder) as entries:
        names |= {each.name for each in entries if _is_file_of_ours(each)}
    return sorted(names)


def _is_file_of_ours(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):  # a link to itself
        known = entry.name.endswith(ENDINGS) or is_pylock(entry.name)
        return known and _TEMPLATE not in entry.name and entry.is_file()
    return False


def is_root(folder: Path, *, names: Collection[str] | None = None) -> bool:
    """Whether requirements files, those of ``names``, or ``[tool.venvman]`` are in ``folder``."""
    names = requirement_names(folder) if names is None else names
    return bool(_made_by(names)) or _has_table(folder / "pyproject.toml")


def _made_by(names: Collection[str]) -> list[str]:
    """Those of ``names`` that make a folder a project."""
    return [
        name
        for name in names
        if pylock_group(name) or (group_of(name, beside=names) and not is_constraints(name))
    ]


def owner_of(folder: Path) -> Path | None:
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
    return owner if owner.is_relative_to(top) and is_root(owner) else None


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


def declares(path: Path) -> bool:
    """Whether the pyproject.toml says what a project needs."""
    return declared_in(path) is not None


def declared_in(path: Path) -> Declared | None:
    """What the pyproject.toml says that a project needs; None where it is for tools only."""
    from venvman.requirements.declared import read_declared

    try:
        return read_declared(read_regular(path).decode())
    except (OSError, ValueError):
        return None


def folders_in(folder: Path) -> list[Path]:
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
