"""Where the environment is, in what condition, and which interpreter it has or would get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvman.cases import assert_never
from venvman.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.inspection import Broken, Environment
    from venvman.interpreters import Interpreter
    from venvman.workflow.context import Context

__all__ = ["Place", "clean_place", "find_place", "freezing_interpreter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``environment`` is None where one is to be made at ``path``.

    ``occupied`` says that an environment which cannot or shall not be used lies there: it is to be
    made again.
    """

    path: Path
    interpreter: Interpreter
    environment: Environment | None
    occupied: bool = False


def find_place(context: Context, *, recreate: bool = False) -> Place:
    """Looks at the environment's place, after finishing what a killed run left there.

    Raises:
        EnvironmentUnusable: something else is there; or an environment that is broken or of
            another Python than wished for, and ``recreate`` is not given.
    """
    from venvman.environment import locate, recover_replaced
    from venvman.inspection import (
        Absent,
        Broken,
        Environment,
        NotAnEnvironment,
        conflict,
        inspect,
        not_an_environment,
    )
    from venvman.install.transaction import recover
    from venvman.interpreters import wish_of

    path = locate(context.project, context.settings)
    recover_replaced(path)
    found = inspect(path, directories=context.directories)
    wish = wish_of(context.project, context.settings, cwd=context.cwd)
    if isinstance(found, Environment):
        recover(path, directories=context.directories)
    match found:
        case NotAnEnvironment():
            raise not_an_environment(path, found.reason)
        case Absent():
            return Place(path=path, interpreter=_choose(context), environment=None)
        case Broken():
            problem = _broken(context, found)
        case Environment():
            why = conflict(found, wish, directories=context.directories) or ""
            if not why and not recreate:
                return Place(path=path, interpreter=found.interpreter, environment=found)
            problem = _other_python(context, path, why)
        case _:
            assert_never(found)
    if not recreate:
        raise problem
    return Place(path=path, interpreter=_choose(context), environment=None, occupied=True)


def freezing_interpreter(context: Context) -> Interpreter:
    """The environment's interpreter where it will do, else the one an environment would get.

    Freezing never touches the environment, so whatever is wrong with it does not matter here.

    Raises:
        EnvironmentUnusable: there is no such Python.
    """
    from venvman.environment import locate
    from venvman.inspection import Environment, conflict, inspect
    from venvman.interpreters import wish_of

    path = locate(context.project, context.settings)
    found = inspect(path, directories=context.directories)
    wish = wish_of(context.project, context.settings, cwd=context.cwd)
    if not isinstance(found, Environment):
        return _choose(context)
    if conflict(found, wish, directories=context.directories) is not None:
        return _choose(context)
    return found.interpreter


def clean_place(context: Context) -> tuple[Path, bool]:
    """Removes the environment; its path, and whether there was one.

    Raises:
        EnvironmentUnusable: what is there is not an environment.
    """
    import os

    from venvman.environment import locate, recover_replaced, remove

    path = locate(context.project, context.settings)
    recover_replaced(path)
    if not os.path.lexists(path):
        return path, False
    remove(path)
    return path, True


def _broken(context: Context, found: Broken) -> EnvironmentUnusable:
    return EnvironmentUnusable(
        found.reason,
        code=f"environment-{found.code}",
        path=context.project.display(found.path),
        fix=found.fix,
    )


def _other_python(context: Context, path: Path, why: str) -> EnvironmentUnusable:
    return EnvironmentUnusable(
        why,
        code="environment-other-python",
        path=context.project.display(path),
        fix="venvman sync --recreate",
    )


def _choose(context: Context) -> Interpreter:
    from venvman.interpreters import choose, wish_of

    wish = wish_of(context.project, context.settings, cwd=context.cwd)
    return choose(wish=wish, directories=context.directories, variables=context.variables)
