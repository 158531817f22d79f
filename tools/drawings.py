"""The drawings of the explanations, light and dark, from the text that stands beside them.

    python -m tools.drawings

A page has its text in a comment: ``<!-- flow NAME`` with a chain of boxes in each line (``A -> B``)
and links between chains (``A => B``), or ``<!-- film NAME`` with a frame in each line
(``title | place: things, things | place:``). The pictures are ``docs/screens/NAME-light.svg`` and
``-dark.svg``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "screens"
SOURCE = re.compile(r"^<!-- (flow|film) ([\w-]+)\n(.*?)^-->$", re.MULTILINE | re.DOTALL)
LOOKS = {
    "light": ("#1f2328", "#57606a", "#eef1ff", "#3447c8"),
    "dark": ("#e6edf3", "#9da7b3", "#1c2233", "#8597ff"),
}
"""Text, lines, the ground of boxes, their edge."""
CHARACTER, LINE = 7.4, 18
"""The width of a character, generously, and the height of a line."""


def pictures() -> Iterator[tuple[str, str]]:
    """The name of each picture, and what is in it."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for kind, name, text in SOURCE.findall(page.read_text(encoding="utf-8")):
            lines = text.strip().splitlines()
            for look in LOOKS:
                drawn = _film(lines, look) if kind == "film" else _flow(lines, look)
                yield f"{name}-{look}.svg", drawn


def _flow(lines: list[str], look: str) -> str:
    chains = [[each.strip() for each in line.split("->")] for line in lines if "->" in line]
    links = [[each.strip() for each in line.split("=>")] for line in lines if "=>" in line]
    gap, height, parts = 34.0, 34.0, []
    places: dict[str, tuple[float, float, float]] = {}
    widest = 0.0
    for row, chain in enumerate(chains):
        x, y = 1.0, 1.0 + row * (height + gap)
        for box in chain:
            width = len(box) * CHARACTER + 22
            places[box] = (x, y, width)
            parts.append(_box(x, y, width, height, box, look))
            if box != chain[-1]:
                middle = y + height / 2
                parts.append(_arrow(x + width, middle, x + width + gap - 3, middle))
            x += width + gap
        widest = max(widest, x - gap)
    for start, end in links:
        (x1, y1, w1), (x2, y2, w2) = places[start], places[end]
        # Straight down where both begin at the left; else from middle to middle.
        from_x, to_x = (x1 + 40, x2 + 40) if x1 == x2 else (x1 + w1 / 2, x2 + w2 / 2)
        from_y, to_y = (y1 + height, y2 - 3) if y1 < y2 else (y1, y2 + height + 3)
        parts.append(_arrow(from_x, from_y, to_x, to_y))
    return _svg(widest + 1, len(chains) * (height + gap) - gap + 2, parts, look)


def _film(lines: list[str], look: str) -> str:
    width, inner, parts = 360.0, 88.0, []
    places = [part.partition(":")[0].strip() for part in lines[0].split("|")[1:]]
    height = 40 + len(places) * 30.0
    for index, line in enumerate(lines):
        title, *shelves = (part.strip() for part in line.split("|"))
        x, y = 1 + index % 2 * (width + 16), 1 + index // 2 * (height + 16)
        parts.append(_box(x, y, width, height, "", look))
        parts.append(_words(x + 12, y + 24, f"{index + 1}. {title}", weight="bold"))
        for row, shelf in enumerate(shelves):
            place, _, things = shelf.partition(":")
            middle = y + 54 + row * 30
            parts.append(_words(x + 12, middle, place.strip()))
            at = x + inner
            for thing in filter(None, (each.strip() for each in things.split(","))):
                size = len(thing) * CHARACTER + 14
                parts.append(_box(at, middle - 17, size, 24, thing, look, solid=True))
                at += size + 6
    rows = (len(lines) + 1) // 2
    return _svg(2 * width + 18, rows * (height + 16) - 14, parts, look)


def _box(
    x: float, y: float, width: float, height: float, words: str, look: str, *, solid: bool = False
) -> str:
    _, faint, ground, edge = LOOKS[look]
    inside = _words(x + width / 2, y + height / 2 + 5, words, anchor="middle") if words else ""
    line = edge if words else faint
    fill = ground if words or solid else "none"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="4" '
        f'fill="{fill}" stroke="{line}"/>{inside}'
    )


def _words(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(words)}</text>"
    )


def _arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" marker-end="url(#end)"/>'


def _svg(width: float, height: float, parts: list[str], look: str) -> str:
    text, faint, *_ = LOOKS[look]
    head = (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        'xmlns="http://www.w3.org/2000/svg">'
    )
    marker = (
        '<marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0L8 4L0 8z" fill="{faint}" stroke="none"/></marker>'
    )
    group = f'<g font-family="system-ui, sans-serif" font-size="14" fill="{text}">'
    lines = [part.replace("<path d", f'<path stroke="{faint}" d') for part in parts]
    return "\n".join([head, f"<defs>{marker}</defs>", group, *lines, "</g>", "</svg>", ""])


def main() -> int:
    """Writes the pictures."""
    for name, drawn in pictures():
        (PICTURES / name).write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
