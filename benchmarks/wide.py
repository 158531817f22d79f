"""Freezing pinned lines by the thousand against uv: CPU and memory, and their growth.

    python -m benchmarks.wide [--lines 3000] [--runs 3] [--results FILE]

Synthetic pure wheels in a folder, every line ``==``: nothing to search and no network.
"""

from __future__ import annotations

import os
import statistics
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.alternate import Comparison, Timing, caches_in, options_of, write_results
from benchmarks.peers import install_peers, install_venvman, versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One process: seconds of CPU and MiB at its peak."""

    cpu: float
    memory: float


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, runs=3)
    parser.add_argument("--lines", type=int, default=3000)
    options = parser.parse_args(arguments)
    folder = options.folder
    venvman = install_venvman(folder) / "venvman"
    uv = install_peers(folder) / "uv"
    sizes = (options.lines, 2 * options.lines)
    write_results(
        options.results,
        "pinned lines: seconds of CPU",
        measured(folder, venvman, uv, sizes, options.runs),
        versions(venvman, uv),
    )
    return 0


def measured(
    folder: Path, venvman: Path, uv: Path, sizes: Sequence[int], runs: int
) -> Iterator[Comparison]:
    env = caches_in(folder)
    for lines in sizes:
        project = write_project(folder / f"lines-{lines}", lines)
        lock = project / "requirements.txt"
        ours = (venvman, "freeze", "--python", sys.executable)
        theirs = (uv, "pip", "compile", "-q", "--generate-hashes", "--python", sys.executable,
                  "requirements.in", "-o", folder / "uv.txt")  # fmt: skip
        costs: dict[str, list[Cost]] = {"venvman": [], "uv": []}
        for _ in range(runs):
            lock.unlink(missing_ok=True)
            costs["venvman"].append(cost([*map(str, ours)], project, env))
            costs["uv"].append(cost([*map(str, theirs)], project, env))
        yield Comparison(
            title=f"{lines} pinned lines",
            timings=tuple(Timing(name, [one.cpu for one in each]) for name, each in costs.items()),
            notes=(f"memory: {', '.join(f'{name} {peak(each)}' for name, each in costs.items())}",),
            size=lines,
        )


def peak(costs: Sequence[Cost]) -> str:
    return f"{statistics.median(each.memory for each in costs):.0f} MiB"


def write_project(root: Path, lines: int) -> Path:
    """A project of so many pins, and the folder of its wheels."""
    wheels = root / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    names = [f"syn{number:05}" for number in range(lines)]
    for name in names:
        path = wheels / f"{name}-1.0-py3-none-any.whl"
        if not path.exists():
            with zipfile.ZipFile(path, "w") as archive:
                info = f"{name}-1.0.dist-info"
                about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
                archive.writestr(f"{info}/METADATA", about)
                archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
                archive.writestr(f"{info}/RECORD", "")
    text = "--no-index\n--find-links wheels\n" + "".join(f"{name}==1.0\n" for name in names)
    (root / "requirements.in").write_text(text)
    return root


def cost(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Cost:
    """Of the process and those that it waited for."""
    pid = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", 'cd "$0" && exec "$@" >/dev/null 2>&1', str(cwd), *argv],
        dict(env),
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{argv[0]} failed: {status}")
    return Cost(cpu=usage.ru_utime + usage.ru_stime, memory=usage.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
