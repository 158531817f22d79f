"""What renderers draw with: text in styles, groups, grids, trees and panels, without rich.

Rich takes longer to import than a small command takes to run; what commands print is words in
columns, which need little. Each class here gives its ``rows`` for a width; :func:`lines` makes
printable lines of them. Rich draws what moves: progress. Imports nothing of weight: remembered
answers are drawn with this, too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Literal, TypeAlias

    Part: TypeAlias = "str | Text | tuple[str, str]"
    Overflow = Literal["fold", "ellipsis", "ignore"]
    Span: TypeAlias = tuple[str, str]
    Row: TypeAlias = list[Span]

_CODES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}


class Text:
    """Words in styles; ``style`` is the whole's.

    ``overflow`` and ``no_wrap`` say what a narrow terminal does to it, as rich has them.
    """

    __slots__ = ("no_wrap", "overflow", "spans", "style")

    def __init__(self, text: str = "", style: str = "") -> None:
        self.spans = [(text, "")] if text else []
        self.style = style
        self.overflow: Overflow | None = None
        self.no_wrap: bool | None = None

    @classmethod
    def assemble(
        cls, *parts: Part, overflow: Overflow | None = None, no_wrap: bool | None = None
    ) -> Text:
        """One text of several: words, words with their style, other texts."""
        whole = cls()
        whole.overflow = overflow
        whole.no_wrap = no_wrap
        for part in parts:
            if isinstance(part, Text):
                whole.append_text(part)
            elif isinstance(part, str):
                whole.append(part)
            else:
                whole.append(*part)
        return whole

    def append(self, text: str, style: str = "") -> None:
        """Adds words at the end."""
        if text:
            self.spans.append((text, style))

    def append_text(self, other: Text) -> None:
        """Adds ``other`` at the end; its words keep their looks."""
        self.spans += [(text, style or other.style) for text, style in other.spans]

    def join(self, texts: Iterable[Text]) -> Text:
        """One text of several, with this one between each two."""
        whole = Text()
        for position, text in enumerate(texts):
            if position:
                whole.append_text(self)
            whole.append_text(text)
        return whole

    @property
    def plain(self) -> str:
        """The words without their styles."""
        return "".join(text for text, _ in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        return (self.spans, self.style) == (other.spans, other.style)

    def __hash__(self) -> int:
        return hash((tuple(self.spans), self.style))

    def rows(self, width: int | None) -> list[Row]:
        """Its lines, wrapped between words where they are wider than ``width``."""
        rows: list[Row] = [[]]
        for text, style in self.spans:
            first, *more = text.split("\n")
            rows[-1].append((first, f"{self.style} {style}"))
            rows += [[(line, f"{self.style} {style}")] for line in more]
        if width is None or self.no_wrap:
            return rows
        return [wrapped for row in rows for wrapped in _wrapped(row, width)]


class Group:
    """Drawings below each other."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Drawing) -> None:
        self.parts = parts

    def rows(self, width: int | None) -> list[Row]:
        """The lines of its parts."""
        return [row for part in self.parts for row in part.rows(width)]


