"""Labelled facts: the short results that need neither table nor tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from venvman.report.as_text.words import Style, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

__all__ = ["fact_grid"]


def fact_grid(facts: Iterable[tuple[str, RenderableType]]) -> Table:
    """One row per fact: its label, then its value; a value may have several lines."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style=Style.FAINT)
    grid.add_column(overflow="fold", ratio=1)
    for label, value in facts:
        grid.add_row(plain(label), value)
    return grid
