"""The command line: the way in, and the one boundary where errors become words."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from venvman.cli.faults import (
    NAME,
    OPTIONS,
    TARGETS,
    Interrupted,
    UsageFault,
    said_elsewhere,
    told_of,
)
from venvman.cli.help import tell
from venvman.cli.read import Glance, read
from venvman.cli.session import Session, perform
from venvman.cli.streams import write
from venvman.model.errors import Advice, Command, ExitCode, OutputFault, VenvmanError

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line (without the program's name) and returns its exit code.

    Nothing is raised: whatever goes wrong is told on stderr, or as JSON on stdout.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    seen = Glance(words)
    _make_printable()
    try:
        return _run(words)
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as leaving:
        return _left(leaving)
    except KeyboardInterrupt:
        error: VenvmanError = Interrupted("Interrupted.", code="interrupted")
    except UsageFault as fault:
        error = _with_fix(fault, seen, words)
    except VenvmanError as fault:
        error = fault
    except Exception as fault:  # noqa: BLE001 - the boundary: a traceback helps nobody but us
        error = _of_typer(fault, seen, words) or told_of(fault, verbose=seen.given.verbose)
    try:
        return Session(seen.given).fail(error, command=seen.command)
    except OutputFault as fault:  # JSON that tells of an error
        return Session(seen.given).fail(fault, command=seen.command)
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as leaving:
        return _left(leaving)


def _run(words: list[str]) -> int:
    told = tell(words, os.environ)
    if told is not None:
        return told
    completing = f"_{NAME.upper()}_COMPLETE" in os.environ
    line = None if completing else read(words)
    if line is not None:
        code = int(perform(line, words))
    else:
        from venvman.cli import typed

        code = typed.run(words, completing=completing)
    write(sys.stdout, "")
    return code


def _make_printable() -> None:
    """Keeps a stream that cannot encode a character from failing because of it."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            with suppress(OSError):  # it cannot be written to, as writing will tell
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


def _with_fix(fault: UsageFault, seen: Glance, words: Sequence[str]) -> UsageFault:
    """``fault`` with the line that does it, or that shows how it should be."""
    if not fault.misspelled:
        return fault
    here = said_elsewhere(words)
    if here is not None:
        # Without what resembles the word by chance.
        name = " ".join(here) if words[0] == "help" else here[0]
        message = f"{fault.message.partition(' Did you mean')[0]} Here that is '{name}'."
        project = ("--project", seen.given.project) if seen.given.project else ()
        return UsageFault(message, fix=Command.of(NAME, *here, *project))
    target = next((word for word in words if word in TARGETS), None)
    if target is not None and seen.known:
        message = f"{fault.message.partition(' (')[0].rstrip('.')}. Here the environment is named."
        return UsageFault(message, fix=Advice(TARGETS[target]))
    option = next((word for word in words if word in OPTIONS and f" {word}" in fault.message), None)
    if option is not None:
        return UsageFault(f"No such option: {option}.", fix=Advice(OPTIONS[option]))
    named = (NAME, *seen.command.split()) if seen.known else (NAME,)
    return UsageFault(fault.message, fix=Command.of(*named, "--help"))


def _of_typer(fault: Exception, seen: Glance, words: Sequence[str]) -> VenvmanError | None:
    """What typer raised, if it was typer, in our words."""
    if "typer" not in sys.modules:
        return None
    from venvman.cli import typed

    if typed.is_abort(fault):
        return Interrupted("Interrupted: no answer, so nothing was changed.", code="interrupted")
    usage = typed.fault_of(fault)
    return usage and _with_fix(usage, seen, words)
