"""Freezing by the engine itself, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.engines import FreezeRequest
from venvman.engines.buildrequirements import supply
from venvman.project.groups import read_requirements
from venvman.project.project import Project
from venvman.project.scan import scan
from venvman.python.probe import probe
from venvman.system.directories import Directories

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from venvman.model.options import IndexOptions
    from venvman.model.target import Target


def request_of(
    root: Path,
    python: Path,
    *,
    index: IndexOptions,
    work: Path,
    variables: Mapping[str, str] | None = None,
    targets: tuple[Target, ...] = (),
    hashes: bool = True,
) -> FreezeRequest:
    """For all groups of the project ``root``; cache and state lie in ``work``."""
    directories = Directories(cache=work / "cache", state=work / "state")
    interpreter = probe(python, directories=directories)
    project = Project(root=root)
    return FreezeRequest(
        project=project,
        groups=read_requirements(scan(project, variables={}), variables={}).groups,
        python=interpreter.path,
        target=interpreter.target,
        index=index,
        directories=directories,
        variables={"HOME": str(work)} if variables is None else variables,
        targets=targets,
        hashes=hashes,
        supply=supply,
    )
