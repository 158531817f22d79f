"""How an option or an argument is declared, and what its values are; see :mod:`venvman.cli.table`.

Read before anything else is: it imports nothing.
"""

from __future__ import annotations

EVERYWHERE = "Options of every command"
"""The heading of those in the help."""


class Kind:
    """What an option takes."""

    FLAG = "flag"
    """Nothing."""
    SWITCH = "switch"
    """Nothing; its second spelling says no."""
    TEXT = "text"
    """A word."""
    FOLDER = "folder"
    """A path."""
    WORDS = "words"
    """A word each time it is given."""
    NUMBER = "number"
    """A whole number."""


class Effect:
    """What an option means for an answer that is remembered."""

    CHOOSES = "chooses"
    """Another question: with other values the answer may be another one."""
    LOOKS = "looks"
    """The same question; nothing is to be changed (``--check``, ``--dry-run``)."""
    SHOWS = "shows"
    """The same answer, shown in another way (``--format``, ``--verbose``)."""
    ACTS = "acts"
    """Work is done whatever was found before (``--recreate``): never answered from memory."""


EVERY = ":all:"


class Option:
    """``spellings`` are ``--long`` first; without one it is the name of the attribute.

    The second spelling of a SWITCH is the one that says no. ``panel`` is the heading in the help,
    ``minimum`` the least NUMBER. A default that is given explains something, and is shown.
    ``variable`` is set for this once to what is given. ``bare`` is what an option means that no
    word follows.
    """

    __slots__ = (
        *("choices", "default", "effect", "help", "kind", "metavar", "minimum"),
        *("name", "panel", "show_default", "spellings", "variable", "bare"),
    )

    def __init__(
        self,
        help: str,  # noqa: A002 - the word that everyone looks for
        *spellings: str,
        kind: str,
        effect: str = Effect.CHOOSES,
        metavar: str | None = None,
        default: str | int | bool | None = None,
        choices: tuple[str, ...] = (),
        minimum: int | None = None,
        panel: str | None = None,
        variable: str | None = None,
        bare: str | None = None,
    ) -> None:
        self.bare = bare
        self.name = ""
        self.spellings = spellings
        self.help = help
        self.kind = kind
        self.effect = effect
        self.metavar = metavar
        self.show_default = default is not None
        self.default = _default(kind, default)
        self.choices = choices
        self.minimum = minimum
        self.panel = panel
        self.variable = variable

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        if not self.spellings or not self.spellings[0].startswith("--"):
            self.spellings = (f"--{name.replace('_', '-')}", *self.spellings)


class Argument:
    """The words that are no options: any number of them (WORDS), or one (TEXT, NUMBER)."""

    __slots__ = ("choices", "default", "help", "kind", "metavar", "minimum", "name", "required")

    def __init__(
        self,
        help: str,  # noqa: A002 - the word that everyone looks for
        metavar: str | None = None,
        *,
        kind: str,
        default: int | None = None,
        choices: tuple[str, ...] = (),
        minimum: int | None = None,
        required: bool = False,
    ) -> None:
        self.name = ""
        self.help = help
        self.metavar = metavar
        self.kind = kind
        self.default = _default(kind, default)
        self.choices = choices
        self.minimum = minimum
        self.required = required

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


def _default(kind: str, default: str | int | bool | None) -> object:
    if default is None:
        return {Kind.FLAG: False, Kind.WORDS: ()}.get(kind)
    return default


# Each of these declares an option or an argument, and has the type of the value.


def flag(
    help: str,  # noqa: A002
    *spellings: str,
    effect: str = Effect.CHOOSES,
    panel: str | None = None,
) -> bool:
    """An option that nothing follows."""
    return Option(help, *spellings, kind=Kind.FLAG, effect=effect, panel=panel)  # type: ignore[return-value]


def switch(help: str, *spellings: str, effect: str = Effect.CHOOSES) -> bool | None:  # noqa: A002
    """Two options, the second of which says no."""
    return Option(help, *spellings, kind=Kind.SWITCH, effect=effect)  # type: ignore[return-value]


def usual(help: str, *spellings: str) -> bool:  # noqa: A002
    """A switch that is on where nothing is said."""
    return Option(help, *spellings, kind=Kind.SWITCH, default=True)  # type: ignore[return-value]


def text(
    help: str,  # noqa: A002
    *spellings: str,
    metavar: str | None = None,
    effect: str = Effect.CHOOSES,
    choices: tuple[str, ...] = (),
    variable: str | None = None,
) -> str | None:
    """An option that a word follows."""
    return Option(  # type: ignore[return-value]
        *(help, *spellings),
        kind=Kind.TEXT,
        metavar=metavar,
        effect=effect,
        choices=choices,
        variable=variable,
    )


def choice(
    help: str,  # noqa: A002
    *choices: str,
    default: str,
    effect: str = Effect.CHOOSES,
    metavar: str | None = None,
    panel: str | None = None,
) -> str:
    """An option that one of the words to choose from follows."""
    return Option(  # type: ignore[return-value]
        help,
        kind=Kind.TEXT,
        metavar=metavar,
        effect=effect,
        choices=choices,
        default=default,
        panel=panel,
    )


def words(
    help: str,  # noqa: A002
    *spellings: str,
    metavar: str,
    effect: str = Effect.CHOOSES,
    panel: str | None = None,
    variable: str | None = None,
    bare: str | None = None,
) -> tuple[str, ...]:
    """An option that a word follows, and that may be repeated."""
    return Option(  # type: ignore[return-value]
        *(help, *spellings),
        kind=Kind.WORDS,
        metavar=metavar,
        effect=effect,
        panel=panel,
        variable=variable,
        bare=bare,
    )


def folder(help: str, effect: str = Effect.CHOOSES) -> str | None:  # noqa: A002
    """An option of every command that a path follows."""
    return Option(help, kind=Kind.FOLDER, effect=effect, metavar="DIR", panel=EVERYWHERE)  # type: ignore[return-value]


def number(help: str, *, minimum: int, metavar: str) -> int | None:  # noqa: A002
    """An option that a whole number follows."""
    return Option(help, kind=Kind.NUMBER, minimum=minimum, metavar=metavar)  # type: ignore[return-value]


def rest(help: str, metavar: str) -> tuple[str, ...]:  # noqa: A002
    """The words that are no options; at least one if ``metavar`` has no brackets."""
    required = not metavar.startswith("[")
    return Argument(help, metavar, kind=Kind.WORDS, required=required)  # type: ignore[return-value]


def one_of(help: str, *choices: str) -> str:  # noqa: A002
    """The one word that is no option."""
    return Argument(help, kind=Kind.TEXT, choices=choices, required=True)  # type: ignore[return-value]


def count(help: str, metavar: str, *, default: int, minimum: int) -> int:  # noqa: A002
    """The one word that is no option, a whole number."""
    return Argument(help, metavar, kind=Kind.NUMBER, default=default, minimum=minimum)  # type: ignore[return-value]


def declared(takes: type) -> tuple[Option | Argument, ...]:
    """All that a command ``takes``, its own first; what a class says beats what its bases say."""
    known = _DECLARED.get(takes)
    if known is None:
        found: dict[str, Option | Argument] = {}
        for each in takes.__mro__:
            for name, value in vars(each).items():
                if isinstance(value, (Option, Argument)):
                    found.setdefault(name, value)
        known = _DECLARED[takes] = tuple(found.values())
    return known


_DECLARED: dict[type, tuple[Option | Argument, ...]] = {}
