"""The verbs: one function each, the stages composed. See ``docs/development/architecture.md``.

The names are resolved on first use (PEP 562): a verb loads itself and nothing of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.workflow.checking import diagnose, examine_project, status
    from venvman.workflow.cleaning import clean
    from venvman.workflow.context import Context, find_projects, open_context
    from venvman.workflow.freezing import freeze
    from venvman.workflow.hooking import HookLine, run_hook
    from venvman.workflow.syncing import sync
    from venvman.workflow.values import (
        CleanOutcome,
        FreezeOutcome,
        FreezeRequest,
        GroupChoice,
        LockOutcome,
        LockPolicy,
        LockState,
        StatusReport,
        SyncOutcome,
        SyncRequest,
    )
    from venvman.workflow.wishes import scan_projects

__all__ = [
    "CleanOutcome",
    "Context",
    "FreezeOutcome",
    "FreezeRequest",
    "GroupChoice",
    "HookLine",
    "LockOutcome",
    "LockPolicy",
    "LockState",
    "StatusReport",
    "SyncOutcome",
    "SyncRequest",
    "clean",
    "diagnose",
    "examine_project",
    "find_projects",
    "freeze",
    "open_context",
    "run_hook",
    "scan_projects",
    "status",
    "sync",
]

_HOME = {
    "CleanOutcome": "values",
    "Context": "context",
    "FreezeOutcome": "values",
    "FreezeRequest": "values",
    "GroupChoice": "values",
    "HookLine": "hooking",
    "LockOutcome": "values",
    "LockPolicy": "values",
    "LockState": "values",
    "StatusReport": "values",
    "SyncOutcome": "values",
    "SyncRequest": "values",
    "clean": "cleaning",
    "diagnose": "checking",
    "examine_project": "checking",
    "freeze": "freezing",
    "find_projects": "context",
    "open_context": "context",
    "run_hook": "hooking",
    "scan_projects": "wishes",
    "status": "checking",
    "sync": "syncing",
}


def __getattr__(name: str) -> object:
    """The public ``name``, from the module that defines it."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
