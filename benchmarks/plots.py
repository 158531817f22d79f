"""What measurements come to: where venvman is slower, in words, and all of them as drawings.

    python -m benchmarks.plots FOLDER

For each ``NAME.json`` that ``benchmarks`` wrote there, ``NAME-light.svg`` and ``NAME-dark.svg``:
the ratios to each peer with their spread, or the seconds by size where the same was measured at
several. Drawn by matplotlib, where it is (``uv run --with matplotlib``).
"""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def ratios(results: Mapping[str, Any]) -> tuple[Ratio, ...]:
    """Those of one file of results, in its order."""
    return tuple(
        Ratio(
            what=comparison["title"],
            peer=each["to"],
            median=each["median"],
            least=each["low"],
            most=each["high"],
        )
        for comparison in results["comparisons"]
        for each in comparison["ratios"]
    )


def slower(found: Sequence[Ratio]) -> str:
    """What takes venvman longer than a peer, the worst first; a line each."""
    peers = (each for each in found if each.peer not in _FLOORS)
    worse = sorted((each for each in peers if each.median > 1), key=lambda each: -each.median)
    lines = [f"- {each.what}: {each.median:.2f} times {each.peer}" for each in worse]
    return "\n".join(["# Where venvman is slower", "", *(lines or ["Nowhere."]), ""])


def draw(results: Mapping[str, Any], path: Path, colours: tuple[str, str, str]) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    # The same figures are the same bytes.
    mpl.rcParams.update({"svg.hashsalt": "venvman", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    sized = [each for each in results["comparisons"] if each.get("size") is not None]
    found = ratios(results)
    height = 3.5 if sized else 1 + 0.28 * len(found)
    figure, axes = pyplot.subplots(figsize=(7.5, height), layout="constrained")
    about = ", ".join(f"{name} {told}" for name, told in results["versions"].items())
    where = textwrap.fill(f"{results['machine']}; {about}", 110)
    title = f"{results['heading']}\n{where}"
    axes.set_title(title, color=colours[0], loc="left", fontsize=8)
    if sized:
        _by_size(axes, sized, colours)
    else:
        _side_by_side(axes, found, colours)
    axes.tick_params(which="both", colors=colours[0])
    for side in axes.spines.values():
        side.set_visible(False)
    figure.savefig(path, transparent=True, metadata={"Date": None})
    pyplot.close(figure)


def _side_by_side(
    axes: Any,  # noqa: ANN401 - matplotlib is not there when types are checked
    found: Sequence[Ratio],
    colours: tuple[str, str, str],
) -> None:
    """Times the peer's time, on a logarithmic scale."""
    text, quick, slow = colours
    for at, each in enumerate(reversed(found)):
        axes.plot([each.least, each.most], [at, at], color=text, linewidth=0.8)
        axes.plot(each.median, at, "o", color=slow if each.median > 1 else quick)
    axes.axvline(1, color=text, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set_yticks(range(len(found)), [f"{each.what} : {each.peer}" for each in reversed(found)])
    axes.set_xlabel("times the peer's time", color=text)


def _by_size(
    axes: Any,  # noqa: ANN401 - the same
    sized: Sequence[Mapping[str, Any]],
    colours: tuple[str, str, str],
) -> None:
    """Seconds by size, a line for each program."""
    text, own, other = colours
    sizes = [each["size"] for each in sized]
    for at, timing in enumerate(sized[0]["timings"]):
        rows = [each["timings"][at] for each in sized]
        medians = [row["median"] for row in rows]
        spread = [
            [row["median"] - row["low"] for row in rows],
            [row["high"] - row["median"] for row in rows],
        ]
        colour = other if at else own
        axes.errorbar(sizes, medians, spread, fmt="o-", color=colour, label=timing["label"])
    axes.set_ylim(bottom=0)
    axes.set_ylabel("seconds", color=text)
    axes.legend(frameon=False, labelcolor=text)


def main() -> int:
    folder = Path(sys.argv[1])
    files = sorted(folder.glob("*.json"))
    found = {path: json.loads(path.read_text(encoding="utf-8")) for path in files}
    told = slower([each for results in found.values() for each in ratios(results)])
    (folder / "slower.md").write_text(told, encoding="utf-8")
    sys.stdout.write(told)
    for path, results in found.items():
        for scheme, colours in COLOURS.items():
            draw(results, folder / f"{path.stem}-{scheme}.svg", colours)
    return 0


if __name__ == "__main__":
    sys.exit(main())
