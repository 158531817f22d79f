"""Where the environment is, in what condition, and which interpreter it has or would get."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.environment.inspection import (
    Absent,
    Broken,
    Environment,
    NotAnEnvironment,
    conflict,
    not_an_environment,
)
from venvman.environment.lifecycle import is_being_replaced, recover_replaced, remove
from venvman.model.cases import assert_never
from venvman.model.errors import (
    Command,
    EnvironmentUnusable,
    GitError,
    InstallError,
    Problem,
    Severity,
)
from venvman.model.frozen import dataclass
from venvman.model.pep508 import Malformed, parse_specifier
from venvman.outcomes import CleanOutcome
from venvman.project.project import leaves_tree
from venvman.project.settings import Origin
from venvman.python.interpreters import choose, fulfils, stand_in
from venvman.python.request import is_other_implementation
from venvman.system.git import try_git
from venvman.system.seal import holds, read, write
from venvman.system.secrets import line_of
from venvman.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from venvman.python.probe import Interpreter
    from venvman.workflow.context import Context

OF_PROJECT = "project"
"""Of which project an environment outside of its work tree is."""
_ADOPTED = "adopted"
"""In the state folder of an environment that venvman did not make, but has synced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """``environment`` is None where one is to be made at ``path``, or made again."""

    path: Path
    interpreter: Interpreter
    environment: Environment | None


def find_location(context: Context, *, recreate: bool = False, held: bool = False) -> Location:
    """Looks at the environment's path, after finishing what a killed run left there.

    Who only looks is told of it instead.

    ``held`` says that the caller holds the environment's lock; else a run that is at work there is
    waited for.

    Raises:
        EnvironmentUnusable: something else is there; an environment that is broken or of another
            Python than asked for, and ``recreate`` is not given; or there is no such Python.
    """
    path = context.environment_path
    if context.looks:
        tell_unfinished(context)
    else:
        try:
            settle(context, held=held)
        except InstallError as error:
            # Whatever it was to finish, the environment is made again.
            if not (recreate and error.code == "journal-unreadable"):
                raise
    found = context.inspect()
    match found:
        case NotAnEnvironment():
            raise not_an_environment(path, found.reason)
        case Absent():
            return Location(path=path, interpreter=interpreter_to_be(context), environment=None)
        case Broken():
            shown = context.project.display(path)
            problem = EnvironmentUnusable(
                f"The environment {shown} is broken.",
                code=f"environment-{found.code}",
                path=shown,
                why=found.reason,
                fix=found.fix,
            )
        case Environment():
            wanted = context.python_request
            why = conflict(found, wanted, directories=context.directories)
            if why is None and not recreate:
                return Location(path=path, interpreter=found.interpreter, environment=found)
            flag = ("--python", wanted.text) if wanted.where == "--python" else ()
            problem = EnvironmentUnusable(
                why or "",
                code="environment-other-python",
                path=context.project.display(path),
                fix=Command.venvman("sync", "--recreate", *flag),
            )
        case _:
            assert_never(found)
    # Before any advice to make it again: there may be no such Python at all.
    interpreter = interpreter_to_be(context)
    if not recreate:
        raise problem
    return Location(path=path, interpreter=interpreter, environment=None)


def tell_unfinished(context: Context) -> None:
    """Warns of what a killed command left of the environment."""
    left = unfinished(context)
    if left is not None:
        context.reporter.problem(left)


def unfinished(context: Context) -> Problem | None:
    """What a killed command left of the environment, for those who only look."""
    from venvman.install.environmentlock import is_unfinished, locked
    from venvman.install.journal import read_journal

    path, directories = context.environment_path, context.directories
    shown = context.project.display(path)
    if is_being_replaced(path):
        with suppress(InstallError), locked(path, directories, wait=0, reporter=context.reporter):
            return _unfinished(shown, f"A command that was making {shown} was stopped.")
        return None
    if not is_unfinished(path, directories=directories, reporter=context.reporter):
        return None
    try:
        read_journal(os.path.realpath(path))
    except InstallError as error:
        return replace(error.problems[0], path=shown, severity=Severity.WARNING)
    return _unfinished(
        shown, f"A command was stopped while it changed {shown}, which is between two states."
    )


