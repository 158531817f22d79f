"""The verbs: one function each, the stages composed. See ``docs/development/architecture.md``."""

from __future__ import annotations

from venvman.workflow.checking import diagnose, examine_project, status
from venvman.workflow.cleaning import clean
from venvman.workflow.context import Context, open_context, open_workspace
from venvman.workflow.freezing import freeze
from venvman.workflow.hooking import HookLine, run_hook
from venvman.workflow.stamping import leave_stamp
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
    "freeze",
    "leave_stamp",
    "open_context",
    "open_workspace",
    "run_hook",
    "scan_projects",
    "status",
    "sync",
]
