"""The typer app: the table of commands, and the one boundary where errors become words.

Typer parses and makes the help; starting, printing and exit codes are done here, so that a usage
error is told like any other error, in JSON too.
"""

from __future__ import annotations

import os
import shlex
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from venvman import __version__
from venvman.cli.commands import COMMANDS, GROUPS, HIDDEN, PASSING
from venvman.cli.invocation import Invocation
from venvman.cli.session import Session, command
from venvman.errors import ExitCode, VenvmanError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "main"]

NAME = "venvman"

# Click's exceptions live in click or, vendored, in typer; BadParameter leads to them in both.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickException: type[Exception] = typer.BadParameter.__mro__[2]


class UsageFault(VenvmanError):
    """A command line that cannot be understood."""


class Interrupted(VenvmanError):
    """Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED


class Unexpected(VenvmanError):
    """A defect of venvman itself."""


app = typer.Typer(
    name=NAME,
    help="Keep a project's ./venv true to its requirements files.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (without the program's name) and returns its exit code.

    Nothing is raised: whatever goes wrong is told on stderr, or as JSON on stdout.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    invocation = Invocation.of(words)
    _make_printable()
    try:
        return _run(words)
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as leaving:
        return _left(leaving)
    except KeyboardInterrupt:
        error: VenvmanError = Interrupted("Interrupted.", code="interrupted")
    except VenvmanError as fault:
        error = fault
    except typer.Abort:
        error = Interrupted("Interrupted: no answer, so nothing was changed.", code="interrupted")
    except _ClickException as fault:
        error = _usage_fault(fault, invocation)
    except Exception as fault:  # noqa: BLE001 - the boundary: a traceback helps nobody but us
        error = _unexpected(fault, invocation, words)
    try:
        return Session(invocation.common).fail(error, command=invocation.command)
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as leaving:
        return _left(leaving)


def _run(words: list[str]) -> int:
    program = get_command(app)
    if f"_{NAME.upper()}_COMPLETE" in os.environ:
        program.main(args=words, prog_name=NAME)  # a shell asks for completions; exits
    try:
        with program.make_context(NAME, words) as context:
            code = program.invoke(context)
            sys.stdout.flush()
    except typer.Exit as done:
        return done.exit_code
    return int(code or 0)


def _make_printable() -> None:
    """Keeps a stream that cannot encode a character from failing because of it."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _left(leaving: SystemExit) -> int:
    """The exit code; rich leaves so, with 1, when nobody reads, but 1 means drift."""
    if isinstance(leaving.__context__, BrokenPipeError):
        return _reader_left()
    return leaving.code if isinstance(leaving.code, int) else ExitCode.OK


def _reader_left() -> int:
    """Nobody reads stdout any more (``venvman scan | head``): leave without a word, as cat does.

    Python flushes stdout once more at exit; that must not fail again.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is not a file, as in tests
        pass
    finally:
        os.close(null)
    return 128 + 13


def _usage_fault(fault: Exception, invocation: Invocation) -> VenvmanError:
    message = str(getattr(fault, "format_message", fault.__str__)())
    place = f"{NAME} {invocation.command}" if invocation.known else NAME
    return UsageFault(
        message if message.endswith((".", "?")) else f"{message}.",
        code="usage",
        fix=f"{place} --help" if isinstance(fault, _UsageError) else None,
    )


def _unexpected(fault: Exception, invocation: Invocation, words: Sequence[str]) -> VenvmanError:
    if invocation.common.verbose:
        import traceback

        traceback.print_exception(fault)
    asked = "" if invocation.common.verbose else ", with what --verbose prints"
    return Unexpected(
        "This is a defect of venvman: it met something it was not made for.",
        code="unexpected",
        why=f"{type(fault).__name__}: {fault}\nPlease report it{_where_to_report()}{asked}.",
        fix=None if invocation.common.verbose else shlex.join([NAME, *words, "--verbose"]),
    )


def _where_to_report() -> str:
    """`` at <address>``, as the installed package names it; empty where it names none."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        links = metadata(NAME).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    pairs = (link.partition(", ") for link in links)
    return next((f" at {url}" for label, _, url in pairs if label.lower() == "issues"), "")


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


for _name, _function in COMMANDS.items():
    _own = {"allow_interspersed_args": False} if _name in PASSING else None
    app.command(_name, context_settings=_own)(command(_function))
for _name, (_help, _members) in GROUPS.items():
    _group = typer.Typer(help=_help, no_args_is_help=False)
    for _member, _function in _members.items():
        _group.command(_member, hidden=_member in HIDDEN)(command(_function))
    app.add_typer(_group, name=_name)
app.command("lock", hidden=True)(command(COMMANDS["freeze"]))
