"""Freezing time against the number of packages: does it grow faster than linearly?

    python -m benchmarks.scaling [--runs 3] [--index URL] [--results FOLDER]

Freezes growing prefixes of a list of well-known packages with a warm cache, as whole processes, and
writes ``scaling.md`` and ``scaling.svg``. Each run asks what none asked before (one more harmless
line), so that it is solved and not remembered. Needs an index (``benchmarks.replay`` gives a local
one).
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import Command, caches_in, machine, options_of, requirement_lines
from benchmarks.peers import ROOT, install_venvman

if TYPE_CHECKING:
    from collections.abc import Sequence

# Direct requirements in an order that adds a few new packages each time.
NAMES = requirement_lines(Path(__file__).with_name("popular.txt"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One prefix: how many packages it came to and the seconds of each run."""

    packages: int
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, runs=3)
    parser.add_argument("--index", help="an index of your own, such as a local replay")
    parser.set_defaults(results=ROOT / "benchmarks" / "results")
    options = parser.parse_args(arguments)
    folder = options.folder
    program = install_venvman(folder) / "venvman"
    env = caches_in(folder)
    if options.index:
        env["PIP_INDEX_URL"] = options.index
    sizes = (3, 6, 10, 16, 24, 34, 46, 60, 76, 95, 115, len(NAMES))
    prefixes = [Prefix(folder / f"scaling-{size}", program, env, NAMES[:size]) for size in sizes]
    # In turn, so that a slow moment of the machine is not one size's alone; the first round warms.
    rounds = [[each.freeze() for each in prefixes] for _ in range(options.runs + 1)]
    points = [
        Point(packages=each.packages, seconds=seconds)
        for each, seconds in zip(prefixes, zip(*rounds[1:], strict=True), strict=True)
    ]
    for point in points:
        sys.stdout.write(f"{point.packages:4} packages  {point.median:.3f} s\n")
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "scaling.md").write_text(table(points))
    (options.results / "scaling.svg").write_text(plot(points))
    return 0


class Prefix:
    """A project that asks for ``names``, each time in a way nobody asked before."""

    def __init__(
        self, project: Path, program: Path, env: dict[str, str], names: Sequence[str]
    ) -> None:
        self._project = project
        self._names = names
        self._lock = project / "requirements.txt"
        argv = (str(program), "freeze", "--python", sys.executable)
        self._command = Command(
            label="freeze", argv=argv, cwd=project, env=env, prepare=self._ask_anew
        )
        project.mkdir(exist_ok=True)

    def freeze(self) -> float:
        """Seconds."""
        return self._command.run()

    @property
    def packages(self) -> int:
        """How many the last freeze came to."""
        return len(re.findall(r"^\S+==", self._lock.read_text(), re.MULTILINE))

    def _ask_anew(self) -> None:
        self._lock.unlink(missing_ok=True)
        lines = [*self._names, f"{self._names[0]}!=0.0.{time.time_ns()}"]
        (self._project / "requirements.in").write_text("\n".join(lines) + "\n")


def slope(points: Sequence[Point]) -> tuple[float, float]:
    """Least squares: seconds for nothing, and seconds for each package."""
    found = statistics.linear_regression(
        [point.packages for point in points], [point.median for point in points]
    )
    return found.intercept, found.slope


def table(points: Sequence[Point]) -> str:
    base, each = slope(points)
    half = len(points) // 2
    verdict = (
        f"Least squares: {base:.3f} s and {1000 * each:.2f} ms for each package; "
        f"the smaller half alone {1000 * slope(points[:half])[1]:.2f} ms, "
        f"the larger half alone {1000 * slope(points[half:])[1]:.2f} ms for each."
    )
    lines = [
        "# freeze, warm cache, by number of packages",
        "",
        machine(),
        "",
        "| packages | median s | from | to |",
        "| --- | --- | --- | --- |",
        *(
            f"| {p.packages} | {p.median:.3f} | {min(p.seconds):.3f} | {max(p.seconds):.3f} |"
            for p in points
        ),
        "",
        verdict,
        "",
    ]
    return "\n".join(lines)


def plot(points: Sequence[Point]) -> str:
    """A drawing with the measured medians and the straight line of least squares."""
    width, height, margin = 640, 400, 50
    most = max(point.packages for point in points) * 1.05
    longest = max(point.median for point in points) * 1.1

    def place(packages: float, seconds: float) -> tuple[float, float]:
        x = margin + packages / most * (width - 2 * margin)
        return x, height - margin - seconds / longest * (height - 2 * margin)

    base, each = slope(points)
    ends = [place(0, base), place(most, base + each * most)]
    dots = [place(point.packages, point.median) for point in points]
    marks = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#06c"/>' for x, y in dots)
    ticks = "".join(
        f'<text x="{place(n, 0)[0]:.0f}" y="{height - margin + 18}">{n}</text>'
        for n in range(0, int(most) + 1, 100)
    )
    lines = "".join(
        f'<text x="8" y="{place(0, tenth / 10)[1] + 4:.0f}">{tenth / 10:.1f} s</text>'
        for tenth in range(0, int(longest * 10) + 1, max(1, int(longest * 10) // 6))
    )
    (x1, y1), (x2, y2) = ends
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="{margin}" y="24" font-size="14">venvman freeze, warm cache: '
        "seconds by number of packages</text>"
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#aaa"/>'
        f"{marks}{ticks}{lines}</svg>\n"
    )


if __name__ == "__main__":
    sys.exit(main())
