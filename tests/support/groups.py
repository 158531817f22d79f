"""Projects written down as texts, read into groups and frozen with the tests' own Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.markers import default_environment

from venvman.engines import FreezeRequest
from venvman.engines.buildrequirements import supply
from venvman.model.options import IndexOptions
from venvman.model.target import Target
from venvman.project.groups import Group, read_requirements
from venvman.project.project import Project
from venvman.project.scan import scan
from venvman.system.directories import Directories


def _here() -> Target:
    markers = {key: str(value) for key, value in default_environment().items() if key != "extra"}
    return Target(
        python=markers["python_full_version"], markers=tuple(sorted(markers.items())), tags=()
    )


HERE = _here()
"""The Python that runs the tests, as a target; without tags, which freezing does not ask for."""


def write_files(root: Path, files: Mapping[str, str]) -> Path:
    """Writes ``files`` (path in the project to text) below ``root``; returns it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def groups_of(
    root: Path,
    files: Mapping[str, str] | None = None,
    *,
    variables: Mapping[str, str] | None = None,
) -> dict[str, Group]:
    """The groups of the project at ``root``, after writing ``files``."""
    write_files(root, files or {})
    found = scan(Project(root=root), variables=variables or {})
    groups = read_requirements(found, variables=variables or {}).groups
    return {group.name: group for group in groups}


def freeze_request(
    root: Path, files: Mapping[str, str] | None = None, *, index: str = "", **changes: Any
) -> FreezeRequest:
    """A request for every group of the project at ``root``, from the index at the URL ``index``."""
    variables = {**os.environ, **changes.pop("variables", {})}
    groups = groups_of(root, files, variables=variables)
    request = FreezeRequest(
        project=Project(root=root),
        groups=tuple(groups.values()),
        python=Path(sys.executable),
        target=HERE,
        index=IndexOptions(index_urls=(index,) if index else (), retries=0),
        directories=Directories(cache=root.parent / "cache", state=root.parent / "state"),
        variables=variables,
        supply=supply,
    )
    return replace(request, **changes)
