"""What is taken from another tool's files, as values of one kind whichever tool it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.model.errors import RequirementsError
from venvman.model.frozen import dataclass
from venvman.requirements.lines import decode
from venvman.requirements.naming import DEFAULT, FOLDER
from venvman.system.reading import read_regular, read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvman.lock.file import LockEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A line for the requirements file of ``group``."""

    line: str
    group: str = DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A text of pins and other requirement lines, roots and what they need alike.

    ``path`` is where it is from, for messages; ``numbers`` are the lines of that file that the
    lines of ``text`` stand on, where these are not the same. ``source`` is the requirements file
    that it becomes, relative to the root.
    """

    path: str
    text: str
    source: str = "requirements.in"
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is not taken over, and why."""

    what: str
    why: str
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """All that ``tool`` says.

    ``files`` are what was read, relative to the root. What the project wants stands in ``wanted``,
    is to be found among ``listed``, or stands in pyproject.toml, which is ``declared``; groups in
    ``wanted`` are then those that pyproject.toml does not say in full. ``pins`` are the versions to
    keep, ``options`` lines about indexes.
    """

    tool: str
    files: tuple[str, ...]
    wanted: tuple[Wanted, ...] = ()
    listed: tuple[Listed, ...] = ()
    declared: bool = False
    pins: tuple[LockEntry, ...] = ()
    left: tuple[Left, ...] = ()
    options: tuple[str, ...] = ()


OF_PYTHON = "The Python stands in .python-version, or in requires-python of [tool.venvman]."
"""Why a tool's word for it is not taken over."""


def source_file(group: str) -> str:
    """The name of the source that is made for ``group``."""
    return f"{FOLDER}.in" if group == DEFAULT else f"{FOLDER}-{group}.in"


def text_of(root: Path, name: str) -> str:
    """The text of the file ``name`` in ``root``.

    Raises:
        RequirementsError: it cannot be read, or is no text.
    """
    try:
        return decode(read_regular(root / name), path=name)
    except OSError as error:
        raise unreadable(name, f"{error.strerror or error}") from error


def tables_of(root: Path, name: str) -> dict[str, Any]:
    """The tables of the TOML file ``name`` in ``root``; none where there is no such file.

    Raises:
        RequirementsError: it is none, with the line.
    """
    import re

    text = text_of(root, name) if (root / name).is_file() else ""
    try:
        return read_toml(text)
    except ValueError as error:
        at = re.search(r"at line (\d+)", str(error))
        raise unreadable(name, str(error), line=int(at[1]) if at else None) from None


def packages_of(root: Path, name: str) -> list[dict[str, Any]]:
    """Each ``[[package]]`` of the lock ``name`` in ``root``; raises as :func:`tables_of`."""
    rows = tables_of(root, name).get("package", [])
    return [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []


def unreadable(shown: str, why: str, *, line: int | None = None) -> RequirementsError:
    """That the file ``shown`` cannot be taken over."""
    return RequirementsError(
        f"{shown} could not be read.", code="adopt-unreadable", path=shown, line=line, why=f"{why}."
    )


def table(value: object, *keys: str) -> Mapping[str, Any]:
    """The table at ``keys`` below ``value``; an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
