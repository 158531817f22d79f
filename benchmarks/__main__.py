"""``make bench``: all measurements that need nothing but an index, one after the other.

    python -m benchmarks [--only sync,freeze] [--runs 5] [--folder DIR] [--results DIR]

Each is also a program of its own (``python -m benchmarks.sync --help``), and leaves its figures in
the results as a page and as JSON; ``benchmarks.plots`` draws them. One that fails is told, and
stops no other. Needs the package index. ``python -m tools.measured DIR`` then makes these figures
the published ones.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    everyday,
    everyone,
    freeze,
    hooks,
    huge,
    links,
    lookups,
    projects,
    scaling,
    sync,
    wide,
)
from benchmarks.alternate import options_of
from benchmarks.peers import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INPUTS = ROOT / "benchmarks" / "inputs"
LARGE = str(INPUTS / "large.in")
MEASUREMENTS: dict[str, tuple[Callable[[Sequence[str]], int], tuple[str, ...]]] = {
    "sync": (sync.main, (LARGE,)),
    "freeze": (freeze.main, (LARGE,)),
    "freeze-local": (freeze.main, (LARGE, "--index", "replay")),
    # Fewer packages: some of these tools take minutes for the others.
    "everyone": (everyone.main, (str(INPUTS / "flask-site.in"),)),
    "everyday": (everyday.main, (LARGE,)),
    "hooks": (hooks.main, ()),
    "wide": (wide.main, ()),
    "scaling": (scaling.main, ()),
    "projects": (projects.main, ()),
    "huge": (huge.main, ()),
    "links": (links.main, ()),
    "lookups": (lookups.main, ()),
}
"""Each with its words; those of `RUNS` have rounds of their own."""
RUNS = {"hooks": 12, "everyday": 3, "lookups": 2, "scaling": 0.4, "everyone": 0.6, "links": 0.6}
"""So many times the rounds that are asked for: what is short is measured more often."""


def names(text: str) -> list[str]:
    """Those of measurements, separated by commas; all, where ``text`` is empty.

    Raises:
        argparse.ArgumentTypeError: one that there is not.
    """
    found = [name for name in text.replace(",", " ").split() if name]
    unknown = [name for name in found if name not in MEASUREMENTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}: {', '.join(MEASUREMENTS)}")
    return found or list(MEASUREMENTS)


def main() -> int:
    parser = options_of(__doc__, runs=5)
    parser.add_argument("--only", type=names, default="", help="names, separated by commas")
    parser.set_defaults(results=ROOT / ".cache" / "bench")
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for name in options.only:
        measure, words = MEASUREMENTS[name]
        runs = max(1, round(options.runs * RUNS.get(name, 1)))
        page = options.results / f"{name}.md"
        places = ("--folder", str(Path(options.folder, name)), "--results", str(page))
        started = time.monotonic()
        try:
            code = measure([*words, "--runs", str(runs), *places])
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - the others are measured
            sys.stderr.write(f"{name}: {type(fault).__name__}: {fault}\n")
            code = 1
        sys.stderr.write(f"{name}: {time.monotonic() - started:.0f} s\n")
        failed += [name] if code else []
    sys.stderr.write(f"Failed: {', '.join(failed)}\n" if failed else "")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
