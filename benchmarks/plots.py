"""What measurements come to: where venvman is slower, in words, and all of them as drawings.

    python -m benchmarks.plots FOLDER

For each ``NAME.md`` that ``benchmarks`` wrote there, ``NAME-light.svg`` and ``NAME-dark.svg``: the
ratios to each peer with their spread. Drawn by matplotlib, where it is (``uv run --with
matplotlib``).
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_RATIO = re.compile(r"^    ratio to (.+): ([\d.]+)  \(([\d.]+) to ([\d.]+)\)$", re.MULTILINE)
_FLOORS = {"python -c pass", "no hook", "an empty hook", "an empty hook and git --version twice"}
"""What no program of the kind can be quicker than: no peers, though measured beside."""
COLOURS = {"light": ("#1f2328", "#0969da", "#cf222e"), "dark": ("#e6edf3", "#58a6ff", "#ff7b72")}
"""Text, what is quicker, what is slower; the ground is transparent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Of our time to a peer's in one measurement: the median of pairs, the least, the greatest."""

    what: str
    peer: str
    median: float
    least: float
    most: float


def ratios(text: str) -> tuple[Ratio, ...]:
    """Those of a page of results, in its order."""
    return tuple(
        Ratio(what=heading, peer=peer, median=float(median), least=float(least), most=float(most))
        for heading, _, section in (part.partition("\n") for part in text.split("\n## ")[1:])
        for peer, median, least, most in _RATIO.findall(section)
    )


def slower(found: Sequence[Ratio]) -> str:
    """What takes venvman longer than a peer, the worst first; a line each."""
    peers = (each for each in found if each.peer not in _FLOORS)
    worse = sorted((each for each in peers if each.median > 1), key=lambda each: -each.median)
    lines = [f"- {each.what}: {each.median:.2f} times {each.peer}" for each in worse]
    return "\n".join(["# Where venvman is slower", "", *(lines or ["Nowhere."]), ""])


def draw(found: Sequence[Ratio], title: str, path: Path, colours: tuple[str, str, str]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    # The same figures are the same bytes.
    mpl.rcParams.update({"svg.hashsalt": "venvman", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    text, quick, slow = colours
    figure, axes = pyplot.subplots(figsize=(7.5, 1 + 0.28 * len(found)), layout="constrained")
    for at, each in enumerate(reversed(found)):
        axes.plot([each.least, each.most], [at, at], color=text, linewidth=0.8)
        axes.plot(each.median, at, "o", color=slow if each.median > 1 else quick)
    axes.axvline(1, color=text, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set_yticks(range(len(found)), [f"{each.what} : {each.peer}" for each in reversed(found)])
    axes.set_title(f"{title}: times the peer's time", color=text, loc="left")
    axes.tick_params(which="both", colors=text)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.savefig(path, transparent=True, metadata={"Date": None})
    pyplot.close(figure)


def main() -> int:
    folder = Path(sys.argv[1])
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    found = {path: ratios(text) for path, text in pages.items() if path.stem != "slower"}
    told = slower([each for some in found.values() for each in some])
    (folder / "slower.md").write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    for path, some in found.items():
        title = pages[path].partition("\n")[0].removeprefix("# ")
        for scheme, colours in COLOURS.items() if some else ():
            draw(some, title, folder / f"{path.stem}-{scheme}.svg", colours)
    return 0


if __name__ == "__main__":
    sys.exit(main())
