"""The typer app, made from the table: for completion, and lines that are not plain.

Only the command that is named is made whole; the others are there by name, for "did you mean".
Starting, printing and exit codes are ``app``'s, so that a usage error is told like any other error,
in JSON too; the help is :mod:`venvman.cli.help`'s.
"""

from __future__ import annotations

import os
import shlex
from enum import Enum
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from venvman.cli.declare import Argument, Kind, Option
from venvman.cli.faults import NAME, UsageFault
from venvman.cli.read import Glance, Line, with_bare
from venvman.cli.session import perform
from venvman.cli.table import ALIASES, COMMANDS, FAMILIES, Command
from venvman.model.errors import ExitCode, VenvmanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from venvman.project.scan import Scan

# Click's exceptions live in click or, vendored, in typer; BadParameter leads to them in both.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]


def run(words: list[str], *, completing: bool = False) -> int:
    """One command line, or a shell's request for completions; the exit code.

    Raises:
        Exception: typer's own; ``fault_of`` and ``is_abort`` understand them.
    """
    if completing:
        line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
        get_command(app_for(line.split()[1:])).main(args=words, prog_name=NAME)  # exits
    words = with_bare(words)
    program = get_command(app_for(words))
    try:
        with program.make_context(NAME, words) as context:
            code = program.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    return int(code or 0)


def fault_of(error: Exception) -> UsageFault | None:
    """What typer has against a command line, in our words; None for errors of other kinds.

    Only a line that was misspelled is helped by ``--help``: that is left for the caller to name.
    """
    if not isinstance(error, _ClickException):
        return None
    message = str(getattr(error, "format_message", error.__str__)())
    return UsageFault(
        message if message.endswith((".", "?")) else f"{message}.",
        misspelled=isinstance(error, _UsageError),
    )


def is_abort(error: Exception) -> bool:
    """Whether somebody left a question without an answer."""
    return isinstance(error, typer.Abort)


def app_for(words: Sequence[str]) -> typer.Typer:
    """The whole app, its commands without their options but for the one that ``words`` name."""
    app = typer.Typer(
        name=NAME,
        help="Keep a project's ./venv equal to its requirements files.",
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    families = {name: typer.Typer(help=text) for name, text in FAMILIES.items()}
    named = Glance(words).command
    for name, command in COMMANDS.items():
        family, _, member = name.rpartition(" ")
        whole = words if name == named else None
        _add(families[family] if family else app, member, command, whole=whole)
    for name, family_app in families.items():
        app.add_typer(family_app, name=name)
    for alias, name in ALIASES.items():
        whole = words if name == named else None
        _add(app, alias, COMMANDS[name], whole=whole, hidden=True)
    return app


def _add(
    app: typer.Typer,
    name: str,
    command: Command,
    *,
    whole: Sequence[str] | None,
    hidden: bool = False,
) -> None:
    """With all of its options where ``whole``, the words that name it, are given."""
    settings = {"allow_interspersed_args": False} if command.passing else None
    decorate = app.command(
        name, help=command.help, hidden=hidden or command.hidden, context_settings=settings
    )
    decorate(_unnamed if whole is None else _callback(command, whole))


def _unnamed() -> None:
    """Stands for a command that the line does not name."""


def _callback(command: Command, words: Sequence[str]) -> Callable[..., ExitCode]:
    def whole(**values: Any) -> ExitCode:  # noqa: ANN401 - typer's values, typed by the signature
        # What is not on the line typer gives as None, lists too.
        given = {name: _plain(each) for name, each in values.items() if each is not None}
        return perform(Line(command, given), words)

    argument = () if command.argument is None else (_argument(command.argument),)
    parameters = [*argument, *(_option(each) for each in command.options)]
    whole.__signature__ = Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=int
    )
    whole.__annotations__ = {each.name: each.annotation for each in parameters}
    return whole


