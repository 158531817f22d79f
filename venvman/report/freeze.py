"""``freeze``, ``diff``, ``export``: what becomes of locks, differs between two, or is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.lock.file import Lock, LockEntry
from venvman.model.errors import ExitCode
from venvman.report.changes import Change, ChangeKind, Tense, change_list, change_rows, counted
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.planned import changes_of_plan, source_text
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, duration, plain
from venvman.requirements.header import LockHeader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.model.errors import Problem
    from venvman.model.names import NormalizedName
    from venvman.outcomes import DiffOutcome, ExportOutcome, FreezeOutcome, LockOutcome
    from venvman.project.project import Project

_MOST_REASONS = 3


def freeze_result(outcome: FreezeOutcome, *, check: bool = False, dry_run: bool = False) -> Result:
    """``data`` as json-output.md has it.

    A lock that would change is ``drift`` where nothing was allowed to be written: exit code 1 for
    ``--check``, 0 for ``--dry-run``.
    """
    pending = (check or dry_run) and outcome.changed
    return Result(
        command="freeze",
        status=Status.DRIFT if pending else Status.OK,
        exit_code=ExitCode.DRIFT if pending and check else ExitCode.OK,
        data={
            "locks": [outcome.project.display(each.path) for each in outcome.locks],
            "packages": _packages(entry for each in outcome.locks for entry in each.lock.entries),
            **change_rows(changes_of_freeze(outcome)),
        },
        problems=tuple(each.at(outcome.project.root) for each in outcome.problems),
        draw=lambda screen: Group(*freeze_lines(outcome, screen)),
        tells=not outcome.resolved,
    )


def nothing_to_do(outcome: FreezeOutcome) -> tuple[str, str, str]:
    """The sentence for locks that match their requirements; the second part is their names."""
    names = ", ".join(outcome.project.display(each.path) for each in outcome.locks)
    verb = "matches its" if len(outcome.locks) == 1 else "match their"
    return "Nothing to do: ", names, f" {verb} requirements."


def changes_of_freeze(outcome: FreezeOutcome) -> tuple[Change, ...]:
    """What freezing did to the locks of one project; what several locks share is named once."""
    known = {
        (change.name, change.before, change.after): change
        for each in outcome.locks
        for change in changes_between(each.before, each.lock, outcome.project)
    }
    return tuple(known[key] for key in sorted(known, key=lambda key: key[0]))


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


def _packages(entries: Iterable[LockEntry]) -> list[dict[str, Any]]:
    """One row per name and version, with the reasons of all locks."""
    reasons: dict[tuple[str, str | None], set[str]] = {}
    for entry in entries:
        version = None if entry.version is None else str(entry.version)
        reasons.setdefault((entry.name, version), set()).update(entry.via)
    return [
        {"name": name, "version": version, "via": sorted(via)}
        for (name, version), via in sorted(
            reasons.items(), key=lambda row: (row[0][0], row[0][1] or "")
        )
    ]


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


def lock_lines(outcome: FreezeOutcome) -> list[Drawing]:
    """A line per lock that changed, with the reasons that made it stale below it."""
    lines: list[Drawing] = []
    for lock in outcome.locks:
        if lock.changed:
            lines.append(_lock_line(lock, outcome))
            most = _MOST_REASONS if outcome.resolved else None
            lines += [
                plain(f"    {_reason(reason.at(outcome.project.root))}", Style.FAINT)
                for reason in lock.stale[:most]
                if lock.before is not None
            ]
    return lines


def _reason(problem: Problem) -> str:
    """Its sentence, and where it is, if the sentence does not begin with that."""
    where = f"{problem.path}:{problem.line}"
    known = problem.line is None or problem.message.startswith(where)
    return problem.message if known else f"{problem.message} ({where})"


def freeze_lines(outcome: FreezeOutcome, screen: Screen) -> list[Drawing]:
    """The summary, line by line."""
    if not outcome.changed:
        start, names, end = nothing_to_do(outcome)
        return [Text.assemble((start, Style.GOOD), plain(names, Style.NAME), end)]
    changes = changes_of_freeze(outcome)
    head = lock_lines(outcome)
    limit = screen.fitting(used=len(head) + 5)
    listing = [change_list(changes, limit=limit, reasons=True)] if changes else []
    tense = Tense.PAST if outcome.written else Tense.FUTURE
    numbers = counted(changes, tense=tense, added=("added", "to add"))
    same = "the same pins with other hashes, markers or reasons"
    numbers = numbers or (same if outcome.resolved else "what would change was not looked up")
    if not outcome.written:
        return [*head, *listing, Text.assemble(("Not yet written: ", Style.WARNING), numbers, ".")]
    took = f" in {duration(sum(outcome.seconds.values()))}" if outcome.seconds else ""
    return [*head, *listing, Text.assemble((f"Frozen{took}: ", Style.GOOD), numbers, ".")]


def _lock_line(lock: LockOutcome, outcome: FreezeOutcome) -> Text:
    new = lock.before is None
    if not outcome.resolved:
        return Text.assemble(
            ("! ", Style.WARNING),
            plain(outcome.project.display(lock.path), Style.NAME),
            " is missing" if new else " is stale",
        )
    verb = "" if outcome.written else "would be "
    pins = count(len(lock.lock.entries), "pin")
    return Text.assemble(
        ("+ ", Style.ADDED) if new else ("~ ", Style.CHANGED),
        plain(outcome.project.display(lock.path), Style.NAME),
        f" {verb}{'written' if new else 'frozen again'}, {pins}",
    )


def diff_result(outcome: DiffOutcome, *, check: bool) -> Result:
    """``data.{from, to, locks[] {path, added[], removed[], changed[]}}``.

    A report: the exit code is 0; with ``check`` it is 1 if anything differs.
    """
    changes = _changes(outcome)
    drift = check and any(each for _, each in changes)
    return Result(
        command="diff",
        status=Status.DRIFT if drift else Status.OK,
        exit_code=ExitCode.DRIFT if drift else ExitCode.OK,
        data={
            "from": outcome.before,
            "to": outcome.after,
            "locks": [{"path": path, **change_rows(each)} for path, each in changes],
        },
        problems=outcome.problems,
        draw=lambda _: draw_diff(outcome.before, outcome.after, changes),
        answers=True,
    )


def _changes(outcome: DiffOutcome) -> tuple[tuple[str, tuple[Change, ...]], ...]:
    if outcome.plan is not None:
        return ((outcome.before, changes_of_plan(outcome.plan, outcome.project)),)
    return tuple(
        (pair.path, changes_between(pair.before, pair.after or _NONE, outcome.project))
        for pair in outcome.pairs
    )


_NONE = Lock(entries=(), header=LockHeader(text=""))


def draw_diff(
    before: str, after: str, changes_of: Sequence[tuple[str, Sequence[Change]]]
) -> Drawing:
    """The changes of each lock, or of the environment, by path.

    All of them, whatever the screen's height: they are what was asked for.
    """
    heading = Text.assemble(plain(before, Style.PATH), " -> ", plain(after, Style.PATH))
    parts: list[Drawing] = [heading]
    for path, changes in changes_of:
        if not changes:
            continue
        if path != before:
            parts.append(plain(path, Style.NAME))
        parts.append(change_list(changes, limit=None, reasons=True))
    every = [change for _, changes in changes_of for change in changes]
    if not every:
        return Text.assemble(("No difference: ", Style.GOOD), heading, ".")
    parts.append(Text.assemble(plain(counted(every, added=("added", "to add"))), "."))
    return Group(*parts)


def export_result(outcome: ExportOutcome) -> Result:
    """``data.{format, path, groups[], pins, text}``; ``text`` is null where a file has it."""
    shown = None if outcome.path is None else outcome.project.display(outcome.path)
    return Result(
        command="export",
        data={
            "format": outcome.form,
            "path": shown,
            "groups": list(outcome.groups),
            "pins": outcome.count,
            "text": outcome.text if shown is None else None,
        },
        problems=outcome.problems,
        draw=lambda _: Text.assemble(
            plain(shown or "", Style.PATH), f" written, {count(outcome.count, 'pin')}"
        ),
        verbatim=outcome.text if shown is None else None,
        answers=shown is None,
    )
