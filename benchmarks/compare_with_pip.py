"""The files that venvman installs beside those that pip installs from the same lock.

    python -m benchmarks.compare_with_pip LOCK.txt ... [--python PATH] [--folder DIR]

Each lock is synced into a new environment, and ``pip install --no-deps --no-compile -r LOCK`` is
run in an environment of the standard ``venv`` module of the same interpreter. Then the two trees
are compared: which files there are, their modes, their contents; RECORD up to the order of its
rows. Left aside, as installers differ in them freely: bytecode, INSTALLER, the few lines of the
scripts that entry points become (but not which interpreter they name, nor what they call), and pip
itself. Exits with 1 if anything differs.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import options_of
from benchmarks.workloads import install_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.workloads import Tools

SHOWN = 40
FOLDERS = ("bin", "etc", "include", "lib", "share")
# What installers write in their own words or in none: bytecode, and who installed.
ASIDE = re.compile(r"(^|/)__pycache__(/|$)|\.dist-info/INSTALLER$")
CALL = re.compile(rb"^from (\S+) import (\S+)\r?\n.*sys\.exit\((.*)\)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Of two trees, as paths relative to the environment with the reason beside them."""

    ours: int
    rows: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, results=False)
    parser.add_argument("locks", type=Path, nargs="+")
    parser.add_argument("--python", type=Path, default=Path(sys.executable).resolve())
    parser.add_argument("--venvman", type=Path, help="the program; default: this checkout")
    options = parser.parse_args(arguments)
    folder = options.folder
    tools = install_tools(folder, venvman=options.venvman)
    bad = 0
    for lock in options.locks:
        ours, theirs = build(folder, lock, python=options.python, tools=tools)
        found = compare(ours, theirs)
        bad += len(found.rows)
        print(f"{lock}: {found.ours} files, {len(found.rows)} differences", flush=True)
        for row in found.rows[:SHOWN]:
            print(f"    {row}")
    return int(bad > 0)


def build(folder: Path, lock: Path, *, python: Path, tools: Tools) -> tuple[Path, Path]:
    """The two environments of ``lock``; ours first, both new."""
    project, plain = folder / "files" / "ours", folder / "files" / "theirs"
    for each in (project, plain):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir(parents=True)
    shutil.copy(lock, project / "requirements.txt")
    (project / "requirements.in").touch()

    def run(*argv: str | Path, cwd: Path) -> None:
        subprocess.run(argv, cwd=cwd, env=tools.env, check=True, stdout=subprocess.DEVNULL)

    run(tools.venvman, "sync", "--frozen", "--quiet", "--python", python, cwd=project)
    run(python, "-m", "venv", "venv", cwd=plain)
    pip = ("venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile")
    run(*pip, "-r", lock.resolve(), cwd=plain)
    return project / "venv", plain / "venv"


def compare(ours: Path, theirs: Path) -> Differences:
    """Every difference in what pip's distributions of the lock brought."""
    left, right = dict(_files(ours)), dict(_files(theirs))
    rows = [f"{path}: only in ours" for path in sorted(left.keys() - right.keys())]
    rows += [f"{path}: only in theirs" for path in sorted(right.keys() - left.keys())]
    for path in sorted(left.keys() & right.keys()):
        rows += [f"{path}: {why}" for why in _differ(path, left[path], right[path], ours, theirs)]
    return Differences(ours=len(left), rows=rows)


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Relative paths of what counts; folders too, so that their modes are compared."""
    for top in FOLDERS:
        for folder, folders, files in os.walk(root / top):
            relative = Path(folder).relative_to(root)
            folders[:] = [name for name in folders if not _skipped(f"{relative}/{name}", root)]
            yield str(relative), Path(folder)
            for name in files:
                if not _skipped(f"{relative}/{name}", root):
                    yield f"{relative}/{name}", Path(folder, name)


def _skipped(path: str, root: Path) -> bool:
    name = path.rpartition("/")[2]
    is_pip = name == "pip" or re.fullmatch(r"pip-[^-]+\.dist-info|pip\d(\.\d+)?", name)
    is_seed = re.match(r"(setuptools|pkg_resources|_distutils_hack|distutils-precedence)", name)
    of_interpreter = path.startswith("bin/") and re.match(r"python|[Aa]ctivate", name)
    return bool(
        ASIDE.search(path)
        or is_pip
        or of_interpreter
        or (is_seed and not _is_ours(root, "setuptools"))
    )


def _is_ours(root: Path, name: str) -> bool:
    """Whether the lock names ``name``: then both sides installed it, else the seeds may differ."""
    lock = root.parent.parent / "ours" / "requirements.txt"
    return re.search(rf"^{name}==", lock.read_text(), re.MULTILINE) is not None


def _differ(path: str, left: Path, right: Path, ours: Path, theirs: Path) -> Iterator[str]:
    modes = stat.S_IMODE(left.lstat().st_mode), stat.S_IMODE(right.lstat().st_mode)
    if modes[0] != modes[1]:
        yield f"mode {modes[0]:o}, pip's {modes[1]:o}"
    if left.is_symlink() != right.is_symlink():
        yield "a link in one only"
    elif left.is_file():
        ours_bytes, theirs_bytes = left.read_bytes(), right.read_bytes()
        if path.endswith(".dist-info/RECORD"):
            yield from _record_differs(ours_bytes, theirs_bytes)
        elif path.startswith("bin/"):
            yield from _script_differs(ours_bytes, theirs_bytes, ours, theirs)
        elif ours_bytes != theirs_bytes:
            yield "other content"


def _record_differs(left: bytes, right: bytes) -> Iterator[str]:
    ours, theirs = _rows(left), _rows(right)
    for row in sorted(ours ^ theirs):
        yield f"RECORD has {','.join(row)} in {'ours' if row in ours else 'theirs'} only"


def _rows(record: bytes) -> frozenset[tuple[str, ...]]:
    """Without bytecode; of scripts and INSTALLER, whose bytes differ, only the path."""
    rows = [tuple(row) for row in csv.reader(io.StringIO(record.decode())) if row]
    return frozenset(
        row[:1] if re.search(r"(^|/)bin/|\.dist-info/INSTALLER$", row[0]) else row
        for row in rows
        if "__pycache__" not in row[0]
    )


def _script_differs(left: bytes, right: bytes, ours: Path, theirs: Path) -> Iterator[str]:
    right = right.replace(os.fsencode(theirs), os.fsencode(ours))
    if left == right:
        return
    first, others = left.splitlines()[0], right.splitlines()[0]
    if first != others:
        yield f"starts with {first!r}, pip's with {others!r}"
    mine, other = CALL.search(left), CALL.search(right)
    if mine is None or other is None or mine.groups() != other.groups():
        yield "another script"


if __name__ == "__main__":
    sys.exit(main())
