"""VM5: are the files still there that each RECORD lists, and (if asked) still what they were.

That they are there is always looked at: one system call for a file. Their contents are read only
for ``Examination.verify_files``.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from venvman.doctor import codes
from venvman.environment.inspection import Environment
from venvman.environment.inventory import MetadataKind
from venvman.environment.record import encode_digest, locate, parse_record
from venvman.errors import Command
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.environment.inventory import Installed
    from venvman.environment.neighbours import Neighbour
    from venvman.environment.record import RecordRow
    from venvman.errors import Problem

__all__ = ["contents", "presence"]

_MEND = Command.venvman("sync", "--recreate")
_MEND_UNNOTICED = replace(
    Command.venvman("cache", "verify").then("sync", "--recreate"), always=True
)
# What an installer writes into a wheel's scripts is the first line; RECORDs of old pips hold the
# hash of the script as it was in the wheel (https://github.com/pypa/pip/issues/10744).
_PLACEHOLDERS = (b"#!python\n", b"#!pythonw\n")
_LONGEST_SHEBANG = 4096
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """One distribution with the text of its RECORD; paths are absolute, ``site`` is relative."""

    installed: Installed
    text: str
    root: str
    site: str

    def place(self, path: str) -> str | None:
        """The absolute path that a row means, None outside the environment."""
        inside = locate(path, site=self.site, root=self.root)
        return None if inside is None else f"{self.root}/{inside}"


def presence(examination: Examination) -> Iterator[Finding]:
    """Files that a RECORD lists and that are gone, or that lie where no RECORD may reach."""
    for each in _recorded(examination):
        missing, outside, total = _absent(each)
        name = each.installed.name
        if missing:
            yield codes.FILE_MISSING(
                f"{len(missing)} of the {total} files of {name} {_are(missing)} missing, first "
                f"{examination.display(Path(missing[0]))}.",
                package=name,
                path=examination.display(Path(missing[0])),
                fix=_MEND,
            )
        if outside:
            yield codes.FILE_OUTSIDE(
                f"The RECORD of {name} lists {outside[0]}, which lies outside the environment; "
                "venvman will never touch it.",
                package=name,
                path=examination.display(each.installed.metadata / "RECORD"),
                fix=_MEND,
            )


def contents(examination: Examination) -> Iterator[Finding]:
    """Files whose bytes are no longer those that were installed."""
    if not examination.verify_files:
        return
    from concurrent.futures import ThreadPoolExecutor

    damaged: list[tuple[_Recorded, list[str]]] = []
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        for each, changed, problems in pool.map(_verified, _recorded(examination)):
            yield from _faulty_lines(examination, each.installed, problems)
            if changed:
                damaged.append((each, changed))
    if not damaged:
        return
    sharing = examination.sharing(Path(file) for _, changed in damaged for file in changed)
    for each, changed in damaged:
        others = [other for file in changed for other in sharing.get(Path(file), ())]
        yield _changed(examination, each, changed, others)


def _changed(
    examination: Examination, each: _Recorded, changed: list[str], sharing: list[Neighbour]
) -> Finding:
    name, first = each.installed.name, examination.display(Path(changed[0]))
    others = sorted({str(other.path) for other in sharing} - {each.root})
    return codes.FILE_CHANGED(
        f"{len(changed)} of the files of {name} {'was' if len(changed) == 1 else 'were'} changed "
        f"after the installation, first {first}.{_also_in(others)}",
        package=name,
        path=first,
        fix=_MEND_UNNOTICED if _looks_untouched(changed, each) else _MEND,
    )


def _also_in(others: list[str]) -> str:
    """A sentence more where the file is other environments', too."""
    if not others:
        return ""
    count = "another environment" if len(others) == 1 else f"{len(others)} other environments"
    return f" Hard links make it the same in {count}, to be mended, too: {', '.join(others)}."


def _looks_untouched(files: list[str], each: _Recorded) -> bool:
    """Whether a file that the store may share has the time of the installation, in spite of all.

    Then linking it again would not notice anything.
    """
    try:
        installed = (each.installed.metadata / "METADATA").lstat().st_mtime_ns
        found = [os.lstat(file) for file in files]
    except OSError:
        return False
    return any(each.st_nlink > 1 and each.st_mtime_ns == installed for each in found)


