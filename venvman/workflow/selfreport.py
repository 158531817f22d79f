"""What a report of a defect needs to say of this machine: versions, paths, settings."""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from venvman.model.errors import VenvmanError
from venvman.outcomes import Machine, Value
from venvman.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.system.directories import Directories
    from venvman.workflow.context import Context

_PREFIXES = ("VENVMAN_", "PIP_", "PYTHON", "PYENV_", "CONDA_", "SSL_", "REQUESTS_")
_NAMES = frozenset({"CI", "SHELL", "VIRTUAL_ENV", "NETRC", "NO_COLOR", "FORCE_COLOR"})


def machine_of(
    opened: Context | VenvmanError, *, directories: Directories, variables: Mapping[str, str]
) -> Machine:
    """As seen from the project that was ``opened``, or from none. Nothing of it is started."""
    from venvman.environment.lifecycle import locate
    from venvman.project.pipconfig import read_pip_configuration
    from venvman.python.interpreters import available

    paths = [("package", Path(__file__).parents[1])]
    paths += [("cache", directories.cache), ("state", directories.state)]
    settings: tuple[Value, ...] = ()
    faults = [f"{folder} is not used: {why}" for folder, why in directories.refused]
    if isinstance(opened, VenvmanError):
        faults.append(opened.message)
    else:
        paths.append(("project", opened.project.root))
        found = (
            (each.name, getattr(opened.settings, each.name)) for each in fields(opened.settings)
        )
        settings = tuple(
            Value(
                name=name.replace("_", "-"),
                value=_plain(each.value),
                origin=each.origin.value,
                where=each.where,
            )
            for name, each in found
        )
        try:
            paths.append(("environment", locate(opened.project, opened.settings)))
        except VenvmanError as fault:
            faults.append(fault.message)
    try:
        home = Path(variables.get("HOME") or Path.home())
        # What pip's configuration gives; the default index where it gives none.
        options = read_pip_configuration(variables, home=home)
        origins = dict(options.origins)
        read = {name.replace("-", "_"): where for name, where in origins.items()}
        pip = tuple(
            Value(
                name=each.name.replace("_", "-"),
                value=_plain(getattr(options, each.name)),
                origin="pip",
                where=read.get(each.name, ""),
            )
            for each in fields(options)
            if each.name in ("index_urls", "find_links", *read)
        )
    except VenvmanError as fault:
        pip = ()
        faults.append(fault.message)
    return Machine(
        version=__version__,
        python=(platform.python_version(), sys.executable),
        platform=platform.platform(),
        libraries=tuple(_libraries()),
        paths=tuple(paths),
        interpreters=tuple(
            (each.target.python, each.path)
            for each in available(directories=directories, variables=variables)
        ),
        settings=settings,
        pip=pip,
        variables=tuple(
            sorted(
                name
                for name in variables
                if name.startswith(_PREFIXES) or name in _NAMES or name.lower().endswith("_proxy")
            )
        ),
        faults=tuple(faults),
    )


def _plain(value: Any) -> object:  # noqa: ANN401 - whatever a setting can be
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, frozenset)):
        return [_plain(each) for each in (sorted(value) if isinstance(value, frozenset) else value)]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}


def _libraries() -> list[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError, requires, version

    try:
        needed = requires("venvman") or []
    except PackageNotFoundError:
        return []
    found: dict[str, str] = {}
    for requirement in needed:
        name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
        try:
            found[name.lower()] = version(name)
        except PackageNotFoundError:
            continue
    return sorted(found.items())
