"""FreezeOutcome to Result; and what changed between two locks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.frozen import dataclass
from venvman.report.change import Change, ChangeKind
from venvman.report.changes import change_rows, source_text
from venvman.report.result import Result, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.lock.file import Lock, LockEntry
    from venvman.names import NormalizedName
    from venvman.project import Project
    from venvman.workflow.values import FreezeOutcome, FreezeRequest

__all__ = [
    "FreezeView",
    "changes_between",
    "changes_of_freeze",
    "freeze_result",
    "nothing_to_do",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeView:
    """What the text renderer draws: the outcome, and what was asked for."""

    outcome: FreezeOutcome
    request: FreezeRequest


def freeze_result(outcome: FreezeOutcome, request: FreezeRequest) -> Result:
    """``data`` as DESIGN 4.3 has it.

    A lock that would change is ``drift`` where nothing was allowed to be written: exit code 1 for
    ``--check``, 0 for ``--dry-run``.
    """
    pending = (request.check or request.dry_run) and outcome.changed
    return Result(
        command="freeze",
        status=Status.DRIFT if pending else Status.OK,
        exit_code=ExitCode.DRIFT if pending and request.check else ExitCode.OK,
        data=_data(outcome),
        problems=tuple(each.at(outcome.project.root) for each in outcome.problems),
        view=FreezeView(outcome=outcome, request=request),
    )


def nothing_to_do(outcome: FreezeOutcome) -> tuple[str, str, str]:
    """The sentence for locks that match their requirements; the second part is their names."""
    names = ", ".join(outcome.project.display(each.path) for each in outcome.locks)
    verb = "matches its" if len(outcome.locks) == 1 else "match their"
    return "Nothing to do: ", names, f" {verb} requirements."


def changes_of_freeze(outcome: FreezeOutcome) -> tuple[Change, ...]:
    """What freezing did to the locks of one project; what several locks share is named once."""
    return _unique(
        change
        for each in outcome.locks
        for change in changes_between(each.before, each.lock, outcome.project)
    )


def changes_between(before: Lock | None, after: Lock, project: Project) -> tuple[Change, ...]:
    """Pins that came, went or moved, sorted by name; markers, hashes and reasons do not count."""
    old, new = _by_name(before.entries if before else ()), _by_name(after.entries)
    changes = []
    for name in sorted(old.keys() | new.keys()):
        here, there = old.get(name, ()), new.get(name, ())
        if _pins(here) == _pins(there):
            continue
        changes.append(_change(here, there, project))
    return tuple(changes)


def _data(outcome: FreezeOutcome) -> dict[str, Any]:
    return {
        "locks": [outcome.project.display(each.path) for each in outcome.locks],
        "packages": _packages(entry for each in outcome.locks for entry in each.lock.entries),
        **change_rows(changes_of_freeze(outcome)),
    }


def _packages(entries: Iterable[LockEntry]) -> list[dict[str, Any]]:
    """One row per name and version, with the reasons of all locks."""
    reasons: dict[tuple[str, str | None], set[str]] = {}
    for entry in entries:
        version = None if entry.version is None else str(entry.version)
        reasons.setdefault((entry.name, version), set()).update(entry.via)
    return [
        {"name": name, "version": version, "via": sorted(via)}
        for (name, version), via in sorted(reasons.items(), key=lambda row: _sort_key(row[0]))
    ]


def _sort_key(row: tuple[str, str | None]) -> tuple[str, str]:
    name, version = row
    return name, version or ""


def _by_name(entries: Iterable[LockEntry]) -> Mapping[NormalizedName, tuple[LockEntry, ...]]:
    """Entries of one name together: markers may tell several of them apart."""
    result: dict[NormalizedName, tuple[LockEntry, ...]] = {}
    for entry in entries:
        result[entry.name] = (*result.get(entry.name, ()), entry)
    return result


def _pins(entries: Sequence[LockEntry]) -> frozenset[tuple[str, str]]:
    return frozenset((str(entry.version), str(entry.source)) for entry in entries)


def _change(before: Sequence[LockEntry], after: Sequence[LockEntry], project: Project) -> Change:
    old, new = _versions(before), _versions(after)
    if before and after and old == new:
        old, new = _sources(before, project), _sources(after, project)
    kind = ChangeKind.CHANGED if before and after else None
    kind = kind or (ChangeKind.ADDED if after else ChangeKind.REMOVED)
    present = after or before
    return Change(
        kind=kind,
        name=present[0].name,
        before=old,
        after=new,
        source=_sources(present, project) or "index",
        because=", ".join(dict.fromkeys(via for entry in after for via in entry.via)),
    )


def _versions(entries: Sequence[LockEntry]) -> str | None:
    known = (str(entry.version) for entry in entries if entry.version is not None)
    return ", ".join(dict.fromkeys(known)) or None


def _sources(entries: Sequence[LockEntry], project: Project) -> str | None:
    texts = (source_text(entry.source, project) for entry in entries)
    return ", ".join(dict.fromkeys(texts)) or None


def _unique(changes: Iterable[Change]) -> tuple[Change, ...]:
    known = {(each.name, each.before, each.after): each for each in changes}
    return tuple(known[key] for key in sorted(known, key=lambda key: key[0]))
