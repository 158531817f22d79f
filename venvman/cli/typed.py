"""The typer app, made of the commands' declarations: whatever is not a plain line, and all help.

Typer parses and makes the help; starting, printing and exit codes are ``app``'s, so that a usage
error is told like any other error, in JSON too.
"""

from __future__ import annotations

from functools import wraps
from inspect import Signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from venvman import __version__
from venvman.cli.commands import ALIASES, COMMANDS, GROUPS, HIDDEN, PASSING, load
from venvman.cli.declared import Argument, declaration_of, kind_of, parameters_of
from venvman.cli.options import common_parameters
from venvman.cli.session import perform
from venvman.cli.usage import NAME, UsageFault
from venvman.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Parameter

    from venvman.report.result import Result

__all__ = ["app", "command", "fault_of", "is_abort", "run"]

# Click's exceptions live in click or, vendored, in typer; BadParameter leads to them in both.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name=NAME,
    help="Keep a project's ./venv true to its requirements files.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(words: list[str], *, completing: bool = False) -> int:
    """One command line, or a shell's request for completions; the exit code.

    Raises:
        Exception: typer's own; ``fault_of`` and ``is_abort`` understand them.
    """
    program = get_command(app)
    if completing:
        program.main(args=words, prog_name=NAME)  # exits
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


def command(function: Callable[..., Result]) -> Callable[..., ExitCode]:
    """Makes ``function(session, **own options) -> Result`` a whole command for typer.

    The common options join the signature, but for those that the function has in a form of its own.
    """

    @wraps(function)
    def whole(**values: Any) -> ExitCode:  # noqa: ANN401 - typer's values, typed by the signature
        return perform(function, values)

    own = parameters_of(function)
    names = {each.name for each in own}
    common = [each for each in common_parameters() if each.name not in names]
    parameters = [_for_typer(each) for each in (*own, *common)]
    whole.__signature__ = Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=int
    )
    whole.__annotations__ = {each.name: each.annotation for each in parameters}
    return whole


def _for_typer(parameter: Parameter) -> Parameter:
    declared = declaration_of(parameter)
    made = (
        typer.Argument(
            metavar=declared.metavar,
            help=declared.help,
            show_default=declared.show_default,
            min=declared.minimum,
        )
        if isinstance(declared, Argument)
        else typer.Option(
            *declared.spellings,
            metavar=declared.metavar,
            help=declared.help,
            show_default=declared.show_default,
            rich_help_panel=declared.panel,
            min=declared.minimum,
        )
    )
    return parameter.replace(annotation=Annotated[kind_of(parameter), made])


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    del version
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(ExitCode.ERROR)


def _fill() -> None:
    for name, place in COMMANDS.items():
        own = {"allow_interspersed_args": False} if name in PASSING else None
        app.command(name, context_settings=own)(command(load(place)))
    for name, (text, members) in GROUPS.items():
        group = typer.Typer(help=text, no_args_is_help=False)
        for member, place in members.items():
            group.command(member, hidden=member in HIDDEN)(command(load(place)))
        app.add_typer(group, name=name)
    for alias, name in ALIASES.items():
        app.command(alias, hidden=True)(command(load(COMMANDS[name])))


_fill()
