"""``make bench``: the measurements on one requirements file, one after the other.

    python -m benchmarks [REQUIREMENTS.in] [--runs 5] [--folder DIR]

Without a file: the example service's. Each measurement is also a program of its own
(``python -m benchmarks.sync --help``). Needs the package index.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import freeze, sync
from benchmarks.peers import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "examples" / "web" / "requirements.in"
    parser.add_argument("requirements", type=Path, nargs="?", default=default)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="kept between runs; default: a temporary one")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="venvman-bench-"))
    shared = [str(options.requirements), "--runs", str(options.runs), "--folder", str(folder)]
    return freeze.main(shared) or sync.main(shared)


if __name__ == "__main__":
    sys.exit(main())
