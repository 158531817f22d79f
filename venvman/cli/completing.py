"""What a shell is offered where a word of the project is wanted: packages, groups, codes, folders.

Which it is says the metavar in the table. Looks only, and is silent whatever is wrong.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import VenvmanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from venvman.scan import Scan

__all__ = ["kind_of", "offered"]


def kind_of(metavar: str | None) -> str | None:
    """``NAME`` of ``[NAME]...``; None where nothing is known that could be offered."""
    kind = (metavar or "").strip("[].")
    return kind if kind in _OFFERS else None


def offered(kind: str, incomplete: str, *, project: Path | None) -> list[str]:
    """The words of this ``kind`` that begin with ``incomplete``, sorted.

    Names come from files of strangers and get into text that shells evaluate: those that would have
    to be quoted are left out.
    """
    try:
        found = _OFFERS[kind](incomplete, project)
        return sorted(
            {each for each in found if each.startswith(incomplete) and shlex.quote(each) == each}
        )
    except (OSError, ValueError, VenvmanError):
        return []


def _groups(_incomplete: str, project: Path | None) -> Iterable[str]:
    return [source.group for source in _scan(project).sources]


def _packages(_incomplete: str, project: Path | None) -> Iterable[str]:
    from venvman.requirements.file import RequirementLine

    for file in _scan(project).files:
        for line in () if file.parsed is None else file.parsed.lines:
            if isinstance(line, RequirementLine) and line.requirement.name is not None:
                yield line.requirement.name


def _codes(_incomplete: str, _project: Path | None) -> Iterable[str]:
    from venvman.doctor.codes import CODES

    return [each.code for each in CODES]


def _folders(incomplete: str, _project: Path | None) -> Iterable[str]:
    above = os.path.dirname(incomplete)  # noqa: PTH120 - as it is written, `./` too
    start = incomplete[: len(above)] + ("/" if above and not above.endswith("/") else "")
    with os.scandir(start or ".") as entries:
        for entry in entries:
            hidden = entry.name.startswith(".") and not incomplete[len(start) :].startswith(".")
            if entry.is_dir() and not hidden:
                yield f"{start}{entry.name}/"


def _scan(project: Path | None) -> Scan:
    from venvman.project import find_project
    from venvman.scan import scan

    variables: Mapping[str, str] = os.environ
    home = Path(variables.get("HOME") or Path.home())
    found = find_project(Path.cwd(), home=home, explicit=project)
    return scan(found, variables=variables, with_locks=True)


_OFFERS: dict[str, Callable[[str, Path | None], Iterable[str]]] = {
    "GROUP": _groups,
    "NAME": _packages,
    "CODE": _codes,
    "DIR": _folders,
}
