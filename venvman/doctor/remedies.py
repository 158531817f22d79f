"""What puts a difference right where a sync cannot: told alike by doctor, status and hooks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from venvman.environment.inventory import Installed, MetadataKind
from venvman.environment.ledger import read_ledger
from venvman.model.errors import Command, Fix
from venvman.plan import Add, Plan, Replace
from venvman.system.files import permit

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.lock.file import LockEntry


def of_plan(plan: Plan, root: Path) -> Fix:
    """What carries ``plan`` out in the environment ``root``: a sync, or what has to come first."""
    moved: list[str] = []
    for step in plan.steps:
        if isinstance(step, Add):
            continue
        for each in step.installed:
            before = of_damage(each)
            if before is not None:
                return before
            if isinstance(step, Replace) and is_moved_by_hand(root, step.entry, each):
                moved.append(step.name)
    return Command.venvman("upgrade", *moved) if moved else Command.venvman("sync")


def of_damage(installed: Installed) -> Fix | None:
    """What has to be done before ``installed`` can be replaced; None where a sync can.

    A sync removes what RECORD lists; without that nobody knows which files are its own.
    """
    folder = installed.metadata
    unreadable = [
        path
        for path in (folder, folder / "METADATA", folder / "RECORD", folder / "direct_url.json")
        if os.path.lexists(path) and not os.access(path, os.R_OK) and path.exists()
    ]
    if unreadable:
        return permit("u+rX", folder, below=True)
    record = folder / "RECORD"
    is_listed = record.is_file() and record.stat().st_size
    if installed.kind is MetadataKind.DIST_INFO and not is_listed:
        return Command.venvman("sync", "--recreate")
    return None


def is_moved_by_hand(root: Path, entry: LockEntry, installed: Installed) -> bool:
    """Whether the pin's hashes are those of the version that is installed, and not of its own.

    ``root`` is the environment's folder.
    """
    if entry.version is None or installed.version == entry.version:
        return False
    ledger = read_ledger(root)
    known = ledger.known(ledger.info_of(installed.metadata))
    return known is not None and f"sha256:{known.sha256}" in entry.hashes
