"""Who asks for which Python (docs/how-to/pythons.md).

``--python``, configuration, ``.python-version`` and ``requires-python``: the first that speaks.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Advice, ConfigurationError, FileLine
from venvman.project.settings import Origin
from venvman.python.request import (
    PythonRequest,
    Versions,
    Wanted,
    checked_specifier,
    parse_request,
    parse_versions,
)
from venvman.requirements.declared import origin_in
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from venvman.project.project import Project
    from venvman.project.settings import Settings


def request_of(project: Project, settings: Settings, *, cwd: Path | None = None) -> PythonRequest:
    """The request of ``project``; relative paths of flags and variables start at ``cwd``.

    Raises:
        ConfigurationError: a request that cannot be understood; names who wrote it.
    """
    chosen = settings.python
    if chosen.value is not None:
        binding = chosen.origin in {Origin.FLAG, Origin.VARIABLE}
        base = (cwd or Path.cwd()) if binding else project.root
        wanted = _understood(chosen.value, where=chosen.where, base=base)
        return PythonRequest(wanted=wanted, text=chosen.value, where=chosen.where, binding=binding)
    lines = _pins(project)
    passed_over = next((each for each in lines if _is_passed_over(each)), None)
    pinned = next(filter(None, map(_of_line, lines)), None)
    required = settings.requires_python
    if pinned is None and required.value is not None:
        wanted = Versions(
            specifier=_specifier(required.value, where=required.where, project=project)
        )
        pinned = PythonRequest(wanted=wanted, text=required.value, where=required.where)
    return replace(pinned or PythonRequest(wanted=Versions()), passed_over=passed_over)


def _understood(text: str, *, where: str, base: Path) -> Wanted:
    try:
        return parse_request(text, base=base)
    except ValueError as error:
        raise ConfigurationError(
            f"{where} cannot be {text!r}.",
            code="python-wish-invalid",
            why=str(error),
            fix=Advice("Name a version such as 3.12, a specifier such as >=3.10, or a path."),
        ) from error


def _specifier(text: str, *, where: str, project: Project) -> str:
    try:
        return checked_specifier(text)
    except ValueError as error:
        said = ""
        with suppress(OSError, UnicodeDecodeError):
            said = read_regular(project.root / "pyproject.toml").decode()
        origin = (
            origin_in(said.splitlines(), text, r"requires-python\s*=") if text in said else None
        )
        raise ConfigurationError(
            f"{where} cannot be {text!r}.",
            code="requires-python-invalid",
            path="pyproject.toml",
            line=origin.line if origin else None,
            text=origin.text if origin else None,
            why=str(error),
        ) from error


def _pins(project: Project) -> list[FileLine]:
    """The lines of ``.python-version``, the nearest file first, up to the git root."""
    found: list[FileLine] = []
    top = project.git_root
    above = [each for each in project.root.parents if top is not None and each.is_relative_to(top)]
    for folder in (project.root, *above):
        file = folder / ".python-version"
        with suppress(OSError, UnicodeDecodeError):
            lines = read_regular(file).decode("utf-8-sig").splitlines()
            path = project.display(file)
            found += [
                FileLine(path=path, line=number, text=line.partition("#")[0].strip())
                for number, line in enumerate(lines, start=1)
            ]
    return found


def _is_passed_over(origin: FileLine) -> bool:
    """Whether the line says something that is not heeded; of pyenv's ``system`` that is meant."""
    return origin.text not in {"", "system"} and _of_line(origin) is None


def _of_line(origin: FileLine) -> PythonRequest | None:
    """None for names of pyenv's virtual environments, ``system`` and other implementations."""
    with suppress(ValueError):
        # What pyenv calls a virtual environment by its full name: 3.11.4/envs/shop.
        wanted = parse_versions(origin.text.partition("/envs/")[0])
        if wanted is not None:
            return PythonRequest(wanted=wanted, text=origin.text, where=str(origin), origin=origin)
    return None
