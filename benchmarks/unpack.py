"""Unpacks a folder of wheels in each of the ways there are, alternately, every file hashed.

    python -m benchmarks.unpack FOLDER [--runs 5] [--folder /dev/shm]

FOLDER holds the wheels of a lock (``pip download --no-deps -r LOCK -d FOLDER``). The ways: the
store's reader in processes (what a sync does), in threads and alone; the same with isal's inflate
where that is installed (``pip install isal``); and :mod:`zipfile`. Wall time and the processor time
of all processes, from before the first worker starts until the last file is written.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import machine
from venvman.store.unpack import unpack_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CHUNK = 1 << 20


@dataclass(slots=True, kw_only=True)
class Way:
    """How to unpack; ``seconds`` and ``busy`` (of the processor) hold one figure for each run."""

    label: str
    pool: Callable[[], Executor]
    unpack: Callable[[str, str], object]
    seconds: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def run(self, wheels: Sequence[str], folder: Path) -> None:
        """Unpacks all ``wheels`` below ``folder``, which is removed again, and notes the times."""
        targets = [str(folder / str(number)) for number in range(len(wheels))]
        folder.mkdir()
        before, started = _busy(), time.perf_counter()
        with self.pool() as pool:
            for done in [
                pool.submit(self.unpack, wheel, to)
                for wheel, to in zip(wheels, targets, strict=True)
            ]:
                done.result()
        self.seconds.append(time.perf_counter() - started)
        self.busy.append(_busy() - before)
        shutil.rmtree(folder)

    def __str__(self) -> str:
        spread = f"{min(self.seconds):.2f} to {max(self.seconds):.2f}, n={len(self.seconds)}"
        wall, busy = statistics.median(self.seconds), statistics.median(self.busy)
        return f"{self.label:<32} {wall:6.2f} s wall ({spread}), {busy:6.2f} s of the processor"


def with_store(wheel: str, folder: str) -> None:
    """As the store does it."""
    unpack_wheel(wheel, folder, mtime_ns=10**18)


def with_isal(wheel: str, folder: str) -> None:
    """The same with another inflate behind the reader."""
    from isal import isal_zlib

    from venvman.store import wheelfile

    vars(wheelfile)["zlib"] = isal_zlib
    with_store(wheel, folder)


def with_zipfile(wheel: str, folder: str) -> None:
    """By the standard library, as simply as it goes."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            target = Path(folder, member.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with archive.open(member) as source, target.open("wb") as stream:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    stream.write(chunk)


def processes() -> Executor:
    """Two workers, started as a sync starts them."""
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


def one_process() -> Executor:
    """One worker, so that what isal replaces is not replaced here."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def ways() -> list[Way]:
    """The store's own way first."""
    found = [
        Way(label="store, 2 processes", pool=processes, unpack=with_store),
        Way(label="store, 2 threads", pool=lambda: ThreadPoolExecutor(2), unpack=with_store),
        Way(label="store, 1 process", pool=one_process, unpack=with_store),
        Way(label="zipfile, 2 processes", pool=processes, unpack=with_zipfile),
        Way(label="zipfile, 1 process", pool=one_process, unpack=with_zipfile),
    ]
    if find_spec("isal") is not None:
        found[1:1] = [
            Way(label="store with isal, 2 processes", pool=processes, unpack=with_isal),
            Way(label="store with isal, 1 process", pool=one_process, unpack=with_isal),
        ]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to unpack; /dev/shm leaves the disk out")
    options = parser.parse_args()
    found = sorted(options.wheels.glob("*.whl"), key=lambda path: -path.stat().st_size)
    chosen = ways()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for _ in range(options.runs):
            for way in chosen:
                os.sync()
                way.run([str(path) for path in found], Path(folder, "unpacked"))
    size = sum(path.stat().st_size for path in found) / 2**20
    print(f"# unpacking {len(found)} wheels, {size:.0f} MiB\n\n{machine()}\n")
    for way in chosen:
        ratios = [a / b for a, b in zip(way.seconds, chosen[0].seconds, strict=True)]
        print(f"    {way}, {statistics.median(ratios):.2f} x")
    return 0


def _busy() -> float:
    """Processor seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(
        resource.getrusage(kind).ru_utime + resource.getrusage(kind).ru_stime for kind in kinds
    )


if __name__ == "__main__":
    sys.exit(main())