def _recorded(examination: Examination) -> Iterator[_Recorded]:
    if examination.inventory is None or not isinstance(examination.condition, Environment):
        return
    root = os.path.realpath(examination.condition.root)
    sites: dict[Path, str] = {}
    for each in examination.inventory.distributions:
        if each.kind is not MetadataKind.DIST_INFO:
            continue
        try:
            text = (each.metadata / "RECORD").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            continue  # VM406 says so
        folder = each.metadata.parent
        if folder not in sites:
            relative = os.path.relpath(os.path.realpath(folder), root)
            sites[folder] = relative.replace(os.sep, "/")
        yield _Recorded(installed=each, text=text, root=root, site=sites[folder])


def _absent(each: _Recorded) -> tuple[list[str], list[str], int]:
    """Absolute paths that are gone; rows that lead outside; how many files were looked for."""
    missing: list[str] = []
    outside: list[str] = []
    paths = [path for path in _paths(each.text) if not path.endswith(".pyc")]
    with _opened(each.installed.metadata.parent) as exists:
        for path in paths:
            if ".." not in path and not path.startswith("/") and os.name != "nt":
                if not exists(path):
                    missing.append(str(each.installed.metadata.parent / path))
                continue
            place = each.place(path)
            if place is None:
                outside.append(path)
            elif not os.path.lexists(place):
                missing.append(place)
    return missing, outside, len(paths)


def _paths(text: str) -> Iterable[str]:
    """The first column. Tens of thousands of rows: nothing else of them is looked at."""
    if '"' in text:
        return [row.path for row in parse_record(text).rows]
    return [path for line in text.split("\n") if (path := line.partition(",")[0])]


@contextmanager
def _opened(folder: Path) -> Iterator[Callable[[str], bool]]:
    """A function that says whether a path relative to ``folder`` exists.

    Looking from an open folder saves the system the way down to it for every file: a fifth.
    """
    if os.access not in os.supports_dir_fd:
        yield lambda path: os.path.lexists(folder / path)
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield partial(os.access, mode=os.F_OK, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _verified(each: _Recorded) -> tuple[_Recorded, list[str], tuple[Problem, ...]]:
    """The absolute paths of files that are there with other bytes, and the RECORD's bad lines."""
    rows, problems = parse_record(each.text)
    places = ((row, each.place(row.path)) for row in rows if row.hash is not None)
    changed = [place for row, place in places if place and not _is_as_recorded(place, row)]
    return each, changed, problems


def _is_as_recorded(place: str, row: RecordRow) -> bool:
    algorithm, _, expected = (row.hash or "").partition("=")
    if algorithm not in hashlib.algorithms_guaranteed or algorithm.startswith("shake"):
        return True  # nothing that could be computed here
    expected = expected.rstrip("=")
    try:
        with Path(place).open("rb") as stream:
            first, rest = stream.readline(_LONGEST_SHEBANG), stream.tell()
            # Read in pieces: one file of a wheel can be larger than this process should be.
            if _digest(algorithm, b"", stream, start=0) == expected:
                return True
            return first.startswith(b"#!") and any(
                _digest(algorithm, placeholder, stream, start=rest) == expected
                for placeholder in _PLACEHOLDERS
            )
    except OSError:
        return True  # missing files are another finding


def _digest(algorithm: str, begin: bytes, stream: BinaryIO, *, start: int) -> str:
    """The digest, as RECORD writes it, of ``begin`` and what ``stream`` holds from ``start`` on."""
    digest = hashlib.new(algorithm, begin, usedforsecurity=False)
    stream.seek(start)
    while piece := stream.read(_PIECE):
        digest.update(piece)
    return encode_digest(digest.digest()).partition("=")[2]


def _faulty_lines(
    examination: Examination, installed: Installed, problems: tuple[Problem, ...]
) -> Iterator[Finding]:
    for problem in problems:
        yield codes.RECORD_FAULTY(
            f"The RECORD of {installed.name} cannot be trusted. {problem.message}",
            package=installed.name,
            path=examination.display(installed.metadata / "RECORD"),
            line=problem.line,
            fix=_MEND,
        )


def _are(files: list[str]) -> str:
    return "is" if len(files) == 1 else "are"
