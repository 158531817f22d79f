"""Options and arguments as the commands declare them, without typer.

A command's signature is read twice: by :mod:`venvman.cli.typed`, which makes typer's options of it,
and by :mod:`venvman.cli.plain`, which understands plain lines without importing typer (and
pydantic, which typer imports: a tenth of a second that most command lines can do without).
"""

from __future__ import annotations

from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Argument", "Option", "declaration_of", "kind_of", "parameters_of"]


class Option:
    """A named option: ``Option("--python", metavar="VERSION", help="...")``.

    ``spellings`` are as typer takes them: ``--sync/--no-sync`` is a flag and its opposite.
    ``panel`` is the heading that the help shows it under, ``minimum`` the least number it takes.
    """

    __slots__ = ("help", "metavar", "minimum", "panel", "show_default", "spellings")

    def __init__(
        self,
        *spellings: str,
        help: str,  # noqa: A002 - the word that everyone looks for
        metavar: str | None = None,
        show_default: bool = True,
        panel: str | None = None,
        minimum: int | None = None,
    ) -> None:
        self.spellings = spellings
        self.help = help
        self.metavar = metavar
        self.show_default = show_default
        self.panel = panel
        self.minimum = minimum


class Argument:
    """A word, or all the words, that are no options."""

    __slots__ = ("help", "metavar", "minimum", "show_default")

    def __init__(
        self,
        *,
        help: str,  # noqa: A002 - the word that everyone looks for
        metavar: str | None = None,
        show_default: bool = True,
        minimum: int | None = None,
    ) -> None:
        self.help = help
        self.metavar = metavar
        self.show_default = show_default
        self.minimum = minimum


# Command modules may import these for type checkers alone; only their options are looked at.
_FOR_TYPE_CHECKERS = {"Session": object, "Result": object}


def parameters_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The options of a command function, its session left out, their annotations evaluated."""
    # Not get_type_hints: on Python 3.10 it hides an annotation whose default is None.
    written = signature(function, locals=_FOR_TYPE_CHECKERS, eval_str=True)
    return tuple(each for name, each in written.parameters.items() if name != "session")


def kind_of(parameter: Parameter) -> Any:  # noqa: ANN401 - a type, as annotations have them
    """The type of its values: ``bool``, ``str | None``, ``list[str] | None``, an enumeration."""
    return get_args(parameter.annotation)[0]


def declaration_of(parameter: Parameter) -> Option | Argument:
    """How it is spelled and explained."""
    declaration: Option | Argument = get_args(parameter.annotation)[1]
    return declaration
