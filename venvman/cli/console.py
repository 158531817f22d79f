"""The two consoles: stdout for data, stderr for talk; and what kind of stream each writes to."""

from __future__ import annotations

import os
import sys

from venvman.cli.streams import write
from venvman.report.drawing import Drawing, lines, to_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TextIO

    from rich.console import Console


# Off a terminal nothing has a width. Wide enough that a sentence stays on its line for grep.
_WIDTH_OF_A_PIPE = 120


class Display:
    """How to write to one stream. ``width`` is columns, None to ask the terminal."""

    __slots__ = ("animation", "color", "width")

    def __init__(self, *, color: bool, animation: bool, width: int | None = None) -> None:
        self.color = color
        self.animation = animation
        self.width = width


def display_of(stream: TextIO, *, color: str, variables: Mapping[str, str]) -> Display:
    """What ``stream`` and the environment ask for; ``color`` is a value of ``--color``.

    ``always`` and ``never`` beat every variable. ``NO_COLOR`` beats ``FORCE_COLOR`` and
    ``CLICOLOR_FORCE``; an empty variable counts as absent (https://no-color.org). Nothing moves but
    on a capable terminal, outside CI.
    """
    terminal = stream.isatty()
    dumb = variables.get("TERM") in {"dumb", "unknown"}
    colorful = _wants_color(variables, capable=terminal and not dumb)
    return Display(
        color=colorful if color == "auto" else color == "always",
        animation=terminal and not dumb and not variables.get("CI"),
        width=_width(variables, terminal=terminal),
    )


def make_console(stream: TextIO, display: Display) -> Console:
    """A rich console that does as ``display`` says; rich's own guesses are switched off.

    The sixteen standard colours only: those are the ones that a terminal's theme keeps legible.
    """
    from rich.console import Console

    return Console(
        file=stream,
        width=display.width,
        force_terminal=display.color or display.animation,
        force_interactive=display.animation,
        color_system="standard" if display.color else None,
        no_color=not display.color,
        highlight=False,
        markup=False,
        emoji=False,
    )


class Transcript:
    """What a command shows, as values: see :class:`venvman.system.memo.Memo`."""

    def __init__(self) -> None:
        self.shown: list[tuple[bool, bool, Any]] = []

    def add(self, what: Drawing | str, *, error: bool, wrap: bool = True) -> None:
        """Adds a drawing, or text for programs; ``error`` says that it went to stderr."""
        self.shown.append((error, wrap, what if isinstance(what, str) else to_data(what)))


class Printer:
    """Prints drawings to ``stream`` as ``display`` says.

    What it prints is added to ``transcript``.
    """

    def __init__(
        self, stream: TextIO, display: Display, transcript: Transcript | None = None
    ) -> None:
        self._stream = stream
        self._display = display
        self._transcript = transcript

    @property
    def console(self) -> Console:
        """A console of rich for the stream."""
        return make_console(self._stream, self._display)

    @property
    def off_terminal(self) -> bool:
        """Whether nobody looks at a screen: no colours, nothing that moves."""
        return not (self._display.color or self._display.animation)

    @property
    def width(self) -> int:
        """Columns of a line."""
        return self._display.width or self._size()[0]

    @property
    def height(self) -> int | None:
        """Lines that a summary may fill; None where nobody looks at a screen."""
        return None if self.off_terminal else self._size()[1]

    def print(self, drawing: Drawing, *, wrap: bool = True) -> None:
        """Prints ``drawing``; what does not wrap is meant to be one line, however long."""
        if self._transcript is not None:
            self._transcript.add(drawing, error=self._stream is sys.stderr, wrap=wrap)
        width = self.width if wrap else None
        printed = lines(drawing, width=width, color=self._display.color)
        write(self._stream, "".join(f"{line}\n" for line in printed))

    def _size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            return 80, 25
        return columns or 80, rows or 25


def _wants_color(variables: Mapping[str, str], *, capable: bool) -> bool:
    if variables.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if variables.get(name):
            return variables[name] != "0"
    return capable and variables.get("CLICOLOR") != "0"


def _width(variables: Mapping[str, str], *, terminal: bool) -> int | None:
    columns = variables.get("COLUMNS", "")
    if columns.isdigit() and int(columns) > 0:
        return int(columns)
    return None if terminal else _WIDTH_OF_A_PIPE
