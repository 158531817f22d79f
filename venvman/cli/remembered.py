"""Answers without work: those that are remembered, and a sync that is known from another time.

As quick as a line of the table is read: it imports neither typer nor rich.
"""

from __future__ import annotations

import os
import sys

from venvman.cli.console import Printer, display_of
from venvman.cli.declare import Effect
from venvman.cli.read import Line, choosing, read
from venvman.cli.streams import write
from venvman.cli.table import Sync
from venvman.report.drawing import Text, from_data, to_data
from venvman.system import memo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_OFF = "VENVMAN_NO_MEMO"


def tell(words: Sequence[str], variables: Mapping[str, str]) -> int | None:
    """Gives the answer to ``words`` where it is known, and the exit code; None where it is not.

    Raises:
        OSError: the working directory is gone, or an answer cannot be read.
        ValueError: it is damaged.
    """
    line = read(words)
    question = None if line is None else question_of(line, variables)
    if line is None or question is None:
        return None
    try:
        known = memo.recall(question, variables)
    except FileNotFoundError:
        known = None
    if known is not None and line.command.passing:
        _start(known, line, variables)
        return None
    if known is not None:
        return _show(known, line, variables)
    return _switch(line, question, variables)


def question_of(line: Line, variables: Mapping[str, str]) -> str | None:
    """What ``line`` asks for, from here, of this screen; None where it is not remembered.

    Colour and width are no part of it, nor is whether only to look: where there is nothing to do,
    looking says the same.
    """
    if variables.get(_OFF) or not line.command.remembered or line.changes(Effect.ACTS):
        return None
    shown = [(each, line.values.get(each)) for each in _SHOWN]
    around = sorted(
        (name, value)
        for name, value in variables.items()
        if name in _AROUND or name.startswith(_ABOUT)
    )
    out, talk = (
        display_of(each, color="never", variables=variables) for each in (sys.stdout, sys.stderr)
    )
    screen = Printer(sys.stdout, display_of(sys.stdout, color="auto", variables=variables))
    where = (os.getcwd(), screen.height, out.animation, talk.animation)
    return repr((line.command.name, choosing(line), shown, where, around))


_SHOWN = ("format", "verbose", "project", "all_projects", "cache_dir")
_ABOUT = ("GIT_", "PYENV_", "CONDA_")
_AROUND = frozenset({"PATH", "TZ", "VIRTUAL_ENV", "VENVMAN_HOOKED", "USER"})


def inside(root: str, scripts: str) -> memo.Memo:
    """The answer of a command that starts a program in the environment ``root``."""
    return memo.Memo(0, False, [(False, False, f"{root}\0{scripts}")])


def _start(known: memo.Memo, line: Line, variables: Mapping[str, str]) -> None:
    """Becomes the program that ``line`` names; returns where that fails, for others to say why."""
    from venvman.system.launch import activated, become, program

    argument = line.command.argument
    words = line.values[argument.name] if argument is not None else ()
    root, scripts = str(known.shown[0][2]).split("\0")
    around = activated(variables, root, scripts)
    if os.name == "posix" and isinstance(words, tuple) and words:
        found = program(words[0], around["PATH"], scripts)
        if found is not None:
            become((found, *words[1:]), around)


def nothing_to_do(said: tuple[str, str, str]) -> memo.Memo:
    """The answer of a command that finds everything as it should be."""
    start, what, end = said
    drawing = Text.assemble((start, "bold green"), (what, "bold"), end)
    return memo.Memo(0, False, [(False, True, to_data(drawing))])


def _show(known: memo.Memo, line: Line, variables: Mapping[str, str]) -> int | None:
    given = line.given
    if given.quiet and any(error for error, _, _ in known.shown):
        return None
    for error, wrap, what in known.shown:
        stream = sys.stderr if error else sys.stdout
        if given.quiet and not known.answers and known.exit_code == 0:
            continue
        if isinstance(what, str):
            write(stream, what)
        else:
            display = display_of(stream, color=given.color, variables=variables)
            Printer(stream, display).print(from_data(what), wrap=wrap)
    return known.exit_code


def _switch(line: Line, question: str, variables: Mapping[str, str]) -> int | None:
    """Goes to a state of the environment that is known; the exit code, None where there is none."""
    given = line.given
    if not isinstance(given, Sync) or line.changes(Effect.LOOKS) or given.inexact:
        return None
    if given.format != "text" or given.project or given.all_projects:
        return None
    from venvman.install.fastpath import NotTaken, switch

    done = switch(choosing(line), variables, os.getcwd(), only_look=given.verbose)
    if isinstance(done, NotTaken):
        if done.why and given.verbose and not given.quiet:
            write(sys.stderr, f"Full sync: {done.why}\n")
        return None
    known = nothing_to_do(done.wanted.said)
    if done.watched is not None:
        memo.keep(question, known, variables, names=done.wanted.names, watched=done.watched)
    if not done.changes:
        return _show(known, line, variables)
    if not given.quiet:
        display = display_of(sys.stdout, color=given.color, variables=variables)
        from venvman.report.changes import switched

        printer = Printer(sys.stdout, display)
        locked, height = done.wanted.locked, printer.height
        printer.print(
            switched(done.before, done.after, locked=locked, seconds=done.seconds, height=height)
        )
    return 0
