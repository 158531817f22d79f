"""What is printed without rich is what rich prints."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvman.cli.console import Manner, make_console
from venvman.report.as_text.drawing import Grid, Group, Text, plain_lines

WIDTH = 40
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=50)
STYLES = st.sampled_from(["", "bold", "green"])
TEXTS = st.lists(st.tuples(WORDS, STYLES), max_size=3).map(lambda parts: Text.assemble(*parts))


def as_rich_prints(drawing: Text | Group | Grid, *, width: int = WIDTH) -> list[str]:
    console = make_console(io.StringIO(), Manner(color=False, animation=False, width=width))
    with console.capture() as capture:
        console.print(drawing, crop=False)
    return [line.rstrip() for line in capture.get().splitlines()]


def trimmed(lines: list[str] | None) -> list[str] | None:
    return None if lines is None else [line.rstrip() for line in lines]


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    grid = Grid()
    columns = draw(st.integers(1, 4))
    for _ in range(columns):
        grid.add_column(
            whole=draw(st.booleans()),
            minimum=draw(st.none() | st.integers(1, 12)),
            style=draw(STYLES),
        )
    for _ in range(draw(st.integers(0, 4))):
        grid.add_row(*draw(st.lists(TEXTS, min_size=columns, max_size=columns)))
    return grid


DRAWINGS = st.one_of(TEXTS, grids())


@given(drawings=st.lists(DRAWINGS, max_size=4))
def test_plain_lines_are_those_that_rich_prints(drawings: list[Text | Grid]) -> None:
    drawing = Group(*drawings)

    lines = trimmed(plain_lines(drawing, width=WIDTH))

    assert lines is None or lines == as_rich_prints(drawing)


@given(drawings=st.lists(DRAWINGS, max_size=4))
def test_what_fits_needs_no_rich(drawings: list[Text | Grid]) -> None:
    assert plain_lines(Group(*drawings), width=None) is not None


@pytest.mark.parametrize("length", range(WIDTH - 14, WIDTH - 9))
def test_a_grid_fits_where_rich_thinks_so(length: int) -> None:
    grid = Grid()
    grid.add_column()
    grid.add_column()
    grid.add_row(Text("a" * 10), Text("b" * length))

    lines = trimmed(plain_lines(grid, width=WIDTH))

    assert lines is None or lines == as_rich_prints(grid)
    assert (lines is None) == (length + 12 > WIDTH)


@pytest.mark.parametrize(
    "words", ["a" * (WIDTH + 1), "a\tb", "\u4e2d", "caf\u00e9", "a\x1bb"], ids=ascii
)
def test_what_only_rich_can_measure_or_wrap_is_left_to_rich(words: str) -> None:
    assert plain_lines(Group(Text(words)), width=WIDTH) is None


def test_rich_s_own_drawings_are_left_to_rich() -> None:
    from rich.table import Table

    assert plain_lines(Group(Text("a"), Table.grid()), width=WIDTH) is None


def test_a_text_within_a_text_keeps_its_style_for_rich() -> None:
    drawn = Text.assemble("a ", Text("b", "bold"), (" c", "green")).__rich__()

    assert drawn.plain == "a b c"
    assert [(span.start, span.end, span.style) for span in drawn.spans] == [
        (2, 3, "bold"),
        (3, 5, "green"),
    ]


def test_texts_are_joined_by_a_text() -> None:
    assert Text(", ").join([Text("a"), Text("b", "bold")]).plain == "a, b"


def test_texts_of_the_same_words_and_styles_are_equal() -> None:
    assert Text.assemble("a", ("b", "bold")) == Text.assemble("a", Text("b", "bold"))
    assert Text("a") != Text("a", "bold")
    assert Text("a") != "a"
    assert len({Text("a"), Text("a"), Text("b")}) == 2
