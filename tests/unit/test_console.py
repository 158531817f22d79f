"""How each stream is written to: colour, animation, width."""

from __future__ import annotations

import io

import pytest

from venvman.cli.console import Display, Printer, display_of, make_console
from venvman.report.drawing import Text


class Stream(io.StringIO):
    """A stream that is a terminal, or is not."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def display(
    variables: dict[str, str] | None = None, *, terminal: bool = True, color: str = "auto"
) -> Display:
    return display_of(
        Stream(terminal=terminal), color=color, variables={"TERM": "xterm", **(variables or {})}
    )


class TestColor:
    def test_a_terminal_has_colour_and_a_pipe_has_none(self) -> None:
        assert display().color
        assert not display(terminal=False).color

    @pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"CLICOLOR": "0"}, {"TERM": "dumb"}])
    def test_a_terminal_without_colour(self, variables: dict[str, str]) -> None:
        assert not display(variables).color

    def test_an_empty_no_color_counts_as_absent(self) -> None:
        assert display({"NO_COLOR": ""}).color

    @pytest.mark.parametrize("name", ["FORCE_COLOR", "CLICOLOR_FORCE"])
    def test_colour_can_be_forced_into_a_pipe(self, name: str) -> None:
        assert display({name: "1"}, terminal=False).color
        assert not display({name: "0"}, terminal=True).color

    def test_no_color_beats_force_color(self) -> None:
        assert not display({"NO_COLOR": "1", "FORCE_COLOR": "1"}).color

    def test_the_flag_beats_every_variable(self) -> None:
        assert display({"NO_COLOR": "1"}, terminal=False, color="always").color
        assert not display({"FORCE_COLOR": "1"}, color="never").color

    def test_a_console_without_colour_writes_no_escape_at_all(self) -> None:
        stream = Stream(terminal=True)

        make_console(stream, display({"NO_COLOR": "1"})).print("hello", style="bold red")

        assert stream.getvalue() == "hello\n"

    def test_a_console_with_colour_does(self) -> None:
        stream = Stream(terminal=False)

        make_console(stream, display({"FORCE_COLOR": "1"}, terminal=False)).print("x", style="red")

        assert stream.getvalue() == "\x1b[31mx\x1b[0m\n"


class TestAnimation:
    def test_only_a_terminal_moves(self) -> None:
        assert display().animation
        assert not display(terminal=False).animation

    @pytest.mark.parametrize("variables", [{"CI": "true"}, {"TERM": "dumb"}])
    def test_neither_ci_nor_a_dumb_terminal_does(self, variables: dict[str, str]) -> None:
        assert not display(variables).animation

    def test_forced_colour_moves_nothing(self) -> None:
        assert not display({"FORCE_COLOR": "1"}, terminal=False).animation

    def test_a_terminal_without_colour_still_moves(self) -> None:
        assert display({"NO_COLOR": "1"}).animation


class TestWidth:
    def test_columns_is_obeyed_everywhere(self) -> None:
        assert display({"COLUMNS": "60"}).width == 60
        assert display({"COLUMNS": "60"}, terminal=False).width == 60

    @pytest.mark.parametrize("nonsense", ["", "0", "wide", "-3"])
    def test_a_nonsensical_columns_is_not(self, nonsense: str) -> None:
        assert display({"COLUMNS": nonsense}).width is None

    def test_a_terminal_is_asked_and_a_pipe_is_wide(self) -> None:
        assert display().width is None
        assert display(terminal=False).width == 120


def test_markup_in_data_is_data() -> None:
    stream = Stream(terminal=False)

    Printer(stream, display(terminal=False)).print(Text("requests[security] :smile:"))

    assert stream.getvalue() == "requests[security] :smile:\n"
