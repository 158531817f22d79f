"""Plain command lines, understood without typer.

Typer with all that it imports takes longer than most commands do. A line of known options, spelled
out, means the same to every parser, so it is read here, from the declarations that typer reads
too; whatever is not plain (help, completion, mistakes, short options written together) is typer's.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from venvman.cli.commands import ALIASES, COMMANDS, GROUPS, PASSING, load
from venvman.cli.declared import Argument, declaration_of, kind_of, parameters_of
from venvman.cli.options import common_parameters
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from inspect import Parameter

    from venvman.report.result import Result

__all__ = ["PlainLine", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainLine:
    """A command and the values given to it by name; what was not given has its default."""

    function: Callable[..., Result]
    values: dict[str, Any]


class _NotPlain(Exception):
    """The line needs typer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grammar:
    """What a command takes: flags with their values, options with theirs, and words."""

    flags: dict[str, tuple[str, bool]] = field(default_factory=dict)
    valued: dict[str, Parameter] = field(default_factory=dict)
    words: Parameter | None = None
    passing: bool = False


def read(line: Sequence[str]) -> PlainLine | None:
    """What ``line`` (without the program's name) asks for; None if typer must read it."""
    named = _command(line)
    if named is None:
        return None
    place, rest, passing = named
    function = load(place)
    parameters = _parameters(function)
    try:
        values = _read(rest, _grammar(parameters, passing=passing))
    except _NotPlain:
        return None
    required = {each.name for each in parameters if each.default is each.empty}
    return None if required - values.keys() else PlainLine(function=function, values=values)


def _command(line: Sequence[str]) -> tuple[str, Sequence[str], bool] | None:
    if not line:
        return None
    first = ALIASES.get(line[0], line[0])
    if first in COMMANDS:
        return COMMANDS[first], line[1:], first in PASSING
    _, members = GROUPS.get(first, ("", {}))
    if len(line) > 1 and line[1] in members:
        return members[line[1]], line[2:], False
    return None


def _parameters(function: Callable[..., Result]) -> list[Parameter]:
    own = parameters_of(function)
    names = {each.name for each in own}
    return [*own, *(each for each in common_parameters() if each.name not in names)]


def _grammar(parameters: Sequence[Parameter], *, passing: bool) -> _Grammar:
    flags: dict[str, tuple[str, bool]] = {}
    valued: dict[str, Parameter] = {}
    words = None
    for parameter in parameters:
        declaration = declaration_of(parameter)
        if isinstance(declaration, Argument):
            words = parameter
        elif bool in _kinds(parameter):
            flags |= _flags(declaration.spellings, parameter.name)
        else:
            valued |= dict.fromkeys(declaration.spellings, parameter)
    return _Grammar(flags=flags, valued=valued, words=words, passing=passing)


def _flags(spellings: Sequence[str], name: str) -> dict[str, tuple[str, bool]]:
    """``--sync/--no-sync`` is two flags, for true and for false."""
    found = {}
    for spelling in spellings:
        positive, _, negative = spelling.partition("/")
        found[positive] = (name, True)
        if negative:
            found[negative] = (name, False)
    return found


def _kinds(parameter: Parameter) -> tuple[Any, ...]:
    """The type of its values, without None: one, unless it is a union of others."""
    kind = kind_of(parameter)
    if get_origin(kind) is list:
        return (kind,)
    return tuple(each for each in get_args(kind) or (kind,) if each is not NoneType)


def _read(rest: Sequence[str], grammar: _Grammar) -> dict[str, Any]:
    """The values of the words after the command.

    Raises:
        _NotPlain: a word that only typer can judge.
    """
    values: dict[str, Any] = {}
    words: list[str] = []
    left = list(reversed(rest))
    while left:
        word = left.pop()
        name, equals, value = word.partition("=")
        if word in grammar.flags:
            target, meaning = grammar.flags[word]
            values[target] = meaning
        elif name in grammar.valued and (not equals or name.startswith("--")):
            given = value if equals else left.pop() if left else ""
            _put(values, grammar.valued[name], given)
        elif word == "--":
            words += reversed(left)
            break
        elif word.startswith("-"):
            raise _NotPlain
        else:
            words.append(word)
            if grammar.passing:
                words += reversed(left)
                break
    if words:
        values |= _words(words, grammar.words)
    return values


def _put(values: dict[str, Any], parameter: Parameter, text: str) -> None:
    if not text or text.startswith("-"):
        raise _NotPlain
    (kind,) = _kinds(parameter)
    if kind == list[str]:
        values.setdefault(parameter.name, []).append(text)
    else:
        values[parameter.name] = _value(kind, text)


def _value(kind: Any, text: str) -> object:  # noqa: ANN401 - a type, as annotations have them
    if kind is str:
        return text
    if kind is Path:
        return Path(text)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(text)
        except ValueError:
            raise _NotPlain from None
    raise _NotPlain


def _words(words: list[str], parameter: Parameter | None) -> dict[str, object]:
    if parameter is None or _kinds(parameter) != (list[str],):
        raise _NotPlain
    return {parameter.name: words}
