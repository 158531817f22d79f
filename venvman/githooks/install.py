"""Our hooks put in and taken out; those that were there first are kept, and run first."""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.githooks import script
from venvman.githooks.managers import (
    LEFTHOOK,
    LEFTHOOK_LOCAL,
    is_called,
    is_lefthook,
    left_alone,
    put_into_lefthook,
    shared_folder,
)
from venvman.githooks.repository import (
    EXCLUDED,
    HookedProject,
    Repository,
    hook_text,
    repository_around,
)
from venvman.githooks.script import EARLIER, HookMode, HookName
from venvman.githooks.status import HooksReport, report_of
from venvman.model.errors import Advice, GitError, Problem, Severity
from venvman.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def install_hooks(
    roots: Sequence[Path], *, mode: HookMode, variables: Mapping[str, str]
) -> HooksReport:
    """Puts all hooks in for the projects at ``roots``, which share a repository.

    Doing it again changes the mode of these projects, and which venvman is started. Hooks of
    others stay and are run first; one that git tracks is left alone, since a tracked file is never
    changed, and named in the report's problems.

    Raises:
        GitError: no work tree, no git, a hooks folder outside the repository, or one that cannot
            be written.
    """
    repository = repository_around(roots[0], variables)
    if repository.is_shared:
        raise shared_folder(repository)
    known = {each.path: each for each in repository.projects}
    for root in roots:
        path = repository.shown(Path(root).resolve())
        known[path] = HookedProject(path=path, mode=mode)
    try:
        problems = tuple(_put_all(repository))
        repository.keep(known.values())
    except OSError as error:
        if not repository.projects:
            with suppress(OSError):
                _take_all_out(repository)
        raise GitError(
            f"The hooks in {repository.folder} could not be written.",
            code="git-hooks-unwritable",
            path=str(error.filename or repository.folder),
            why=error.strerror,
            fix=Advice("Make the folder writable, or move away what stands in a hook's place."),
        ) from error
    return replace(report_of(repository), problems=problems)


def uninstall_hooks(root: Path, *, variables: Mapping[str, str]) -> HooksReport:
    """Takes the project at ``root`` off the list, and with the last one our hooks out.

    Of a folder that is not on the list, all are taken off. What our hooks replaced is put back;
    what others wrote into them stays.

    Raises:
        GitError: no work tree, or no git.
    """
    repository = repository_around(root, variables)
    path = repository.shown(Path(root).resolve())
    before = repository.projects
    left = [each for each in before if each.path != path]
    if left and len(left) < len(before):
        repository.keep(left)
        return report_of(repository)
    _take_all_out(repository)
    return report_of(repository)


def _write_hook(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode("utf-8", "surrogateescape"))
    path.chmod(0o755)


def _take_all_out(repository: Repository) -> None:
    # core.hooksPath may have been set, by husky say, after ours were put into git's own folder.
    for each in {repository.folder, repository.common / "hooks"}:
        there = replace(repository, folder=each)
        for name in HookName:
            for path in there.paths(name):
                _take_out(there, name, path)
        _tidy(there)
    file = repository.top / LEFTHOOK_LOCAL
    if LEFTHOOK in hook_text(file):
        file.unlink()


def _put_all(repository: Repository) -> Iterator[Problem]:
    repository.folder.mkdir(parents=True, exist_ok=True)
    for name in HookName:
        path = next(repository.paths(name))
        if path.is_dir():  # before anything is written
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    guests = [name for name in HookName if is_lefthook(repository, name)]
    if guests:
        for name in guests:
            for path in repository.paths(name):
                _take_out(repository, name, path)
            # Ours lie in the git folder; lefthook's local file runs them there.
            _write_hook(repository.data / name.value, script.render(name))
        yield from put_into_lefthook(repository, guests)
    for name in HookName:
        if name in guests:
            continue
        problem = left_alone(repository, name)
        if problem is not None:
            yield problem
        elif not is_called(repository, name, hook_text(path := next(repository.paths(name)))):
            yield from _put(repository, name, path)


