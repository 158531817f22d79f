"""``make bench``: all measurements that need nothing but an index, one after the other.

    python -m benchmarks [REQUIREMENTS.in] [--runs 5] [--folder DIR] [--results DIR]

Without a file: the example service's. Each measurement is also a program of its own
(``python -m benchmarks.sync --help``), and writes a page into the results; ``benchmarks.plots``
draws them. One that fails is told, and stops no other. Needs the package index.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import everyday, freeze, hooks, lookups, scaling, sync, wide
from benchmarks.peers import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "examples" / "web" / "requirements.in"
    parser.add_argument("requirements", type=Path, nargs="?", default=default)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="kept between runs; default: a temporary one")
    parser.add_argument("--results", type=Path, default=ROOT / ".cache" / "bench")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="venvman-bench-"))
    options.results.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for module in (freeze, sync, everyday, hooks, wide, scaling, lookups):
        name = module.__name__.rpartition(".")[2]
        wants_file = module in (freeze, sync, everyday)
        runs = 60 if module is hooks else options.runs
        page = options.results if module is scaling else options.results / f"{name}.md"
        words = [str(options.requirements)] if wants_file else []
        words += ["--runs", str(runs), "--folder", str(folder / name), "--results", str(page)]
        try:
            code = module.main(words)
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - the others are measured
            sys.stderr.write(f"{name}: {type(fault).__name__}: {fault}\n")
            code = 1
        failed += [name] if code else []
    sys.stderr.write(f"Failed: {', '.join(failed)}\n" if failed else "")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
