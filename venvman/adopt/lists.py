"""Readers for lists of all that was installed: pip freeze, conda's exports, an environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.adopt.taken import (
    OF_PYTHON,
    Left,
    Listed,
    Taken,
    Wanted,
    source_file,
    text_of,
    unreadable,
)
from venvman.lock.direct import reference_text
from venvman.lock.parse import parse_lock
from venvman.lock.render import requirement_text
from venvman.model.names import canonical
from venvman.requirements.header import read_header
from venvman.requirements.naming import DEFAULT, FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from venvman.environment.inventory import Inventory
    from venvman.lock.file import LockEntry

_EXPORTED = re.compile(r"(?P<name>[\w.-]+)=(?P<version>[^=\s]+)=(?P<build>[^=\s]+)$")
_ITEM = re.compile(r"(?P<indent>\s*)-\s+(?P<said>.*?)\s*(?:\s#.*)?$")
_OF_CONDA = "conda brings it, and pip need not have it: keep it in conda, or `venvman add` it."
_OF_SHELLS = "A venv sets no variables: they belong to what starts the program."


def is_conda_list(text: str) -> bool:
    """Whether ``conda list`` wrote it, with ``--export`` or ``--explicit``."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if "@EXPLICIT" in lines:
        return True
    return bool(lines) and all(_EXPORTED.match(line.strip()) for line in lines)


def _of_conda(said: str, path: str, line: int) -> Left:
    is_python = re.match(r"(?:[\w.-]+::)?python\b(?!-)", said)
    return Left(what=said, why=OF_PYTHON if is_python else _OF_CONDA, path=path, line=line)


def conda_list(root: Path, name: str) -> Taken:
    """The output of ``conda list --export`` (or ``--explicit``): what pip had put there."""
    pinned, left = [], []
    for number, line in enumerate(text_of(root, name).splitlines(), start=1):
        match = _EXPORTED.match(line.strip())
        if match and match["build"].startswith("pypi"):
            pinned.append(f"{match['name']}=={match['version']}")
        elif line.strip() and not line.startswith(("#", "@")):
            left.append(_of_conda(line.strip(), name, number))
    listed = (Listed(path=name, text="\n".join(pinned)),) if pinned else ()
    return Taken(tool="conda", files=(name,), listed=listed, left=tuple(left))


def conda_environment(root: Path, name: str) -> Taken:
    """``environment.yml``: what stands below ``pip:``; the rest is named.

    Of YAML no more than conda writes and its documentation shows: lists, one entry a line.

    Raises:
        RequirementsError: it cannot be read, or has its lists in brackets.
    """
    section, deep, shallow = "", None, None
    listed: list[tuple[str, int]] = []
    left = []
    for number, line in enumerate(text_of(root, name).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if _IN_BRACKETS.match(line):
            raise unreadable(
                name, "Its list stands in brackets; write one entry a line", line=number
            )
        item = _ITEM.match(line)
        if item is None:
            if line[:1] != " ":
                section, deep = line.partition(":")[0], None
            elif section == "variables":
                variable = line.partition(":")[0].strip()  # what it holds may be a secret
                left.append(Left(what=variable, why=_OF_SHELLS, path=name, line=number))
            continue
        if section != "dependencies":
            continue
        said, indent = _unquoted(item["said"]), len(item["indent"])
        if said == "pip:":
            deep, shallow = indent, indent
        elif deep is not None and indent > deep:
            listed += _included(root, said, number)
        elif said not in {"pip", "setuptools", "wheel"}:
            deep = None if shallow is None or indent <= shallow else deep
            left.append(_of_conda(said, name, number))
    text = "\n".join(said for said, _ in listed)
    numbers = tuple(number for _, number in listed)
    group = re.fullmatch(r"environment[-_.](.+)\.ya?ml", name)
    source = source_file(canonical(group[1]) if group else DEFAULT)
    return Taken(
        tool="conda",
        files=(name,),
        listed=(Listed(path=name, text=text, source=source, numbers=numbers),) if listed else (),
        left=tuple(left),
    )


_IN_BRACKETS = re.compile(r"(dependencies|\s*-\s+pip)\s*:\s*[\[{]")


def _unquoted(said: str) -> str:
    return said[1:-1] if said[:1] in {"'", '"'} and said[:1] == said[-1:] else said


def _included(root: Path, said: str, number: int) -> Iterator[tuple[str, int]]:
    """``said``; of a file that becomes the lock of the new source, the lines that it has now."""
    included = re.fullmatch(rf"(?:-r|--requirement)[ =]*(?:\./)?({FOLDER}\.txt)", said)
    if included is None or not (root / included[1]).is_file():
        yield said, number
        return
    for line in text_of(root, included[1]).splitlines():
        yield line, number


def compiled(root: Path, name: str) -> Taken | None:
    """What pip-compile or uv made, whose notes say what was asked for; None of anything else."""
    text = text_of(root, name)
    header = read_header(text)
    if header is None or not header.is_lock:
        return None
    pins = parse_lock(text, path=name).entries
    roots = [
        each for each in pins if not each.via or any(re.match("-r |.*[(]", v) for v in each.via)
    ]
    lines = [requirement_text(each).partition("==")[0] for each in roots]
    return Taken(
        tool=header.tool or "pip-compile",
        files=(name,),
        wanted=tuple(Wanted(line=line) for line in lines),
        pins=pins,
    )


def of_pins(pins: Iterable[LockEntry], path: str) -> Listed:
    """What the lock at ``path`` pins, where nothing says which of it is wanted."""
    lines = [
        (f"{each.name}=={each.version}" if each.version else f"{each.name} @ {each.source}")
        + (f" ; {each.marker}" if each.marker else "")
        for each in pins
    ]
    return Listed(path=path, text="\n".join(lines))


def pip_freeze(root: Path, files: Sequence[tuple[str, str]]) -> Taken:
    """Files of pins, written by ``pip freeze`` or by hand, each with the source that it becomes."""
    listed = tuple(
        Listed(path=name, text=text_of(root, name), source=source) for name, source in files
    )
    return Taken(tool="pip freeze", files=tuple(name for name, _ in files), listed=listed)


def environment(inventory: Inventory, shown: str) -> Taken:
    """What an environment holds; ``shown`` is its path."""
    lines = []
    for each in inventory.distributions:
        if each.source.is_index and each.version is not None:
            lines.append(f"{each.name}=={each.version}")
        elif not each.source.is_index:
            prefix = "-e " if each.source.editable else f"{each.name} @ "
            text = reference_text(each.source)
            lines.append(text if text.startswith((".", "/")) and prefix != "-e " else prefix + text)
    text = "\n".join(sorted(lines, key=str.lower))
    return Taken(tool="an environment", files=(shown,), listed=(Listed(path=shown, text=text),))