def _unfinished(shown: str, message: str) -> Problem:
    return Problem(
        code="sync-unfinished",
        message=message,
        severity=Severity.WARNING,
        path=shown,
        why="The next command that changes the environment finishes or reverts it first.",
        fix=Command.venvman("sync"),
    )


def settle(context: Context, *, held: bool = False) -> None:
    """Finishes or reverts what a killed run left of the environment.

    A run that is at work there is waited for.

    Raises:
        InstallError: it can neither be finished nor reverted at the moment.
    """
    from venvman.install.environmentlock import locked
    from venvman.install.transaction import recover
    from venvman.python.pyvenv import is_environment

    path, directories = context.environment_path, None if held else context.directories
    if is_being_replaced(path):
        with locked(path, directories, wait=-1, reporter=context.reporter):
            recover_replaced(path)
    if is_environment(path):
        recover(path, directories=directories, reporter=context.reporter)


def require_free(context: Context, *, wait: float) -> None:
    """Makes sure that no other command is changing the environment, before any work is done.

    Raises:
        InstallError: one is, and does not end within ``wait`` seconds (``environment-locked``).
    """
    from venvman.install.environmentlock import locked

    path = context.environment_path
    with locked(path, context.directories, wait=wait, reporter=context.reporter):
        pass


def agree_on_location(
    context: Context, *, yes: bool, confirm: Callable[[str], bool] | None
) -> None:
    """Asks before an environment outside of the work tree is touched that only its files name.

    Who pulls a line of ``pyproject.toml``, or a link, did not name it. Asked once: what was agreed
    on is kept in the environment (:func:`note_location`).

    Raises:
        EnvironmentUnusable: nobody agrees (``environment-elsewhere``).
    """
    path = context.environment_path
    if yes or is_ours_to_change(context, path):
        return
    real = os.path.realpath(path)
    said = f"{context.settings.venv.where if context.settings.venv.value else path.name} names it."
    if confirm is not None and confirm(
        f"The environment is {real}, outside of the project. Use it?"
    ):
        return
    raise EnvironmentUnusable(
        f"The environment {real} lies outside of the project and was not agreed on.",
        code="environment-elsewhere",
        path=real,
        why=f"Only {said} It may be another project's.",
        fix=Command.venvman("sync", "--yes"),
    )


def note_location(context: Context, path: Path) -> None:
    """Remembers that the environment at ``path`` is this project's, if nothing else says so."""
    if leaves_tree(path, context.project.root):
        with suppress(OSError):
            write(str(path), OF_PROJECT, os.fsencode(context.project.root))


def is_ours_to_change(context: Context, path: Path) -> bool:
    """Whether the environment at ``path`` lies in the work tree, or was named or agreed on."""
    named = context.settings.venv.origin in {Origin.FLAG, Origin.VARIABLE}
    if named or not leaves_tree(path, context.project.root):
        return True
    try:
        return read(str(path), OF_PROJECT) == os.fsencode(context.project.root)
    except OSError:
        return False


def is_adopted(environment: Environment) -> bool:
    """Whether venvman made ``environment``, or has once made it equal to a lock."""
    return environment.made_by_venvman or holds(str(environment.root), _ADOPTED)


def adopt(context: Context, environment: Environment) -> None:
    """Remembers that ``environment`` is venvman's to keep from now on.

    Where git would list it as new, it ignores itself from now on, as those do that venvman makes.
    """
    if is_adopted(environment):
        return
    with suppress(OSError):
        write(str(environment.root), _ADOPTED, f"venvman {__version__}\n".encode())
        ignore = environment.root / ".gitignore"
        if not ignore.exists() and _is_new_to_git(context):
            ignore.write_text("*\n", encoding="utf-8")


