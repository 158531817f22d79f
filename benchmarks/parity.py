"""Compares the native engine with pip-compile over a folder of ``.in`` files: the same pins?

    python benchmarks/parity.py FOLDER... [--python PATH] [--match TEXT] [--timeout SECONDS]

Each file is frozen alone by both engines, from the indexes that pip's configuration names. Prints
one line for each file, every pin that differs, and how many files agree. A refusal by both counts
as agreement. Nothing is written but the caches below ``--cache``.
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

from venvman.directories import Directories
from venvman.engines import ENGINES, FreezeRequest
from venvman.engines.neutral import pip_environment
from venvman.errors import VenvmanError
from venvman.events import Reporter
from venvman.lock.file import parse_lock
from venvman.pipconfig import read_pip_configuration
from venvman.project import Project
from venvman.python.probe import probe
from venvman.requirements.groups import read_requirements
from venvman.scan import scan
from venvman.sources import IndexSource


@dataclass(frozen=True)
class Answer:
    """The pins (name to version), or None and what was said instead; and the time it took."""

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
    files = sorted(path for folder in chosen.folders for path in folder.glob("*.in"))
    files = [path for path in files if chosen.match in path.name]
    agreed = sum(compare(path, chosen) for path in files)
    print(f"{agreed} of {len(files)} files agree with pip-compile")
    return 0 if agreed == len(files) else 1


def compare(path: Path, chosen: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shutil.copy(path, root / "requirements.in")
        ours = native(root, chosen)
        theirs = pip_compile(root, chosen)
    same = ours.pins == theirs.pins
    verdict = "same" if same else "DIFFERENT"
    count = "refused" if ours.pins is None else f"{len(ours.pins)} pins"
    print(
        f"{path.stem:24} {verdict:10} {count:>9}  native {ours.seconds:6.1f} s"
        f"  pip-compile {theirs.seconds:6.1f} s",
        flush=True,
    )
    if not same:
        tell(ours, theirs)
    return same


def tell(ours: Answer, theirs: Answer) -> None:
    mine, other = ours.pins or {}, theirs.pins or {}
    for name in sorted(mine.keys() | other.keys()):
        if mine.get(name) != other.get(name) and ours.pins and theirs.pins:
            print(f"    {name}: native {mine.get(name)}, pip-compile {other.get(name)}")
    for label, answer in (("native", ours), ("pip-compile", theirs)):
        if answer.pins is None:
            print(f"    {label}: {answer.said}")


def native(root: Path, chosen: argparse.Namespace) -> Answer:
    directories = Directories(cache=chosen.cache, state=chosen.cache / "state")
    interpreter = probe(chosen.python, directories=directories)
    project = Project(root=root)
    variables = dict(os.environ)
    begun = time.perf_counter()
    try:
        request = FreezeRequest(
            project=project,
            groups=read_requirements(scan(project, variables={}), variables={}).groups,
            python=interpreter.path,
            target=interpreter.target,
            index=read_pip_configuration(variables, home=Path.home()),
            directories=directories,
            variables=variables,
            hashes=False,
        )
        lock = ENGINES["native"]().freeze(request, Reporter()).locks["default"]
    except VenvmanError as error:
        return Answer(None, f"{error.message} {error.why or ''}", time.perf_counter() - begun)
    pins = {
        entry.name: str(entry.version if isinstance(entry.source, IndexSource) else entry.source)
        for entry in lock.entries
    }
    return Answer(pins, "", time.perf_counter() - begun)


def pip_compile(root: Path, chosen: argparse.Namespace) -> Answer:
    index = read_pip_configuration(dict(os.environ), home=Path.home())
    command = [chosen.python, "-m", "piptools", "compile", "--quiet", "--allow-unsafe",
               "--strip-extras", "--output-file=out.txt", "requirements.in"]  # fmt: skip
    begun = time.perf_counter()
    try:
        done = subprocess.run(
            command, cwd=root, env=pip_environment(os.environ, index, cache=chosen.cache),
            capture_output=True, text=True, timeout=chosen.timeout, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(None, "gave up after the time-out", time.perf_counter() - begun)
    seconds = time.perf_counter() - begun
    if done.returncode:
        return Answer(None, (done.stderr.strip().splitlines() or ["?"])[-1], seconds)
    lock = parse_lock((root / "out.txt").read_text(), path="out.txt")
    pins = {
        entry.name: str(entry.version if isinstance(entry.source, IndexSource) else entry.source)
        for entry in lock.entries
    }
    return Answer(pins, "", seconds)


if __name__ == "__main__":
    sys.exit(main())
