"""The project itself, a distribution of its own environment where its pyproject.toml builds one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.lock.file import LockEntry
from venvman.naming import DEFAULT
from venvman.requirements.declared import PYPROJECT, read_declared
from venvman.sources import DirectorySource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from venvman.scan import Scan
    from venvman.workflow.context import Context

OWN = DirectorySource(path=".", editable=True)


def own_entry(context: Context, scan: Scan) -> LockEntry | None:
    """What a line ``-e .`` would lock; None where the project is not to be installed.

    It is no part of any lock: whoever reads those has the project, or wants none of it.
    """
    declared = any(each.declared and each.group == DEFAULT for each in scan.sources)
    if not declared or not context.settings.project.value:
        return None
    text = context.project.read(context.project.root / PYPROJECT).decode("utf-8", "replace")
    said = read_declared(text)
    if said is None or said.built is None or said.name is None:
        return None
    return LockEntry(name=said.name, version=None, source=OWN, via=(PYPROJECT,), origin=said.built)


def with_own(
    context: Context, scan: Scan, groups: Collection[str], entries: Iterable[LockEntry]
) -> tuple[LockEntry, ...]:
    """``entries``, and the project beside its dependencies, in place of any pin of its name."""
    own = own_entry(context, scan) if DEFAULT in groups else None
    if own is None:
        return tuple(entries)
    others = (each for each in entries if each.name != own.name)
    return tuple(sorted((*others, own), key=lambda entry: entry.name))
