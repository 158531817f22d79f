"""Keeps a project's ``./venv`` equal to its requirements files.

    from venvman import find_project, sync

    outcome = sync(find_project())

Importing this package loads nothing: the public names are resolved on first use, because the
nothing-to-do path of ``venvman sync`` must start in milliseconds. See ``docs/reference/api.md``.
"""

from __future__ import annotations

# Not from typing, which costs more to import than everything on the nothing-to-do path.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from venvman.api import *
    from venvman.version import __version__ as __version__

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


def __getattr__(name: str) -> object:
    """PEP 562: the names of :mod:`venvman.api`, loaded with it on first use."""
    if name == "__version__":
        from venvman.version import __version__

        return __version__
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from venvman import api

    return getattr(api, name)
