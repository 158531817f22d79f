"""Where the environment is, in what condition, and which interpreter it has or would get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from venvman.cases import assert_never
from venvman.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.inspection import Environment
    from venvman.interpreters import Interpreter
    from venvman.workflow.context import Context

__all__ = ["Place", "clean_place", "find_place"]


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
    from venvman.interpreters import wish_of

    path = locate(context.project, context.settings)
    recover_replaced(path)
    found = inspect(path, directories=context.directories)
    wish = wish_of(context.project, context.settings, cwd=context.cwd)
    match found:
        case Absent():
            return Place(path=path, interpreter=_choose(context), environment=None)
        case NotAnEnvironment(reason=reason):
            raise not_an_environment(path, reason)
        case Broken(reason=reason, code=code, fix=fix):
            if not recreate:
                raise EnvironmentUnusable(
                    reason, code=f"environment-{code}", path=context.project.display(path), fix=fix
                )
            return Place(path=path, interpreter=_choose(context), environment=None, occupied=True)
        case Environment():
            why = conflict(found, wish, directories=context.directories)
            if recreate:
                return Place(
                    path=path, interpreter=_choose(context), environment=None, occupied=True
                )
            if why is not None:
                raise EnvironmentUnusable(
                    why,
                    code="environment-other-python",
                    path=context.project.display(path),
                    fix="venvman sync --recreate",
                )
            return Place(path=path, interpreter=found.interpreter, environment=found)
        case _:
            assert_never(found)


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


def _choose(context: Context) -> Interpreter:
    from venvman.interpreters import choose, wish_of

    wish = wish_of(context.project, context.settings, cwd=context.cwd)
    return choose(wish=wish, directories=context.directories, variables=context.variables)
