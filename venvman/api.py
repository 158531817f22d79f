"""The Python interface: find a project, scan, freeze, compare and sync it.

Thin: each function opens a context from this process's environment and calls one verb of
:mod:`venvman.workflow`. What comes back are the same frozen values that the command line renders.
"""

from __future__ import annotations

import os
from pathlib import Path

from venvman.doctor.diagnosis import Diagnosis
from venvman.drift import Drift
from venvman.environment.inspection import Environment
from venvman.model.errors import (
    Command,
    ConfigurationError,
    DriftLeft,
    EnvironmentUnusable,
    FreezeError,
    GitError,
    IndexFault,
    InstallError,
    LockError,
    LockStale,
    ProjectNotFound,
    RequirementsError,
    UnsatisfiableError,
    VenvmanError,
)
from venvman.model.events import Reporter
from venvman.outcomes import FreezeOutcome, StatusReport, SyncOutcome
from venvman.project.project import Project
from venvman.project.scan import Scan, scan
from venvman.project.settings import refuse_unknown
from venvman.system.directories import Directories
from venvman.workflow.context import Context, context_of
from venvman.workflow.requests import FreezeRequest, GroupChoice, LockPolicy, SyncRequest

__all__ = [
    "ConfigurationError",
    "Diagnosis",
    "Drift",
    "DriftLeft",
    "EnvironmentUnusable",
    "FreezeError",
    "FreezeOutcome",
    "FreezeRequest",
    "GitError",
    "GroupChoice",
    "IndexFault",
    "InstallError",
    "LockError",
    "LockPolicy",
    "LockStale",
    "Project",
    "ProjectNotFound",
    "Reporter",
    "RequirementsError",
    "Scan",
    "StatusReport",
    "SyncOutcome",
    "SyncRequest",
    "UnsatisfiableError",
    "VenvmanError",
    "diagnose",
    "diff",
    "find_project",
    "freeze",
    "scan_project",
    "status",
    "sync",
]


def find_project(start: str | os.PathLike[str] | None = None) -> Project:
    """The project that holds ``start`` (None: the working directory), found by walking upwards.

    Raises:
        ProjectNotFound: no requirements file on the way up.
    """
    from venvman.project.find import find_project as find

    folder = Path.cwd() if start is None else Path(start).absolute()
    return find(folder, home=Path.home())


def scan_project(project: Project) -> Scan:
    """The requirements files of ``project`` and how each was understood; faults are in it."""
    return scan(project, variables=os.environ, with_locks=True)


def freeze(
    project: Project,
    request: FreezeRequest | None = None,
    *,
    reporter: Reporter | None = None,
    **settings: object,
) -> FreezeOutcome:
    """Writes the locks of ``project`` where its requirements ask for it.

    ``settings`` are those of ``[tool.venvman]`` (``python="3.12"``, ``engine="pip-tools"``).

    Raises:
        VenvmanError: it cannot be done; nothing was written.
    """
    from venvman.workflow.freezing import freeze as work

    return work(_context(project, reporter, settings), request or FreezeRequest())


def diff(project: Project, groups: GroupChoice | None = None, **settings: object) -> Drift:
    """What differs between the locks of ``project`` and its environment; changes nothing.

    Raises:
        LockError: a lock is missing, cannot be read, or disagrees with another.
        EnvironmentUnusable: there is no environment to compare with.
    """
    report = status(project, groups, **settings)
    if report.drift is not None:
        return report.drift
    if report.problems:
        raise LockError.of(report.problems)
    if isinstance(report.inspection, Environment):
        missing = next(each.path for each in report.locks if not each.path.is_file())
        shown = project.display(missing)
        raise LockError(
            f"There is no lock {shown}.", code="lock-missing", fix=Command.venvman("freeze")
        )
    raise EnvironmentUnusable(
        f"There is no usable environment at {project.display(report.environment)}.",
        code="environment-absent",
        fix=Command.venvman("sync"),
    )


def sync(
    project: Project,
    request: SyncRequest | None = None,
    *,
    reporter: Reporter | None = None,
    **settings: object,
) -> SyncOutcome:
    """Makes the environment of ``project`` equal to its locks, freezing first if need be.

    Raises:
        VenvmanError: it cannot be done; the environment is as it was.
    """
    from venvman.workflow.syncing import sync as work

    return work(_context(project, reporter, settings), request or SyncRequest())


def status(project: Project, groups: GroupChoice | None = None, **settings: object) -> StatusReport:
    """Requirements, locks, environment and drift of ``project`` as they are."""
    from venvman.workflow.checking import status as work

    return work(_context(project, None, settings), groups)


def diagnose(project: Project, *, verify_files: bool = False, **settings: object) -> Diagnosis:
    """Everything that doctor finds; ``verify_files`` hashes every installed file."""
    from venvman.workflow.diagnosing import diagnose as work

    return work(_context(project, None, settings), verify_files=verify_files)


def _context(project: Project, reporter: Reporter | None, settings: dict[str, object]) -> Context:
    refuse_unknown(settings)
    return context_of(
        project,
        flags=settings,
        variables=os.environ,
        cwd=Path.cwd(),
        reporter=reporter or Reporter(),
        directories=Directories.of(os.environ),
    )
