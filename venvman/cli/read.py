"""What a command line says, read from the table without typer.

Typer takes longer to import than most commands take. A line of known options, spelled out, means
the same to every parser; whatever is not plain (help, mistakes, short options written together) is
typer's (:mod:`venvman.cli.typed`). Imports nothing but the table.
"""

from __future__ import annotations

from venvman.cli.declare import Argument, Effect, Kind, Option
from venvman.cli.table import ALIASES, COMMANDS, FAMILIES, Command, Common, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Line:
    """``given`` has every value of ``command``, those that the line does not give, too."""

    __slots__ = ("command", "given", "values")

    def __init__(self, command: Command, values: dict[str, object]) -> None:
        self.command = command
        self.given = command.takes(**values)
        self.values = vars(self.given)

    def changes(self, effect: str) -> bool:
        """Whether an option of this ``effect`` is given."""
        return any(
            self.values[each.name] != each.default
            for each in self.command.options
            if each.effect == effect
        )


class Glance:
    """What can be told of a line that may be wrong: how, and about which command, to refuse it.

    ``command`` is ``sync`` or ``hooks install``, ``venvman`` where no ``known`` one is named.
    """

    __slots__ = ("command", "given", "known")

    def __init__(self, words: Sequence[str]) -> None:
        own = own_words(words)
        named = _named(own)
        color = _value_of(own, "--color")
        self.known = named is not None
        self.command = named or "venvman"
        self.given = Common(
            project=_value_of(own, "--project") or None,
            cache_dir=_value_of(own, "--cache-dir") or None,
            format="json" if _value_of(own, "--format") == "json" else "text",
            color=color if color in ("always", "never") else "auto",
            quiet="-q" in own or "--quiet" in own,
            verbose="-v" in own or "--verbose" in own,
        )


def choosing(line: Line) -> str:
    """What ``line`` chooses: the options that make another question of it, and its words."""
    chosen = [
        (each.name, line.values[each.name])
        for each in line.command.options
        if each.effect == Effect.CHOOSES and line.values[each.name] != each.default
    ]
    argument = line.command.argument
    # What another program is told makes no other question of it.
    asked = None if line.command.passing else argument
    words = None if asked is None else line.values[asked.name]
    return repr((chosen, words) if words else chosen)


def read(words: Sequence[str]) -> Line | None:
    """What ``words`` (without the program's name) ask for; None if typer must read them."""
    named = find(list(words))
    if named is None:
        return None
    command, rest = named
    values = _read(rest, command)
    if values is None:
        return None
    argument = command.argument
    if argument is not None and argument.required and argument.name not in values:
        return None
    return Line(command, values)


class _NotPlain(Exception):
    """The line needs typer."""


def _read(rest: list[str], command: Command) -> dict[str, object] | None:
    """The values that the words after the command's name give; None if only typer can tell."""
    options = {spelling: each for each in command.options for spelling in each.spellings}
    values: dict[str, object] = {}
    words: list[str] = []
    left = list(reversed(rest))
    try:
        while left:
            word = left.pop()
            name, equals, value = word.partition("=")
            option = options.get(name if word.startswith("--") else word)
            if word == "--":
                words += reversed(left)
                break
            if option is not None and option.kind in (Kind.FLAG, Kind.SWITCH):
                if equals:
                    raise _NotPlain
                values[option.name] = word == option.spellings[0] or option.kind == Kind.FLAG
            elif option is not None:
                if option.bare is not None and not equals and _ends(left):
                    value, equals = option.bare, "="
                given = value if equals else left.pop() if left else ""
                _put(values, option, given)
            elif word.startswith("-"):
                raise _NotPlain
            else:
                words.append(word)
                if command.passing:
                    words += reversed(left)
                    break
        if words:
            values |= _words(words, command.argument)
    except _NotPlain:
        return None
    return values


def _ends(left: Sequence[str]) -> bool:
    """Whether no word follows that an option could take."""
    return not left or left[-1].startswith("-")


def with_bare(words: Sequence[str]) -> list[str]:
    """``words`` with what options mean that no word follows, for parsers that know none such."""
    named = find(list(words))
    bare = {
        spelling: each.bare
        for each in (named[0].options if named else ())
        for spelling in each.spellings
        if each.bare is not None
    }
    own = own_words(words)
    spelled = [
        f"{word}={bare[word]}" if word in bare and _ends(own[number + 1 : number + 2]) else word
        for number, word in enumerate(own)
    ]
    return [*spelled, *words[len(own) :]]


def _put(values: dict[str, object], option: Option, text: str) -> None:
    if not text or text.startswith("-"):
        raise _NotPlain
    if option.kind == Kind.WORDS:
        before = values.get(option.name, ())
        values[option.name] = (*before, text) if isinstance(before, tuple) else (text,)
    else:
        values[option.name] = _value(option, text)


def _value(declared: Option | Argument, text: str) -> object:
    if declared.choices and text not in declared.choices:
        raise _NotPlain
    if declared.kind != Kind.NUMBER:
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise _NotPlain
    number = int(text)
    if declared.minimum is not None and number < declared.minimum:
        raise _NotPlain
    return number


def _words(words: list[str], argument: Argument | None) -> dict[str, object]:
    if argument is None:
        raise _NotPlain
    if argument.kind == Kind.WORDS:
        return {argument.name: tuple(words)}
    if len(words) != 1:
        raise _NotPlain
    return {argument.name: _value(argument, words[0])}


def own_words(words: Sequence[str]) -> list[str]:
    """Those that are ours: up to ``--``, and up to the program that ``run`` is given."""
    words = list(words)
    if "--" in words:
        words = words[: words.index("--")]
    for start, word in enumerate(words):
        if word in FAMILIES:
            return words
        command = COMMANDS.get(word)
        if command is not None and command.passing:
            return words[: _program_at(words, command, start + 1)]
    return words


def _program_at(words: list[str], command: Command, start: int) -> int:
    """Where the other program's words begin, which the options before them do not take."""
    valued = {
        spelling
        for each in command.options
        if each.kind not in (Kind.FLAG, Kind.SWITCH)
        for spelling in each.spellings
    }
    position = start
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in valued else 1
    return position


def _named(words: list[str]) -> str | None:
    plain = [ALIASES.get(word, word) for word in words if not word.startswith("-")]
    for position, word in enumerate(plain):
        if word in COMMANDS:
            return word
        if word in FAMILIES:
            members = (f"{word} {each}" for each in plain[position + 1 :])
            return next((each for each in members if each in COMMANDS), word)
    return None


def _value_of(words: list[str], option: str) -> str | None:
    for position, word in enumerate(words):
        if word == option:
            return words[position + 1] if position + 1 < len(words) else ""
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None
