"""The verbs: one function each, the stages composed. See ``docs/development/architecture.md``."""

from __future__ import annotations

from venvman.workflow.context import Context, open_context
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

__all__ = [
    "CleanOutcome",
    "Context",
    "FreezeOutcome",
    "FreezeRequest",
    "GroupChoice",
    "LockOutcome",
    "LockPolicy",
    "LockState",
    "StatusReport",
    "SyncOutcome",
    "SyncRequest",
    "open_context",
]
