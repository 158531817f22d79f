"""RECORD: the list of a distribution's files; text in, rows out, and back. Pure.

The format is that of the specification "Recording installed projects": one line of comma separated
values per file, ``path,hash,size``, the last two of which may be empty.
"""

from __future__ import annotations

import os
from posixpath import normpath
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvman.model.errors import Problem


UNTOUCHABLE = ("pyvenv.cfg", ".venvman")
"""Without these there is no environment, whatever a RECORD says."""


class RecordRow(NamedTuple):
    """One file. A tuple, since an environment has tens of thousands.

    ``path`` is as written: relative to the folder that holds the ``.dist-info`` folder, or
    absolute. ``hash`` is ``sha256=<urlsafe base64, no padding>`` or None, ``size`` bytes or None.
    """

    path: str
    hash: str | None = None
    size: int | None = None


class ParsedRecord(NamedTuple):
    """The rows that can be used, and one problem for every line that is not as it should be.

    A row with a bad hash or size is kept without it: its path is still true.
    """

    rows: tuple[RecordRow, ...]
    problems: tuple[Problem, ...]


def parse_record(text: str, *, path: str = "RECORD") -> ParsedRecord:
    """The rows of ``text``; ``path`` names the file in problems (code ``record-invalid``)."""
    rows: list[RecordRow] = []
    problems: list[Problem] = []
    for number, fields in _split(text):
        if not fields or not fields[0]:
            problems.append(_fault(path, number, "names no file", fields))
            continue
        digest = fields[1] if len(fields) > 1 and fields[1] else None
        size = fields[2] if len(fields) > 2 and fields[2] else None
        if digest is not None and "=" not in digest:
            problems.append(_fault(path, number, "has a hash without an algorithm", fields))
            digest = None
        if size is not None and not (size.isascii() and size.isdigit()):
            problems.append(_fault(path, number, "has a size that is no number", fields))
            size = None
        rows.append(RecordRow(fields[0], digest, None if size is None else int(size)))
    return ParsedRecord(tuple(rows), tuple(problems))


def render_record(rows: Iterable[RecordRow]) -> str:
    """The text of a RECORD with ``rows`` sorted by path, each path once (the last row wins)."""
    lines = []
    for path, digest, size in sorted({row.path: row for row in rows}.values()):
        special = "," in path or '"' in path or "\r" in path or "\n" in path
        shown = '"' + path.replace('"', '""') + '"' if special else path
        lines.append(f"{shown},{digest or ''},{'' if size is None else size}\n")
    return "".join(lines)


def encode_digest(digest: bytes) -> str:
    """A sha256 digest as RECORD writes it: ``sha256=<urlsafe base64, no padding>``."""
    from binascii import b2a_base64

    text = b2a_base64(digest, newline=False).rstrip(b"=").decode()
    return "sha256=" + text.replace("+", "-").replace("/", "_")


def hash_of(path: str) -> str:
    """How RECORD writes the hash of the file ``path``.

    Raises:
        OSError: it cannot be read.
    """
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return encode_digest(digest.digest())


def locate(path: str, *, site: str, root: str) -> str | None:
    """Where a RECORD's ``path`` lies, relative to the environment; None where it is outside of it.

    ``site`` is the folder that holds the ``.dist-info`` folder, POSIX and relative to ``root``;
    ``root`` is the environment's absolute real path. The answer is POSIX and normal (no ``..``).
    Symbolic links below ``root`` are not followed, nor is the disk looked at for relative paths.
    """
    if path[:1] not in ("", ".", "/") and "/." not in path and "//" not in path:
        return f"{site}/{path}"  # nearly every path there is
    if os.path.isabs(path):
        folder, name = os.path.split(path)
        path = os.path.join(os.path.realpath(folder), name)
        path = os.path.relpath(path, root) if path != root else ".."
    else:
        path = f"{site}/{path}"
    if "/." in path or "//" in path or path.startswith("."):
        path = normpath(path)
    return None if path in (".", "..") or path.startswith(("../", "/")) else path


def is_within(path: str, root: str, *, seen: dict[str, bool] | None = None) -> bool:
    """Whether ``path``, read back from a file, names a path below the folder ``root``.

    It is relative and normal, and no folder on the way to it is a symbolic link. ``seen`` is what
    was found of folders before.
    """
    if not path or "\0" in path or not {"", ".", ".."}.isdisjoint(path.split("/")):
        return False
    seen = {} if seen is None else seen
    folder = path.rpartition("/")[0]
    while folder and folder not in seen:
        seen[folder] = not os.path.islink(f"{root}/{folder}")
        folder = folder.rpartition("/")[0]
    folder = path.rpartition("/")[0]
    while folder:
        if not seen[folder]:
            return False
        folder = folder.rpartition("/")[0]
    return True


def record_path(path: str, *, site: str) -> str:
    """How a RECORD names the file at ``path``; both are POSIX, relative to the environment."""
    if path.startswith(f"{site}/"):
        return path[len(site) + 1 :]
    from posixpath import relpath

    return relpath(path, site)


def _split(text: str) -> Iterator[tuple[int, list[str]]]:
    if '"' not in text:
        # No quoting, hence no need of the csv module: the case of nearly every RECORD there is.
        for number, line in enumerate(text.split("\n"), 1):
            if line and line != "\r":
                yield number, line.rstrip("\r").split(",")
        return
    import csv
    import io

    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for fields in reader:
            if fields:
                yield reader.line_num, fields
    except csv.Error:
        yield reader.line_num, []


def _fault(path: str, line: int, what: str, fields: list[str]) -> Problem:
    # Imported where it is needed: going from snapshot to snapshot starts in milliseconds.
    from venvman.model.errors import Problem

    return Problem(
        code="record-invalid",
        message=f"Line {line} of {path} {what}.",
        path=path,
        line=line,
        text=",".join(fields),
    )


def tops_of(paths: Iterable[str], *, site: str, folders: Sequence[str]) -> tuple[str, ...]:
    """The parts of the environment that ``paths`` lie in: two that share a file share a part.

    ``paths`` are relative to ``site``, which is one of the site-packages ``folders``, or the root
    itself (empty). A part is ``./NAME`` at the top of site-packages, elsewhere the first three
    parts of the path.
    """
    found: set[str] = set()
    for path in paths:
        inside = path
        if not site or path[:1] in ("/", "."):
            whole = normpath(f"{site}/{path}") if site else path
            folder = next((each for each in folders if whole.startswith(f"{each}/")), None)
            if folder is None:
                found.add("/".join(whole.split("/", 3)[:3]))
                continue
            inside = whole[len(folder) + 1 :]
        top, _, rest = inside.partition("/")
        found.add(f"./{top}/{rest}" if top == "__pycache__" else f"./{top}")
    return tuple(sorted(found))
