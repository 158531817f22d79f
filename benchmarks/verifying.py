"""What ``doctor`` costs beside a walk of the same files, hashing them, and ``pip check``.

    python -m benchmarks.verifying PROJECT        a synced project; the memo is switched off

CPU seconds, all taken by turns; the medians, and how many walks each is worth.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WALK = """
import os, sys
def walk(folder):
    with os.scandir(folder) as entries:
        for each in entries:
            if each.is_dir(follow_symlinks=False):
                if each.name != "__pycache__":
                    walk(each.path)
            else:
                each.stat(follow_symlinks=False)
walk(sys.argv[1])
"""


def spent(words: list[str | Path], cwd: Path) -> float:
    """The CPU seconds, user's and system's, of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    off = {**os.environ, "VENVMAN_NO_MEMO": "1"}
    subprocess.run(words, cwd=cwd, env=off, stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints a row for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    root: Path = chosen.project
    library = root / "venv" / "lib"
    venvman: list[str | Path] = [sys.executable, "-m", "venvman", "doctor"]
    commands: dict[str, Callable[[], float]] = {
        "walk": lambda: spent([sys.executable, "-c", WALK, library], root),
        "doctor": lambda: spent(venvman, root),
        "doctor --verify": lambda: spent([*venvman, "--verify"], root),
        "pip check": lambda: spent([root / "venv/bin/python", "-m", "pip", "check"], root),
        "sha256 of all": lambda: _hashed(library),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(chosen.rounds):
        for name, run in commands.items():
            times[name].append(run())
    walk = median(times["walk"])
    for name, row in times.items():
        print(f"{name:16} {median(row):7.3f} s {median(row) / walk:6.1f} walks")


def _hashed(folder: Path) -> float:
    before = os.times()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            hashlib.sha256(path.read_bytes(), usedforsecurity=False).digest()
    after = os.times()
    return after.user + after.system - before.user - before.system


if __name__ == "__main__":
    main()
