"""What renderers draw with: text in styles, groups and grids, which rich prints on a terminal.

Rich takes longer to import than a small command takes to run, and off a terminal nothing is left of
what it can do: there :func:`plain_lines` says the same without it. Each class here turns into
rich's own when rich asks (``__rich__``), so that they mix with its tables, trees and panels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Group as RichGroup
    from rich.console import RenderableType
    from rich.table import Table as RichTable
    from rich.text import Text as RichText

    Part: TypeAlias = "str | Text | tuple[str, str]"
    Overflow = Literal["fold", "ellipsis", "ignore"]

__all__ = ["Grid", "Group", "Text", "plain_lines"]


class Text:
    """Words in styles; ``style`` is the whole's.

    ``overflow`` and ``no_wrap`` say what a narrow terminal does to it, as rich has them.
    """

    __slots__ = ("_spans", "no_wrap", "overflow", "style")

    def __init__(self, text: str = "", style: str = "") -> None:
        self._spans = [(text, "")] if text else []
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
            self._spans.append((text, style))

    def append_text(self, other: Text) -> None:
        """Adds ``other`` at the end; its words keep their looks."""
        self._spans += [(text, style or other.style) for text, style in other._spans]

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
        return "".join(text for text, _ in self._spans)

    def __bool__(self) -> bool:
        return bool(self._spans)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        return (self._spans, self.style) == (other._spans, other.style)

    def __hash__(self) -> int:
        return hash((tuple(self._spans), self.style))

    def __rich__(self) -> RichText:
        """The same for rich."""
        from rich.text import Text as RichText

        return RichText.assemble(
            *self._spans, style=self.style, overflow=self.overflow, no_wrap=self.no_wrap
        )


class Group:
    """Drawings below each other."""

    __slots__ = ("parts",)

    def __init__(self, *parts: RenderableType) -> None:
        self.parts = parts

    def __rich__(self) -> RichGroup:
        """The same for rich."""
        from rich.console import Group as RichGroup

        return RichGroup(*self.parts)


class Column:
    """One column of a grid; ``whole`` keeps its words on one line, however narrow the terminal."""

    __slots__ = ("minimum", "style", "whole")

    def __init__(self, *, whole: bool, minimum: int | None, style: str) -> None:
        self.whole = whole
        self.minimum = minimum
        self.style = style


class Grid:
    """Rows of texts in columns, a blank between them, no lines."""

    __slots__ = ("_columns", "_rows")

    def __init__(self) -> None:
        self._columns: list[Column] = []
        self._rows: list[tuple[Text, ...]] = []

    def add_column(
        self, *, whole: bool = False, minimum: int | None = None, style: str = ""
    ) -> None:
        """A column at least ``minimum`` wide."""
        self._columns.append(Column(whole=whole, minimum=minimum, style=style))

    def add_row(self, *texts: Text) -> None:
        """One text for each column."""
        self._rows.append(texts)

    def __rich__(self) -> RichTable:
        """The same for rich."""
        from rich.table import Table

        table = Table.grid(padding=(0, 1, 0, 0))
        for column in self._columns:
            table.add_column(
                no_wrap=column.whole,
                overflow="fold",
                min_width=column.minimum,
                style=column.style,
            )
        for row in self._rows:
            table.add_row(*row)
        return table

    def lines(self) -> list[str]:
        """The rows as plain text."""
        if not self._rows:
            return []
        cells = [[text.plain for text in row] for row in self._rows]
        widths = [
            max(column.minimum or 0, *(len(row[position]) for row in cells))
            for position, column in enumerate(self._columns)
        ]
        return [
            " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            for row in cells
        ]


def plain_lines(drawing: object, *, width: int | None) -> list[str] | None:
    """What rich prints of ``drawing`` in ``width`` columns, but for styles and blanks at line ends.

    None where only rich knows: for its own drawings, for lines that must wrap, and for letters that
    are not one column wide. Without a ``width`` nothing wraps.
    """
    if isinstance(drawing, Group):
        lines: list[str] = []
        for part in drawing.parts:
            more = plain_lines(part, width=width)
            if more is None:
                return None
            lines += more
        return lines
    if isinstance(drawing, Text):
        lines = drawing.plain.split("\n")
    elif isinstance(drawing, Grid):
        lines = drawing.lines()
        # Rich counts a blank after the last column, too, when it looks for room.
        width = None if width is None else width - 1
    else:
        return None
    return lines if all(_is_plain(line, width) for line in lines) else None


def _is_plain(line: str, width: int | None) -> bool:
    return line.isascii() and line.isprintable() and (width is None or len(line) <= width)