def _put(repository: Repository, name: HookName, path: Path) -> Iterator[Problem]:
    text = hook_text(path)
    if script.is_ours(text):
        _write_hook(path, script.render(name, script.without_ours(text)))
        _adopt_format_1(repository, name)
        return
    legacy = path.with_name(f"{name.value}.legacy")
    if script.is_calling_legacy(text) and script.is_ours(hook_text(legacy)):
        around = script.without_ours(hook_text(legacy))
        _write_hook(legacy, script.render(name, around))
        _adopt_format_1(repository, name)
        return
    if os.path.lexists(path):
        yield from _set_aside(repository, name, path)
    _write_hook(path, script.render(name))
    if not path.is_relative_to(repository.common):
        repository.exclude(path)


def _set_aside(repository: Repository, name: HookName, path: Path) -> Iterator[Problem]:
    """The foreign hook moves before ours is there: a stop in between loses neither."""
    kept = repository.earlier / name.value
    repository.earlier.mkdir(exist_ok=True)
    if not repository.earlier.is_relative_to(repository.common):
        repository.exclude(repository.earlier)
    if os.path.lexists(kept):
        number = 1
        while os.path.lexists(kept.with_name(f"{name.value}.{number}")):
            number += 1
        before = kept.with_name(f"{name.value}.{number}")
        kept.rename(before)
        yield Problem(
            code="git-hook-replaced",
            message=f"Another {name.value} hook has taken the place of one that was here first.",
            severity=Severity.WARNING,
            path=str(before),
            why="The older one is kept there, and is not run.",
        )
    path.rename(kept)
    legacy = repository.folder / f"{name.value}.legacy"
    if os.path.lexists(legacy):
        # What pre-commit or prek runs first, and looks for beside itself.
        legacy.rename(repository.earlier / legacy.name)
    # What hooks find beside themselves (shared functions, folders of parts) stays beside them.
    hooks = {each.value for each in HookName}
    for entry in repository.folder.iterdir():
        link = repository.earlier / entry.name
        if entry.suffix != ".sample" and entry.stem not in hooks and not os.path.lexists(link):
            # ``name`` of the hooks folder, from the folder of the hooks that were there first.
            link.symlink_to(Path("..") / repository.folder.name / entry.name)


def _adopt_format_1(repository: Repository, name: HookName) -> None:
    """Hooks that were kept as ``NAME.before-venvman`` go where they are kept now."""
    old = repository.folder / f"{name.value}{EARLIER}"
    if os.path.lexists(old):
        repository.earlier.mkdir(exist_ok=True)
        old.rename(repository.earlier / name.value)


def _take_out(repository: Repository, name: HookName, path: Path) -> None:
    text = hook_text(path)
    if not script.is_ours(text):
        return
    _adopt_format_1(repository, name)
    kept, kept_legacy = (repository.earlier / each for each in (name.value, f"{name.value}.legacy"))
    if path.suffix == ".legacy" and script.is_calling_legacy(hook_text(kept)):
        # pre-commit or prek stands in its place again: only what it kept is to be put back.
        kept.unlink()
        kept = kept_legacy
    around = script.without_ours(text)
    if around:
        mode = path.stat().st_mode
        write_atomically(path, around.encode("utf-8", "surrogateescape"))
        path.chmod(mode)
    elif os.path.lexists(kept) and path.parent == repository.folder:
        kept.replace(path)
    else:
        path.unlink()
    if os.path.lexists(kept_legacy):
        kept_legacy.rename(repository.folder / kept_legacy.name)


def _tidy(repository: Repository) -> None:
    """Removes what only our hooks needed."""
    with suppress(OSError):
        for entry in repository.earlier.iterdir():
            if entry.is_symlink() and str(entry.readlink()).startswith(
                f"../{repository.folder.name}/"
            ):
                entry.unlink()
        repository.earlier.rmdir()
    for file in ("projects.json", "program", *(each.value for each in HookName)):
        (repository.data / file).unlink(missing_ok=True)
    with suppress(OSError):
        repository.data.rmdir()
    exclude = repository.common / "info" / "exclude"
    text = hook_text(exclude)
    left = re.sub(rf"^{EXCLUDED}\n.*\n", "", text, flags=re.MULTILINE)
    if left != text:
        write_atomically(exclude, left.encode("utf-8", "surrogateescape"))
