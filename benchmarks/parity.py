"""Compares the native engine with pip-compile over a folder of ``.in`` files: the same pins?

    python -m benchmarks.parity FOLDER... [--python PATH] [--match TEXT] [--timeout SECONDS]

Each ``NAME.in`` is frozen alone by both engines, from the indexes of pip's configuration; a folder
with a ``requirements.in`` is a project: all its files at once by venvman, one after the other by
pip-compile. Prints a line for each, every pin that differs and the reason that
``parity_reasons.toml`` has for it. A refusal by both counts as agreement. Exits 1 where a
difference has no reason. Nothing is written but the caches below ``--cache``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.native import request_of
from benchmarks.reasons import read_reasons
from venvman.engines import native as engine
from venvman.engines.pipcompile import pip_environment
from venvman.lock.parse import parse_lock
from venvman.model.errors import VenvmanError
from venvman.model.events import Reporter
from venvman.model.sources import IndexSource
from venvman.project.pipconfig import read_pip_configuration

if TYPE_CHECKING:
    from venvman.lock.file import Lock

REASONS = Path(__file__).with_name("parity_reasons.toml")


@dataclass(frozen=True)
class Answer:
    """The pins (name to version), or None and what was said instead; and the time it took.

    Names of groups other than default are preceded by the group: ``dev: pytest``.
    """

    pins: dict[str, str] | None
    said: str
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--python", type=Path, default=Path(sys.executable))
    parser.add_argument("--match", default="")
    parser.add_argument("--timeout", type=float, default=600.0)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "parity-cache")
    chosen = parser.parse_args()
    inputs = [path for folder in chosen.folders for path in inputs_of(folder)]
    inputs = [path for path in inputs if chosen.match in path.name]
    reasons = read_reasons(REASONS)
    same = [compare(path, chosen, reasons) for path in inputs]
    explained = sum(
        path.stem in reasons for path, equal in zip(inputs, same, strict=True) if not equal
    )
    unexplained = len(same) - sum(same) - explained
    print(
        f"{len(same)} inputs: {sum(same)} as pip-compile, {explained} different for a reason,"
        f" {unexplained} unexplained"
    )
    return 1 if unexplained else 0


def inputs_of(folder: Path) -> list[Path]:
    """Files ``NAME.in`` and folders with a ``requirements.in``."""
    return sorted(
        [*folder.glob("*.in"), *(each.parent for each in folder.glob("*/requirements.in"))]
    )


def compare(path: Path, chosen: argparse.Namespace, reasons: dict[str, str]) -> bool:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        if path.is_dir():
            shutil.copytree(path, root, dirs_exist_ok=True)
        else:
            shutil.copy(path, root / "requirements.in")
        ours = native(root, chosen)
        theirs = pip_compile(root, chosen)
    same = ours.pins == theirs.pins
    verdict = "same" if same else "different"
    count = "refused" if ours.pins is None else f"{len(ours.pins)} pins"
    print(
        f"{path.stem:24} {verdict:10} {count:>9}  native {ours.seconds:6.1f} s"
        f"  pip-compile {theirs.seconds:6.1f} s",
        flush=True,
    )
    if not same or ours.pins is None:
        tell(ours, theirs)
    if not same:
        print(f"    {reasons.get(path.stem, 'NO REASON KNOWN')}", flush=True)
    return same


def tell(ours: Answer, theirs: Answer) -> None:
    mine, other = ours.pins or {}, theirs.pins or {}
    for name in sorted(mine.keys() | other.keys()):
        if mine.get(name) != other.get(name) and ours.pins and theirs.pins:
            print(f"    {name}: native {mine.get(name)}, pip-compile {other.get(name)}")
    for label, answer in (("native", ours), ("pip-compile", theirs)):
        if answer.pins is None:
            print(f"    {label}: {' '.join(answer.said.split())[:300]}", flush=True)


def native(root: Path, chosen: argparse.Namespace) -> Answer:
    index = read_pip_configuration(dict(os.environ), home=Path.home())
    begun = time.perf_counter()
    try:
        request = request_of(
            root,
            chosen.python,
            index=index,
            work=chosen.cache,
            variables=os.environ,
            hashes=False,
        )
        locks = engine.freeze(request, Reporter()).locks
    except VenvmanError as error:
        return Answer(None, f"{error.message} {error.why or ''}", time.perf_counter() - begun)
    pins = {
        name: pin
        for group, lock in sorted(locks.items())
        for name, pin in pins_of(lock, "" if group == "default" else f"{group}: ").items()
    }
    return Answer(pins, "", time.perf_counter() - begun)


def pins_of(lock: Lock, prefix: str) -> dict[str, str]:
    return {
        prefix + entry.name: str(
            entry.version if isinstance(entry.source, IndexSource) else entry.source
        )
        for entry in lock.entries
    }


def pip_compile(root: Path, chosen: argparse.Namespace) -> Answer:
    """``requirements.in`` first, the other files after it: they may name its lock."""
    pins: dict[str, str] = {}
    begun = time.perf_counter()
    for path in sorted(root.glob("*.in"), key=lambda each: (each.stem != "requirements", each)):
        try:
            done = compile_one(path, chosen)
        except subprocess.TimeoutExpired:
            return Answer(None, "gave up after the time-out", time.perf_counter() - begun)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["?"])[-1]
            return Answer(None, said, time.perf_counter() - begun)
        output = path.with_suffix(".txt")
        prefix = "" if path.stem == "requirements" else f"{path.stem}: "
        pins |= pins_of(parse_lock(output.read_text(), path=output.name), prefix)
    return Answer(pins, "", time.perf_counter() - begun)


def compile_one(path: Path, chosen: argparse.Namespace) -> subprocess.CompletedProcess[str]:
    index = read_pip_configuration(dict(os.environ), home=Path.home())
    output = path.with_suffix(".txt").name
    command = [chosen.python, "-m", "piptools", "compile", "--quiet", "--allow-unsafe",
               "--strip-extras", f"--output-file={output}", path.name]  # fmt: skip
    return subprocess.run(
        command, cwd=path.parent, env=pip_environment(os.environ, index, cache=chosen.cache),
        capture_output=True, text=True, timeout=chosen.timeout, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
