"""The steps of a plan as changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.sources import DirectorySource, Source
from venvman.plan import Add, Plan, Remove, Replace, Step
from venvman.report.changes import Change, ChangeKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.environment.inventory import Installed
    from venvman.lock.file import LockEntry
    from venvman.project.project import Project


def changes_of_plan(plan: Plan, project: Project) -> tuple[Change, ...]:
    """The steps of ``plan``, in its order."""
    return tuple(_of_step(step, project) for step in plan.steps)


def source_text(source: Source, project: Project) -> str:
    """``index``, a URL, or a folder as people see it; may hold credentials."""
    if isinstance(source, DirectorySource):
        return ("-e " if source.editable else "") + project.display(Path(source.path))
    return str(source)


def _of_step(step: Step, project: Project) -> Change:
    match step:
        case Add(entry=entry, because=because):
            source = source_text(entry.source, project)
            return Change(ChangeKind.ADDED, entry.name, None, _version(entry), source, because)
        case Replace(entry=entry, installed=installed, because=because):
            source = source_text(entry.source, project)
            before, after = _versions(installed), _version(entry)
            if after is None or (before == after and installed[0].source != entry.source):
                before, after = source_text(installed[0].source, project), source
            return Change(ChangeKind.CHANGED, entry.name, before, after, source, because)
        case Remove(installed=installed, because=because):
            first, before = installed[0], _versions(installed)
            source = source_text(first.source, project)
            return Change(ChangeKind.REMOVED, first.name, before, None, source, because)


def _version(entry: LockEntry) -> str | None:
    return None if entry.version is None else str(entry.version)


def _versions(installed: Sequence[Installed]) -> str | None:
    known = [str(each.version) for each in installed if each.version is not None]
    return ", ".join(known) or None
