"""Words in columns, laid out without rich: nothing is lost, nothing is too wide."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venvman.cli.columns import for_rich
from venvman.cli.console import Display, make_console
from venvman.report.drawing import Grid, Group, Panel, Text, Tree, cells, lines

WIDTH = 40
WORDS = st.text(st.sampled_from("ab ,é中"), max_size=60)
STYLES = st.sampled_from(["", "bold", "green", "bold cyan"])
TEXTS = st.lists(st.tuples(WORDS, STYLES), max_size=3).map(lambda parts: Text.assemble(*parts))
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    grid = Grid(gap=draw(st.integers(1, 2)))
    columns = draw(st.integers(1, 4))
    for _ in range(columns):
        grid.add_column(minimum=draw(st.integers(0, 3)), style=draw(STYLES))
    for _ in range(draw(st.integers(0, 4))):
        grid.add_row(*draw(st.lists(TEXTS, min_size=columns, max_size=columns)))
    return grid


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    tree = Tree(draw(TEXTS), guide_style="dim")
    branches = [tree]
    for label in draw(st.lists(TEXTS, max_size=5)):
        branches.append(draw(st.sampled_from(branches)).add(label))
    return tree


DRAWINGS = st.lists(st.one_of(TEXTS, grids(), trees()), max_size=3).map(lambda parts: Group(*parts))


@given(drawing=DRAWINGS)
def test_no_line_is_wider_than_there_is_room(drawing: Group) -> None:
    assert all(cells(line) <= WIDTH for line in lines(drawing, width=WIDTH, color=False))


@given(drawing=DRAWINGS, width=st.sampled_from([None, WIDTH]))
def test_colours_change_nothing_but_colours(drawing: Group, width: int | None) -> None:
    painted = lines(drawing, width=width, color=True)
    assert [ESCAPES.sub("", line) for line in painted] == lines(drawing, width=width, color=False)


@given(text=TEXTS, width=st.integers(2, 20))
def test_wrapping_loses_no_letter(text: Text, width: int) -> None:
    wrapped = lines(text, width=width, color=False)
    assert "".join("".join(wrapped).split()) == "".join(text.plain.split())


@given(words=st.lists(st.text(st.sampled_from("abc"), min_size=1, max_size=12), max_size=12))
def test_words_that_fit_are_not_broken_and_wrapped_as_rich_wraps_them(words: list[str]) -> None:
    text = Text(" ".join(words))
    console = make_console(io.StringIO(), Display(color=False, animation=False, width=WIDTH))
    with console.capture() as capture:
        console.print(for_rich(text))
    assert lines(text, width=WIDTH, color=False) == [
        line.rstrip() for line in capture.get().splitlines()
    ]


def test_the_widest_column_gives_way_and_a_whole_one_does_not() -> None:
    grid = Grid()
    grid.add_column(whole=True)
    grid.add_column()
    grid.add_row(Text("a label"), Text("words that need more than one line"))
    assert lines(grid, width=20, color=False) == [
        "a label words that",
        "        need more",
        "        than one",
        "        line",
    ]


def test_a_tree_draws_its_guides() -> None:
    tree = Tree(Text("root"))
    first = tree.add(Text("one"))
    first.add(Text("deep"))
    tree.add(Text("two"))
    assert lines(tree, width=None, color=False) == ["root", "├── one", "│   └── deep", "└── two"]


def test_a_tree_may_be_deeper_than_python_s_stack() -> None:
    tree = branch = Tree(Text("0"))
    for number in range(1, 3000):
        branch = branch.add(Text(str(number)))
    assert len(lines(tree, width=None, color=False)) == 3000


def test_a_style_is_closed_where_its_words_end() -> None:
    text = Text.assemble("a ", ("b", "bold green"), " c")
    assert lines(text, width=None, color=True) == ["a \x1b[1;32mb\x1b[0m c"]


@pytest.mark.parametrize(("words", "width"), [("abc", 3), ("中文", 4), ("e\u0301", 1)])
def test_letters_take_the_columns_that_a_terminal_gives_them(words: str, width: int) -> None:
    assert cells(words) == width


def test_a_panel_frames_what_is_in_it_and_wraps_it_to_its_width() -> None:
    grid = Grid()
    grid.add_column()
    grid.add_row(Text("a line that is long"))
    assert lines(Panel(grid, title="error", style="red", width=16), width=80, color=False) == [
        "╭─ error ──────╮",
        "│ a line that  │",
        "│ is long      │",
        "╰──────────────╯",
    ]


def test_a_panel_is_never_wider_than_the_terminal() -> None:
    drawn = lines(Panel(Text("中文"), title="too long", style="", width=60), width=8, color=False)
    assert drawn == ["╭──────╮", "│ 中文 │", "╰──────╯"]