def _is_new_to_git(context: Context) -> bool:
    """Whether nothing says that git is to ignore the environment, and git tracks none of it."""
    path, root = context.environment_path, context.project.root
    if context.project.git_root is None or not path.is_relative_to(root):
        return False
    words = ("--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=normal")
    with suppress(GitError):
        said = try_git(*words, "--", str(path), cwd=root, variables=context.variables)
        return said.stdout.startswith("?? ") and said.stdout.endswith(f"{path.name}/\0")
    return False


def was_left_empty(environment: Environment) -> bool:
    """Whether a run was killed between making ``environment`` and filling it: it lacks its pip."""
    from venvman.environment.ledger import LEDGER

    if not environment.made_by_venvman or (environment.root / LEDGER).exists():
        return False
    return not any(list(folder.glob("pip-*")) for folder in environment.site_folders)


def freezing_interpreter(context: Context) -> Interpreter:
    """The environment's interpreter where it will do, else the one an environment would get.

    Freezing never touches the environment, so whatever is wrong with it does not matter here.

    Raises:
        EnvironmentUnusable: there is no such Python.
    """
    found, wanted = context.sound_environment(), context.python_request
    if found is None or conflict(found, wanted, directories=context.directories) is not None:
        return interpreter_to_be(context)
    return found.interpreter


def own_python(context: Context) -> Path | None:
    """The Python of the project's environment, where builds may use what is installed there."""
    if not context.settings.no_build_isolation.value:
        return None
    found = context.sound_environment()
    return None if found is None else found.python


def clean(context: Context) -> CleanOutcome:
    """Removes the environment of the project.

    Raises:
        EnvironmentUnusable: what is there is not an environment, or venvman itself runs in it.
    """
    from venvman.install.environmentlock import locked

    path = context.environment_path
    with locked(path, context.directories, reporter=context.reporter):
        if not os.path.lexists(path):
            recover_replaced(path)
        if not os.path.lexists(path):
            return CleanOutcome(environment=path, removed=False)
        if not path.is_symlink():  # of a link only the link goes
            agree_on_location(context, yes=False, confirm=None)
        recover_replaced(path)
        remove(path)
    return CleanOutcome(environment=path, removed=True)


def interpreter_to_be(context: Context) -> Interpreter:
    """The interpreter that an environment made now would get.

    Where nobody says which, or only which range, the locks do: they were made with one.

    Raises:
        EnvironmentUnusable: there is no such Python.
    """
    wanted = context.python_request
    if wanted.passed_over is not None:
        text = wanted.passed_over.text
        other = is_other_implementation(text)
        why = "venvman manages CPython" if other else "it names no version of CPython"
        context.reporter.problem(
            Problem(
                code="python-passed-over",
                message=f"{text} is passed over: {why}.",
                severity=Severity.NOTE,
                **line_of(wanted.passed_over),
            )
        )
    for minor in _locked_with(context) if wanted.is_open else ():
        found = stand_in(minor, directories=context.directories, variables=context.variables)
        if found is not None and fulfils(found, wanted, directories=context.directories):
            return found
    found = choose(request=wanted, directories=context.directories, variables=context.variables)
    required = context.settings.requires_python
    if wanted.origin is not None and required.value is not None:
        with suppress(Malformed):
            if not parse_specifier(required.value).contains(found.target.python, prereleases=True):
                said = f"{required.where} {required.value}"
                context.reporter.problem(
                    Problem(
                        code="python-not-allowed",
                        message=f"{wanted.where} asks for Python {wanted.text}, not for {said}.",
                        severity=Severity.WARNING,
                        **line_of(wanted.origin),
                    )
                )
    return found


def _locked_with(context: Context) -> list[tuple[int, int]]:
    """The minor versions that the headers of the locks name, that of ``default`` first."""
    from venvman.workflow.inputs import open_scan

    said = [each.header.minor for each in open_scan(context).sources if each.header]
    versions = [text.split(".")[:2] for text in dict.fromkeys(said) if text]
    return [(int(major), int(minor)) for major, minor in (v for v in versions if len(v) == 2)]
