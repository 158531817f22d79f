"""Changes: what a plan, a drift or two locks come to, in the one form that every report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.drift import Damaged, Duplicate, Extra, Missing, OtherSource, OtherVersion
from venvman.plan import Add, Remove, Replace
from venvman.report.change import Change, ChangeKind
from venvman.sources import DirectorySource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.drift import Difference, Drift
    from venvman.environment.inventory import Installed
    from venvman.lock.file import LockEntry
    from venvman.plan import Plan, Step
    from venvman.project import Project
    from venvman.sources import Source

__all__ = [
    "change_rows",
    "changes_of_drift",
    "changes_of_plan",
    "source_text",
]


def changes_of_plan(plan: Plan, project: Project) -> tuple[Change, ...]:
    """The steps of ``plan``, in its order."""
    return tuple(_of_step(step, project) for step in plan.steps)


def changes_of_drift(drift: Drift, project: Project) -> tuple[Change, ...]:
    """What would have to happen to each difference of ``drift``, and what it is."""
    return tuple(_of_difference(each, project) for each in drift.differences)


def change_rows(changes: Iterable[Change], *, added: str = "added") -> dict[str, Any]:
    """JSON lists by kind (DESIGN 4.3); ``added`` names the first one (``installed`` for sync)."""
    rows: dict[str, list[dict[str, Any]]] = {added: [], "removed": [], "changed": []}
    for change in changes:
        match change.kind:
            case ChangeKind.ADDED:
                rows[added].append(_row(change, version=change.after))
            case ChangeKind.REMOVED:
                rows["removed"].append(_row(change, version=change.before))
            case ChangeKind.CHANGED:
                rows["changed"].append(
                    {"name": change.name, "from": change.before, "to": change.after}
                )
    return rows


def source_text(source: Source, project: Project) -> str:
    """``index``, a URL, or a folder as people see it; may hold credentials."""
    if isinstance(source, DirectorySource):
        from pathlib import Path

        return ("-e " if source.editable else "") + project.display(Path(source.path))
    return str(source)


def _row(change: Change, *, version: str | None) -> dict[str, Any]:
    return {"name": change.name, "version": version, "source": change.source}


def _of_step(step: Step, project: Project) -> Change:
    match step:
        case Add():
            return _added(step.entry, project, because=step.because)
        case Replace():
            return _changed(step.entry, step.installed, project, because=step.because)
        case Remove():
            return _removed(step.installed, project, because=step.because)


def _of_difference(difference: Difference, project: Project) -> Change:
    match difference:
        case Missing(entry=entry):
            return _added(entry, project, because="not installed")
        case OtherVersion(entry=entry, installed=installed):
            return _changed(entry, (installed,), project, because="other version")
        case OtherSource(entry=entry, installed=installed, because=because):
            return _changed(entry, (installed,), project, because=because)
        case Extra(installed=installed):
            return _removed((installed,), project, because="not in the lock")
        case Duplicate():
            return _of_duplicate(difference, project)
        case Damaged(entry=entry, installed=installed):
            return _changed(entry, (installed,), project, because=installed.damage or "damaged")


def _of_duplicate(duplicate: Duplicate, project: Project) -> Change:
    if duplicate.entry is None:
        because = "installed twice, not in the lock"
        return _removed(duplicate.installed, project, because=because)
    return _changed(duplicate.entry, duplicate.installed, project, because="installed twice")


def _added(entry: LockEntry, project: Project, *, because: str) -> Change:
    return Change(
        kind=ChangeKind.ADDED,
        name=entry.name,
        before=None,
        after=_version(entry),
        source=source_text(entry.source, project),
        because=because,
    )


def _removed(installed: Sequence[Installed], project: Project, *, because: str) -> Change:
    return Change(
        kind=ChangeKind.REMOVED,
        name=installed[0].name,
        before=_versions(installed),
        after=None,
        source=source_text(installed[0].source, project),
        because=because,
    )


def _changed(
    entry: LockEntry, installed: Sequence[Installed], project: Project, *, because: str
) -> Change:
    source = source_text(entry.source, project)
    before, after = _versions(installed), _version(entry)
    if after is None or (before == after and installed[0].source != entry.source):
        before, after = source_text(installed[0].source, project), source
    return Change(
        kind=ChangeKind.CHANGED,
        name=entry.name,
        before=before,
        after=after,
        source=source,
        because=because,
    )


def _version(entry: LockEntry) -> str | None:
    return None if entry.version is None else str(entry.version)


def _versions(installed: Sequence[Installed]) -> str | None:
    known = [str(each.version) for each in installed if each.version is not None]
    return ", ".join(known) or None
