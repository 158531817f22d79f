"""How values are put into words: quantities, durations, sizes, text that nobody vouches for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.report.drawing import Drawing, Grid, Text
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable


# C0 and C1 control characters but newline and tab: a terminal would obey them.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Style:
    """Rich styles by meaning. Each is paired with a word or symbol, never alone."""

    ADDED = "green"
    CHANGED = "yellow"
    REMOVED = "red"
    ERROR = "bold red"
    WARNING = "bold yellow"
    NOTE = "bold blue"
    GOOD = "bold green"
    NAME = "bold"
    FAINT = "dim"
    COMMAND = "bold cyan"
    PATH = "cyan"


def plain(value: object, style: str = "") -> Text:
    """``value`` as inert text: no markup, no credentials, control characters made visible."""
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", redact(str(value)))
    return Text(text, style=style)


def count(number: int, one: str) -> str:
    """``1 package``, ``3 packages``."""
    return f"{number:,} {one if number == 1 else one + 's'}"


def duration(seconds: float) -> str:
    """``40 ms``, ``1.2 s``, ``2 min 05 s``."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def size(number: float) -> str:
    """``830 B``, ``12.3 kB``, ``1.4 GB``: powers of ten, as indexes and disks count."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def sentence_list(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *head, last = [*words] or [""]
    return f"{', '.join(head)} and {last}" if head else last


def fact_grid(facts: Iterable[tuple[str, Drawing]]) -> Grid:
    """One row per fact: its label, then its value; a value may have several lines."""
    grid = Grid(gap=2)
    grid.add_column(whole=True, style=Style.FAINT)
    grid.add_column()
    for label, value in facts:
        grid.add_row(plain(label), value)
    return grid
