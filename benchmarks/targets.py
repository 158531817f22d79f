"""Compares one lock for many targets with what ``uv`` finds for each of them alone.

    python benchmarks/targets.py INPUT... [--target SPEC]... [--uv PATH] [--index-url URL]

Each INPUT is a requirements file. It is frozen once for all targets (three systems, Python 3.10 to
3.13, unless told otherwise); then for every target ``uv pip compile --python-platform
--python-version`` is run, and its pins are compared with those that the target selects from the
lock. Prints every difference, with the note that explains it where there is one, and the times.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from benchmarks.native import request_of
from venvman.engines import native
from venvman.lock.file import applicable
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.model.events import Reporter
from venvman.model.names import canonical
from venvman.model.options import IndexOptions
from venvman.python.targets import expand, label_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.lock.file import Lock
    from venvman.model.errors import Problem
    from venvman.model.names import NormalizedName
    from venvman.model.target import Target

PLATFORMS = {
    "linux": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "linux-musl": "x86_64-unknown-linux-musl",
    "linux-musl-aarch64": "aarch64-unknown-linux-musl",
    "macos": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
    "windows": "x86_64-pc-windows-msvc",
    "windows-arm64": "aarch64-pc-windows-msvc",
}


class Notes(Reporter):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", nargs="+", type=Path)
    parser.add_argument("--target", action="append", default=[])
    parser.add_argument("--uv", default="uv")
    parser.add_argument("--index-url", default="https://pypi.org/simple")
    chosen = parser.parse_args()
    targets = expand(
        chosen.target or ["universal:3.10-3.13"], requires_python=None, current=(3, 12)
    )
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        wrong = [compare(each, targets, chosen, work) for each in chosen.inputs]
    print(f"{sum(wrong)} differences in {len(wrong) * len(targets)} selections")
    return 1 if any(wrong) else 0


def compare(
    source: Path, targets: tuple[Target, ...], chosen: argparse.Namespace, work: Path
) -> int:
    """How many selections differ."""
    root = work / source.stem
    root.mkdir()
    shutil.copy(source, root / "requirements.in")
    notes = Notes()
    lock = freeze(root, targets, chosen.index_url, work, notes)
    differing = 0
    begun = time.perf_counter()
    for target in targets:
        ours = {
            entry.name: str(entry.version) for entry in applicable(lock, target) if entry.version
        }
        theirs = uv(root, target, chosen, work)
        if ours != theirs:
            differing += 1
            report(label_of(target), ours, theirs)
    for problem in notes.problems:
        print(f"  note: {problem.message}")
    seconds = time.perf_counter() - begun
    print(
        f"{source.name}: {len(targets) - differing} of {len(targets)} selections are uv's", end=""
    )
    print(f"; {len(lock.entries)} lines; uv {seconds:.1f} s for all targets")
    return differing


def freeze(
    root: Path, targets: tuple[Target, ...], index_url: str, work: Path, reporter: Reporter
) -> Lock:
    """The lock, read back from its text; prints how long one target and all of them took."""
    request = request_of(
        root,
        Path(sys.executable),
        index=IndexOptions(index_urls=(index_url,)),
        work=work,
        variables=os.environ,
    )
    times = []
    for chosen in ((), (), targets):
        begun = time.perf_counter()
        order = replace(request, targets=chosen)
        text = render_lock(native.freeze(order, reporter).locks["default"])
        times.append(f"{time.perf_counter() - begun:.2f} s")
    print(f"{root.name}: one target {times[0]}, again {times[1]}, all targets {times[2]}")
    return parse_lock(text, path="requirements.txt")


def uv(
    root: Path, target: Target, chosen: argparse.Namespace, work: Path
) -> dict[NormalizedName, str] | str:
    """uv's pins for ``target``, or what it said instead."""
    place, _, minor = label_of(target).partition(":")
    command = [
        chosen.uv, "pip", "compile", "requirements.in", "--quiet", "--no-config", "--no-header",
        "--no-annotate", "--python-platform", PLATFORMS[place], "--python-version", minor,
        "--index-url", chosen.index_url, "--cache-dir", str(work / "uv"),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip()
    lines = (line for line in done.stdout.splitlines() if "==" in line)
    found = map(Requirement, lines)
    return {canonical(each.name): str(next(iter(each.specifier)).version) for each in found}


def report(
    label: str, ours: Mapping[NormalizedName, str], theirs: Mapping[NormalizedName, str] | str
) -> None:
    if isinstance(theirs, str):
        print(f"  {label}: uv refuses: {theirs}")
        return
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            print(f"  {label}: {name} {ours.get(name)}, uv {theirs.get(name)}")


if __name__ == "__main__":
    sys.exit(main())
