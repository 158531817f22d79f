"""Labelled facts: the short results that need neither table nor tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.report.as_text.words import Style, plain
from venvman.report.drawing import Grid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.report.drawing import Drawing

__all__ = ["fact_grid"]


def fact_grid(facts: Iterable[tuple[str, Drawing]]) -> Grid:
    """One row per fact: its label, then its value; a value may have several lines."""
    grid = Grid(gap=2)
    grid.add_column(whole=True, style=Style.FAINT)
    grid.add_column()
    for label, value in facts:
        grid.add_row(plain(label), value)
    return grid