class Grid:
    """Rows of drawings in columns, ``gap`` blanks between them, no lines.

    A column that is ``whole`` keeps its words on one line; where the terminal is narrow, the widest
    of the others give way.
    """

    __slots__ = ("cells", "columns", "gap")

    def __init__(self, *, gap: int = 1) -> None:
        self.gap = gap
        self.columns: list[tuple[bool, int, str]] = []
        self.cells: list[tuple[Drawing, ...]] = []

    def add_column(self, *, whole: bool = False, minimum: int = 0, style: str = "") -> None:
        """A column at least ``minimum`` wide."""
        self.columns.append((whole, minimum, style))

    def add_row(self, *drawings: Drawing) -> None:
        """One drawing for each column."""
        self.cells.append(drawings)

    def rows(self, width: int | None) -> list[Row]:
        """The lines of all rows; a row is as high as its highest cell."""
        widths = self._widths(width)
        found: list[Row] = []
        for row in self.cells:
            drawn = [
                cell.rows(widths[position] if width is not None else None)
                for position, cell in enumerate(row)
            ]
            height = max((len(cell) for cell in drawn), default=0)
            found += (self._line(drawn, number, widths) for number in range(height))
        return found

    def _line(self, drawn: Sequence[Sequence[Row]], number: int, widths: Sequence[int]) -> Row:
        line: Row = []
        missing = 0
        for cell, wide, (_, _, style) in zip(drawn, widths, self.columns, strict=True):
            row = cell[number] if number < len(cell) else []
            if row and missing:
                line.append((" " * missing, ""))
                missing = 0
            line += [(text, f"{style} {own}") for text, own in row]
            missing += wide - _width(row) + self.gap if row else wide + self.gap
        return line

    def _widths(self, width: int | None) -> list[int]:
        widths = [
            max(minimum, *(max(map(_width, row[position].rows(None))) for row in self.cells))
            if self.cells
            else minimum
            for position, (_, minimum, _) in enumerate(self.columns)
        ]
        if width is None:
            return widths
        room = width - self.gap * (len(widths) - 1)
        while sum(widths) > room:
            soft = [
                (widths[position], position)
                for position, (whole, minimum, _) in enumerate(self.columns)
                # A letter may be two columns wide.
                if not whole and widths[position] > max(minimum, 2)
            ]
            if not soft:
                break
            widths[max(soft)[1]] -= 1
        return widths


class Tree:
    """A drawing with others below it, joined by ``guide_style`` lines."""

    __slots__ = ("children", "guide_style", "label")

    def __init__(self, label: Drawing, *, guide_style: str = "") -> None:
        self.label = label
        self.guide_style = guide_style
        self.children: list[Tree] = []

    def add(self, label: Drawing) -> Tree:
        """A new branch, the last one."""
        branch = Tree(label, guide_style=self.guide_style)
        self.children.append(branch)
        return branch

    def rows(self, width: int | None) -> list[Row]:
        """The label's lines, then the branches, drawn without recursion: graphs may be deep."""
        found = self.label.rows(width)
        waiting = [("", child, child is self.children[-1]) for child in reversed(self.children)]
        while waiting:
            indent, branch, is_last = waiting.pop()
            below = indent + ("    " if is_last else "│   ")
            room = None if width is None else max(width - len(below), 1)
            guide = indent + ("└── " if is_last else "├── ")
            for row in branch.label.rows(room):
                found.append([(guide, self.guide_style), *row])
                guide = below  # of the label's further lines
            waiting += [
                (below, child, child is branch.children[-1]) for child in reversed(branch.children)
            ]
        return found


class Panel:
    """A drawing in a frame of ``width`` columns, with a ``title`` in its upper edge."""

    __slots__ = ("inside", "style", "title", "width")

    def __init__(self, inside: Drawing, *, title: str, style: str, width: int) -> None:
        self.inside = inside
        self.title = title
        self.style = style
        self.width = width

    def rows(self, width: int | None) -> list[Row]:
        """The frame's lines; ``width`` bounds it where it is narrower."""
        whole = self.width if width is None else min(self.width, width)
        room = max(whole - 4, 1)
        # A title that is too long is told by what stands below it.
        title = f" {self.title} " if cells(self.title) <= room - 2 else ""
        top = f"╭─{title}{'─' * (room + 1 - cells(title))}╮"
        found: list[Row] = [[(top, self.style)]]
        for row in self.inside.rows(room):
            blank = " " * (room - _width(row))
            found.append([("│ ", self.style), *row, (f"{blank} ", ""), ("│", self.style)])
        return [*found, [(f"╰{'─' * (room + 2)}╯", self.style)]]


Drawing = Text | Group | Grid | Tree | Panel


def lines(drawing: Drawing, *, width: int | None, color: bool) -> list[str]:
    """``drawing`` as lines to print; without a ``width`` nothing wraps.

    No line has blanks at its end: they would end up in a file.
    """
    return [_painted(row) if color else _plain(row) for row in drawing.rows(width)]


