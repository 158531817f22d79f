"""Times commands alternately, as whole processes, and compares them pair by pair.

On a noisy machine only ratios of neighbours mean anything: A B A B ..., one ratio a pair.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A labelled command; ``prepare`` runs before each run and is not timed."""

    label: str
    argv: tuple[str | Path, ...]
    cwd: Path
    env: Mapping[str, str]
    prepare: Callable[[], None] = lambda: None
    codes: tuple[int, ...] = (0,)

    def run(self) -> float:
        """Seconds of wall time.

        Raises:
            RuntimeError: it exited with a code that is not among ``codes``.
        """
        self.prepare()
        started = time.perf_counter()
        done = subprocess.run(
            self.argv, cwd=self.cwd, env=dict(self.env), capture_output=True, check=False
        )
        seconds = time.perf_counter() - started
        if done.returncode not in self.codes:
            words = f"{self.label}: exit code {done.returncode}\n"
            raise RuntimeError(words + done.stdout.decode() + done.stderr.decode())
        return seconds


@dataclass(slots=True)
class Timing:
    """All counted runs of one command, in seconds."""

    label: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        spread = f"{min(self.seconds):.3f} to {max(self.seconds):.3f}, n={len(self.seconds)}"
        return f"{self.label:<44} {self.median:8.3f} s  ({spread})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The first command against each of the others."""

    title: str
    timings: tuple[Timing, ...]
    notes: tuple[str, ...] = ()
    size: int | None = None
    """How much there was to do, where the same is measured at several sizes."""

    def as_json(self) -> dict[str, object]:
        """As ``benchmarks/results`` keeps it; the spread is from the least to the most."""
        return {
            "title": self.title,
            "size": self.size,
            "timings": [
                {"label": each.label, "runs": len(each.seconds), **_spread(each.seconds)}
                for each in self.timings
            ],
            "ratios": [
                {"to": each.label, **_spread(self.ratios(peer))}
                for peer, each in enumerate(self.timings)
                if peer
            ],
            "notes": list(self.notes),
        }

    def ratios(self, peer: int) -> list[float]:
        """Pair by pair: first command's seconds over the peer's."""
        own = self.timings[0].seconds
        return [a / b for a, b in zip(own, self.timings[peer].seconds, strict=True)]

    def __str__(self) -> str:
        lines = [f"## {self.title}", "", *(f"    {timing}" for timing in self.timings), ""]
        for peer in range(1, len(self.timings)):
            ratios = sorted(self.ratios(peer))
            lines.append(
                f"    ratio to {self.timings[peer].label}: {statistics.median(ratios):.2f}"
                f"  ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            )
        lines += (f"    {note}" for note in self.notes)
        return "\n".join(lines) + "\n"


def _spread(values: Sequence[float]) -> dict[str, float]:
    found = {"median": statistics.median(values), "low": min(values), "high": max(values)}
    return {name: round(value, 4) for name, value in found.items()}


def write_results(
    path: Path | None,
    heading: str,
    comparisons: Iterable[Comparison],
    versions: Mapping[str, str],
) -> None:
    """Prints each of ``comparisons`` as it comes; writes them as ``path``'s .md and .json."""
    done: list[Comparison] = []
    for comparison in comparisons:
        sys.stdout.write(f"{comparison}\n")
        sys.stdout.flush()
        done.append(comparison)
    if path:
        facts = {"heading": heading, "machine": machine(), "versions": dict(versions)}
        document = {**facts, "comparisons": [each.as_json() for each in done]}
        path.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
        page = [f"# {heading}", "", machine(), "", *map(str, done)]
        path.with_suffix(".md").write_text("\n".join(page))


def alternate(
    title: str, commands: Sequence[Command], *, runs: int, warmup: int = 1, size: int | None = None
) -> Comparison:
    """Runs every command in turn, ``warmup`` rounds uncounted, then ``runs`` counted ones."""
    timings = tuple(Timing(command.label) for command in commands)
    for number in range(warmup + runs):
        for command, timing in zip(commands, timings, strict=True):
            seconds = command.run()
            if number >= warmup:
                timing.seconds.append(seconds)
    return Comparison(title=title, timings=timings, size=size)


def peak_memory(command: Command, *, interval: float = 0.01) -> float:
    """MiB that the command and all its descendants held together at the worst moment (PSS; Linux).

    Taken in a run of its own, since the sampling costs time.
    """
    command.prepare()
    with subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=dict(command.env),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        peak = 0
        done = threading.Event()

        def wait() -> None:
            process.wait()
            done.set()

        threading.Thread(target=wait, daemon=True).start()
        while not done.wait(interval):
            peak = max(peak, sum(_pss(pid) for pid in _descendants(process.pid)))
    return peak / 1024


def neutral_environment(**more: str) -> dict[str, str]:
    """What peers and venvman both get: no pip configuration, bytecode written as usual."""
    dropped = ("PIP_", "UV_", "VENVMAN_", "PYTHON", "CI", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, **more}


def caches_in(folder: Path) -> dict[str, str]:
    """The same, with the caches and the state of both in ``folder``."""
    leaves = {"UV_CACHE_DIR": "uv-cache", "VENVMAN_CACHE_DIR": "cache"}
    leaves["VENVMAN_STATE_DIR"] = "state"
    return neutral_environment(**{name: str(folder / leaf) for name, leaf in leaves.items()})


def options_of(
    doc: str | None, *, runs: int | None = None, results: bool = True
) -> argparse.ArgumentParser:
    """What a measurement, told by its ``doc``, is asked; the folder is made, and absolute."""

    def folder(text: str) -> Path:
        path = Path(text or tempfile.mkdtemp(prefix="venvman-bench-")).resolve()
        path.mkdir(parents=True, exist_ok=True)
        return path

    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    if runs is not None:
        parser.add_argument("--runs", type=int, default=runs)
    kept = "kept between runs; default: a temporary one"
    parser.add_argument("--folder", type=folder, default="", help=kept)
    if results:
        parser.add_argument("--results", type=Path, help="write the figures there too")
    return parser


def requirement_lines(file: Path) -> list[str]:
    """The lines of ``file`` that are no comments."""
    return [line for line in file.read_text().splitlines() if line and not line.startswith("#")]


def machine() -> str:
    """One line about where the figures come from."""
    return f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _descendants(root: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += parents.get(pid, [])
    return found


def _pss(pid: int) -> int:
    """KiB."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