def _plain(value: object) -> object:
    """The value as :func:`venvman.cli.read.read` gives it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    return tuple(value) if isinstance(value, list) else value


def _argument(declared: Argument) -> Parameter:
    made = typer.Argument(
        autocompletion=_completer(declared),
        metavar=declared.metavar,
        help=declared.help,
        show_default=declared.default not in (None, ()),
        min=declared.minimum,
    )
    default = Parameter.empty if declared.required else _default(declared)
    return _parameter(declared, made, default)


def _option(declared: Option) -> Parameter:
    switch = declared.kind == Kind.SWITCH
    made = typer.Option(
        *(["/".join(declared.spellings)] if switch else declared.spellings),
        # A flag takes nothing, so nothing is named that it could be given.
        metavar="" if switch or declared.kind == Kind.FLAG else declared.metavar,
        autocompletion=_completer(declared),
        help=declared.help,
        show_default=declared.show_default,
        rich_help_panel=declared.panel,
        min=declared.minimum,
    )
    return _parameter(declared, made, _default(declared))


def _completer(declared: Option | Argument) -> Callable[..., list[str]] | None:
    # ``NAME`` of ``[NAME]...``; None where nothing is known that could be offered.
    sort = (declared.metavar or "").strip("[].")
    kind = sort if sort in _OFFERS else None

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        return _offered(str(kind), incomplete, project=ctx.params.get("project"))

    return None if kind is None else complete


def _parameter(declared: Option | Argument, made: object, default: object) -> Parameter:
    kind: Any = _type_of(declared)
    annotation = Annotated[kind, made]
    return Parameter(declared.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _default(declared: Option | Argument) -> object:
    if declared.choices and isinstance(declared.default, str):
        return _choices(declared)(declared.default)
    return None if declared.default == () else declared.default


def _type_of(declared: Option | Argument) -> Any:  # noqa: ANN401 - a type, as annotations have them
    if declared.choices:
        kind: Any = _choices(declared)
    else:
        kind = {
            Kind.FLAG: bool,
            Kind.SWITCH: bool,
            Kind.TEXT: str,
            Kind.FOLDER: Path,
            Kind.WORDS: list[str],
            Kind.NUMBER: int,
        }[declared.kind]
    return kind if declared.default not in (None, ()) else kind | None


@cache
def _choices(declared: Option | Argument) -> type[Enum]:
    """One class for each row of the table: typer compares a default by identity."""
    make: Any = Enum
    made: type[Enum] = make(declared.name, {each: each for each in declared.choices}, type=str)
    return made


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", metavar="", help="Show the version and leave.")
    ] = False,
) -> None:
    """Options before the command, of which there are none to act on."""


def _offered(kind: str, incomplete: str, *, project: Path | None) -> list[str]:
    """The words of this ``kind`` that begin with ``incomplete``, sorted.

    Names come from files of strangers and get into text that shells evaluate: those that would have
    to be quoted are left out.
    """
    try:
        found = _OFFERS[kind](incomplete, project)
        return sorted(
            {each for each in found if each.startswith(incomplete) and shlex.quote(each) == each}
        )
    except (OSError, ValueError, VenvmanError):
        return []


def _groups(_incomplete: str, project: Path | None) -> Iterable[str]:
    return [source.group for source in _scan(project).sources]


def _packages(_incomplete: str, project: Path | None) -> Iterable[str]:
    from venvman.requirements.file import RequirementLine

    for file in _scan(project).files:
        for line in () if file.parsed is None else file.parsed.lines:
            if isinstance(line, RequirementLine) and line.requirement.name is not None:
                yield line.requirement.name


def _codes(_incomplete: str, _project: Path | None) -> Iterable[str]:
    from venvman.doctor.codes import CODES

    return [each.code for each in CODES]


def _folders(incomplete: str, _project: Path | None) -> Iterable[str]:
    above = os.path.dirname(incomplete)  # noqa: PTH120 - as it is written, `./` too
    start = incomplete[: len(above)] + ("/" if above and not above.endswith("/") else "")
    with os.scandir(start or ".") as entries:
        for entry in entries:
            hidden = entry.name.startswith(".") and not incomplete[len(start) :].startswith(".")
            if entry.is_dir() and not hidden:
                yield f"{start}{entry.name}/"


def _scan(project: Path | None) -> Scan:
    from venvman.project.find import find_project
    from venvman.project.scan import scan

    variables: Mapping[str, str] = os.environ
    home = Path(variables.get("HOME") or Path.home())
    found = find_project(Path.cwd(), home=home, explicit=project)
    return scan(found, variables=variables, with_locks=True)


_OFFERS: dict[str, Callable[[str, Path | None], Iterable[str]]] = {
    "GROUP": _groups,
    "NAME": _packages,
    "CODE": _codes,
    "DIR": _folders,
}