def to_data(drawing: Drawing) -> tuple[Any, ...]:
    """``drawing`` as tuples, words and numbers, to be kept; :func:`from_data` is the inverse."""
    if isinstance(drawing, Text):
        return ("text", drawing.spans, drawing.style, drawing.overflow, drawing.no_wrap)
    if isinstance(drawing, Group):
        return ("group", *(to_data(part) for part in drawing.parts))
    if isinstance(drawing, Grid):
        rows = [tuple(map(to_data, row)) for row in drawing.cells]
        return ("grid", drawing.gap, drawing.columns, rows)
    if isinstance(drawing, Panel):
        inside = to_data(drawing.inside)
        return ("panel", inside, drawing.title, drawing.style, drawing.width)
    # A tree by its depths, without recursion: graphs may be deep.
    flat: list[tuple[int, tuple[Any, ...]]] = []
    waiting = [(0, drawing)]
    while waiting:
        depth, branch = waiting.pop()
        flat.append((depth, to_data(branch.label)))
        waiting += [(depth + 1, child) for child in reversed(branch.children)]
    return ("tree", drawing.guide_style, flat)


def from_data(data: Sequence[Any]) -> Drawing:
    """The drawing that :func:`to_data` was given."""
    kind, *rest = data
    if kind == "text":
        text = Text(style=rest[1])
        text.spans, text.overflow, text.no_wrap = rest[0], rest[2], rest[3]
        return text
    if kind == "group":
        return Group(*map(from_data, rest))
    if kind == "grid":
        grid = Grid(gap=rest[0])
        grid.columns = rest[1]
        for row in rest[2]:
            grid.add_row(*map(from_data, row))
        return grid
    if kind == "panel":
        return Panel(from_data(rest[0]), title=rest[1], style=rest[2], width=rest[3])
    (_, label), *below = rest[1]
    path = [Tree(from_data(label), guide_style=rest[0])]
    for depth, each in below:
        del path[depth:]
        path.append(path[-1].add(from_data(each)))
    return path[0]


def cells(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(letter) else 2 if east_asian_width(letter) in "WF" else 1 for letter in text
    )


def _width(row: Row) -> int:
    return sum(cells(text) for text, _ in row)


def _plain(row: Row) -> str:
    return "".join(text for text, _ in row).rstrip()


def _painted(row: Row) -> str:
    end = len(_plain(row))
    parts: list[str] = []
    for text, style in row:
        shown = text[:end]
        end -= len(shown)
        codes = ";".join(dict.fromkeys(_CODES[word] for word in style.split()))
        if shown:
            parts.append(f"\x1b[{codes}m{shown}\x1b[0m" if codes else shown)
    return "".join(parts)


def _wrapped(row: Row, width: int) -> list[Row]:
    """``row`` in lines of at most ``width`` columns, broken at blanks, long words folded."""
    if _width(row) <= width:
        return [row]
    text = "".join(each for each, _ in row)
    styles = [style for each, style in row for _ in each]
    rows: list[Row] = []
    start = 0
    for end in _breaks(text, max(width, 1)):
        piece = text[start:end].rstrip()
        rows.append(_spans(piece, styles[start:]))
        start = end
    return rows


def _breaks(text: str, width: int) -> list[int]:
    """Where the lines of ``text`` end, the blanks after a line's last word belonging to it."""
    ends: list[int] = []
    start = position = 0
    length = len(text)
    while position < length:
        end = position
        while end < length and not text[end].isspace():
            end += 1
        if cells(text[start:end]) > width and position > start:
            ends.append(position)
            start = position
        while cells(text[start:end]) > width:
            fold = start + 1
            while cells(text[start : fold + 1]) <= width:
                fold += 1
            ends.append(fold)
            start = fold
        while end < length and text[end].isspace():
            end += 1
        position = end
    if start < length:
        ends.append(length)
    return ends


def _spans(text: str, styles: Sequence[str]) -> Row:
    """``text`` letter by letter in ``styles``, neighbours of one style together."""
    row: Row = []
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or styles[position] != styles[start]:
            row.append((text[start:position], styles[start]))
            start = position
    return row
