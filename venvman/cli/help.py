"""``--version`` and ``--help``, drawn from the table: commands by task, examples to copy.

As quick as a line of the table is read: it imports neither typer nor rich.
"""

from __future__ import annotations

import sys

from venvman.cli.console import Printer, display_of
from venvman.cli.declare import EVERYWHERE, Argument, Kind, Option
from venvman.cli.read import Glance, own_words
from venvman.cli.streams import tell_version
from venvman.cli.table import ALIASES, COMMANDS, FAMILIES, TASKS, Command
from venvman.report.drawing import Drawing, Grid, Group, Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


_HEADING, _NAME, _FAINT = "bold", "cyan", "dim"


def tell(words: Sequence[str], variables: Mapping[str, str]) -> int | None:
    """Prints the version or the help that ``words`` ask for, and gives the exit code.

    None where they ask for neither. Without any word the list of commands is the answer, with the
    exit code of a line that cannot be understood.
    """
    if tell_version(words):
        return 0
    name = None if _COMPLETING in variables else _asked_for(words)
    if name is None:
        return None
    display = display_of(sys.stdout, color=Glance(words).given.color, variables=variables)
    Printer(sys.stdout, display).print(_help(name))
    return 0 if words else 2


_COMPLETING = "_VENVMAN_COMPLETE"
"""Set by a shell that asks for completions, which is typer's to answer."""


def _asked_for(words: Sequence[str]) -> str | None:
    """What ``words`` want the help of: a command, a family, ``venvman``; None if of nothing."""
    own = own_words(words)
    if not words:
        return "venvman"
    if "--help" not in own and "-h" not in own:
        return None
    seen = Glance(words)
    unknown = not seen.known and any(not word.startswith("-") for word in own)
    return None if unknown else seen.command


def _help(name: str) -> Drawing:
    if name == "venvman":
        return _program()
    if name in FAMILIES:
        return _family(name)
    return _command(COMMANDS[name])


def _program() -> Drawing:
    parts: list[Drawing] = [
        _usage("venvman COMMAND [OPTIONS]"),
        Text(),
        Text("Keeps a project's ./venv equal to its requirements files."),
    ]
    for task, names in TASKS.items():
        rows = [(name, FAMILIES.get(name) or COMMANDS[name].help) for name in names]
        parts += [Text(), Text(task, _HEADING), _rows(rows, width=12)]
    options = [
        ("--version", "Show the version and leave."),
        ("--install-completion", "Set up completion for the shell this runs in."),
        ("-h, --help", "Show this, or with a command its help, and leave."),
    ]
    parts += [Text(), Text("Options", _HEADING), _rows(options, width=22)]
    return Group(*parts)


def _family(family: str) -> Drawing:
    members = [
        (name, command.help)
        for name, command in COMMANDS.items()
        if name.startswith(f"{family} ") and not command.hidden
    ]
    return Group(
        _usage(f"venvman {family} COMMAND [OPTIONS]"),
        Text(),
        Text(FAMILIES[family]),
        Text(),
        Text("Commands", _HEADING),
        _rows(members, width=18),
    )


def _command(command: Command) -> Drawing:
    argument = command.argument
    metavar = "" if argument is None else _metavar(argument)
    parts: list[Drawing] = [_usage(usage_of(command)), Text(), Text(command.help)]
    also = [alias for alias, name in ALIASES.items() if name == command.name]
    if also:
        parts.append(Text(f"Also called {' and '.join(also)}.", _FAINT))
    if command.examples:
        rows = [(example, meaning) for example, meaning in command.examples]
        parts += [Text(), Text("Examples", _HEADING), _rows(rows, width=34)]
    if argument is not None:
        parts += [Text(), Text("Arguments", _HEADING), _rows([(metavar, argument.help)], width=22)]
    headings: dict[str, list[Option]] = {"Options": []}
    for option in command.options:
        headings.setdefault(option.panel or "Options", []).append(option)
    for heading in sorted(headings, key=lambda each: each == EVERYWHERE):
        rows = [(_spelled(each), _told(each)) for each in headings[heading]]
        if not rows:
            continue
        parts += [Text(), Text(heading, _HEADING), _rows(rows, width=22)]
    return Group(*parts)


def usage_of(command: Command) -> str:
    """How a line with ``command`` is written."""
    metavar = "" if command.argument is None else _metavar(command.argument)
    return f"venvman {command.name} [OPTIONS] {metavar}".rstrip()


def _usage(line: str) -> Text:
    return Text.assemble(("Usage: ", _HEADING), line)


def _rows(rows: Iterable[tuple[str, str]], *, width: int) -> Grid:
    """What is written, ``width`` columns of it, and what it means; what is longer makes room."""
    grid = Grid(gap=2)
    grid.add_column(whole=True)
    grid.add_column(whole=True, minimum=width, style=_NAME)
    grid.add_column(minimum=20)
    for written, meaning in rows:
        grid.add_row(Text(), Text(written), Text(meaning))
    return grid


def _spelled(option: Option) -> str:
    if option.kind in (Kind.FLAG, Kind.SWITCH):
        return ", ".join(option.spellings)
    return f"{', '.join(option.spellings)} {_metavar(option)}"


def _metavar(declared: Option | Argument) -> str:
    return declared.metavar or "|".join(declared.choices) or declared.name.upper()


def _told(option: Option) -> str:
    if not option.show_default or option.kind == Kind.SWITCH:
        return option.help
    return f"{option.help} Default: {option.default}."
