"""Freezing 10 to 800 packages beside uv: does it grow faster than linearly?

    python -m benchmarks.scaling [--runs 3] [--results FILE]

Freezes growing prefixes of a list of well-known packages with a warm cache. Each run asks what none
asked before (one more harmless line), so that it is solved and not remembered. Needs the package
index.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import (
    Command,
    Comparison,
    alternate,
    caches_in,
    requirement_lines,
)
from benchmarks.peers import beside_uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# Direct requirements in an order that adds a few new packages each time.
NAMES = requirement_lines(Path(__file__).with_name("popular.txt"))
SIZES = (4, 10, 24, 34, 76, 131, 195, 264, len(NAMES))


def main(arguments: Sequence[str] | None = None) -> int:
    return beside_uv(__doc__, arguments, "freeze, warm cache, by number of packages", measured)


def measured(folder: Path, venvman: Path, uv: Path, runs: int) -> Iterator[Comparison]:
    env = caches_in(folder)
    for names in (NAMES[:size] for size in SIZES):
        project = folder / f"scaling-{len(names)}"
        project.mkdir(exist_ok=True)
        lock, theirs = project / "requirements.txt", folder / "uv.txt"
        compiled = (uv, "pip", "compile", "-q", "--generate-hashes", "--python", sys.executable,
                    "requirements.in", "-o", theirs)  # fmt: skip
        frozen = (venvman, "freeze", "--python", sys.executable)

        def command(label: str, argv: Sequence[object], lock: Path) -> Command:
            words, prepare = tuple(map(str, argv)), asked_anew(project, names, lock)  # noqa: B023
            return Command(label=label, argv=words, cwd=project, env=env, prepare=prepare)  # noqa: B023

        pair = [
            command("venvman freeze", frozen, lock),
            command("uv pip compile", compiled, theirs),
        ]
        found = alternate("freeze", pair, runs=runs)
        size = len(re.findall(r"^\S+==", lock.read_text(), re.MULTILINE))
        yield Comparison(title=f"freeze, {size} packages", timings=found.timings, size=size)


def asked_anew(project: Path, names: Sequence[str], lock: Path) -> Callable[[], None]:
    """The project asks for ``names``, in a way nobody asked before."""

    def prepare() -> None:
        lock.unlink(missing_ok=True)
        lines = [*names, f"{names[0]}!=0.0.{time.time_ns()}"]
        (project / "requirements.in").write_text("\n".join(lines) + "\n")

    return prepare


if __name__ == "__main__":
    sys.exit(main())
