"""``make bench``: all measurements that need nothing but an index, one after the other.

    python -m benchmarks [REQUIREMENTS.in] [--runs 5] [--folder DIR] [--results DIR]

Without a file: the 14 requirements of the README's table. Each measurement is also a program of
its own (``python -m benchmarks.sync --help``), and writes a page into the results;
``benchmarks.plots`` draws them. One that fails is told, and stops no other. Needs the package
index. ``python -m tools.measured DIR`` then makes these figures the published ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import everyday, everyone, freeze, hooks, lookups, scaling, sync, wide
from benchmarks.peers import ROOT

if TYPE_CHECKING:
    from types import ModuleType


WITH_FILE = (freeze, sync, everyone, everyday)
MODULES = (*WITH_FILE, hooks, wide, scaling, lookups)


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "benchmarks" / "inputs" / "large.in"
    parser.add_argument("requirements", type=Path, nargs="?", default=default)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="kept between runs; default: a temporary one")
    parser.add_argument("--results", type=Path, default=ROOT / ".cache" / "bench")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="venvman-bench-"))
    options.results.mkdir(parents=True, exist_ok=True)
    failed: list[str] = []
    for name, module in {"freeze-local": freeze, **{_name(each): each for each in MODULES}}.items():
        runs = 60 if module is hooks else options.runs
        page = options.results if module is scaling else options.results / f"{name}.md"
        words = [str(options.requirements)] if module in WITH_FILE else []
        words += ["--runs", str(runs), "--folder", str(folder / name), "--results", str(page)]
        words += ["--index", "replay"] if name == "freeze-local" else []
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
