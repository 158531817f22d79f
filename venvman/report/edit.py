"""``add``, ``remove`` and ``upgrade``: what they did, or would do."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvman.report.changes import change_rows
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.freeze import changes_of_freeze, freeze_lines
from venvman.report.result import Result, Screen, Status
from venvman.report.sync import done_lines, sync_data
from venvman.report.words import Style, plain, sentence_list
from venvman.requirements.edit import EditKind, LineEdit

if TYPE_CHECKING:
    from venvman.outcomes import EditOutcome, FileEdit, FreezeOutcome, SyncOutcome, UpgradeOutcome
    from venvman.project.project import Project

_DIFF = {"+": Style.ADDED, "-": Style.REMOVED, "@": Style.FAINT}
_LINES = {
    EditKind.ADDED: ("+ ", Style.ADDED),
    EditKind.CHANGED: ("~ ", Style.CHANGED),
    EditKind.REMOVED: ("- ", Style.REMOVED),
    EditKind.UNCHANGED: ("= ", Style.FAINT),
}


def edit_result(outcome: EditOutcome, *, command: str, dry_run: bool) -> Result:
    """``data.{files[], leaving[], staying[], freeze, sync}``; the last two null if not done.

    A file is ``{path, created, diff, edits[] {action, name, line, before, after}}``.
    """
    pending = dry_run and any(each.changed for each in outcome.files)
    return Result(
        command=command,
        status=Status.DRIFT if pending else Status.OK,
        data={
            "files": [_file(each, outcome.project) for each in outcome.files],
            "leaving": list(outcome.leaving),
            "staying": [
                {"name": name, "needed_by": list(parents)} for name, parents in outcome.staying
            ],
            **_followed(outcome.frozen, outcome.synced),
        },
        problems=outcome.problems,
        draw=lambda screen: draw_edit(outcome, screen, adding=command == "add", dry_run=dry_run),
    )


def upgrade_result(outcome: UpgradeOutcome, *, dry_run: bool) -> Result:
    """``data.{freeze, sync}``; ``sync`` is null if it was not done."""
    pending = dry_run and outcome.frozen.changed
    problems = outcome.synced.problems if outcome.synced else ()
    return Result(
        command="upgrade",
        status=Status.DRIFT if pending else Status.OK,
        data=_followed(outcome.frozen, outcome.synced),
        problems=(*outcome.frozen.problems, *problems),
        draw=lambda screen: draw_upgrade(outcome, screen),
    )


def _difference(edit: FileEdit, project: Project) -> str:
    """The edit as a unified diff, as git shows it."""
    path = project.display(edit.path)
    lines = difflib.unified_diff(
        (edit.before or "").splitlines(),
        edit.after.splitlines(),
        "/dev/null" if edit.before is None else f"a/{path}",
        f"b/{path}",
        lineterm="",
        n=2,
    )
    return "".join(f"{line}\n" for line in lines)


def _followed(frozen: FreezeOutcome | None, synced: SyncOutcome | None) -> dict[str, Any]:
    return {
        "freeze": None
        if frozen is None
        else {
            "locks": [frozen.project.display(each.path) for each in frozen.locks],
            **change_rows(changes_of_freeze(frozen)),
        },
        "sync": None if synced is None else sync_data(synced),
    }


def _file(edit: FileEdit, project: Project) -> dict[str, Any]:
    return {
        "path": project.display(edit.path),
        "created": edit.before is None,
        "diff": _difference(edit, project),
        "edits": [
            {
                "action": each.kind.value,
                "name": each.name,
                "line": each.line,
                "before": each.before,
                "after": each.after,
            }
            for each in edit.edits
        ],
    }


def draw_edit(outcome: EditOutcome, screen: Screen, *, adding: bool, dry_run: bool) -> Drawing:
    """The edited lines (a diff, if they are not yet), then what followed."""
    parts: list[Drawing] = []
    for file in outcome.files:
        parts += _file_lines(file, outcome.project, dry_run=dry_run)
    if not adding:
        parts += _removed(outcome, dry_run=dry_run)
    return Group(*parts, *_followed_lines(outcome.frozen, outcome.synced, screen))


def draw_upgrade(outcome: UpgradeOutcome, screen: Screen) -> Drawing:
    """The pins that moved, then what that did to the environment."""
    frozen, synced = outcome.frozen, outcome.synced
    if synced is not None and not synced.plan and not synced.created:
        synced = None  # the freeze says all there is to say
    return Group(*_followed_lines(frozen, synced, screen))


def _file_lines(edit: FileEdit, project: Project, *, dry_run: bool) -> list[Drawing]:
    path = project.display(edit.path)
    if dry_run and edit.changed:
        text = _difference(edit, project)
        colored = (plain(line, _DIFF.get(line[:1], "")) for line in text.splitlines())
        return [Text("\n").join(colored)]
    lines: list[Drawing] = []
    if edit.before is None:
        lines.append(Text.assemble(("+ ", Style.ADDED), plain(path, Style.PATH), " created"))
    return [*lines, *(_edited_line(each, path) for each in edit.edits)]


def _edited_line(edit: LineEdit, path: str) -> Text:
    where = plain(f"{path}:{edit.line}", Style.PATH)
    text = plain((edit.after or edit.before or "").strip())
    match edit.kind:
        case EditKind.UNCHANGED:
            said = Text.assemble(" already says ", text)
        case EditKind.CHANGED:
            said = Text.assemble(
                "  ", text, plain(f"  was {(edit.before or '').strip()}", Style.FAINT)
            )
        case EditKind.ADDED | EditKind.REMOVED:
            said = Text.assemble("  ", text)
    return Text.assemble(_LINES[edit.kind], where, said, overflow="fold")


def _removed(outcome: EditOutcome, *, dry_run: bool) -> list[Drawing]:
    """What leaves with the removed lines, and what stays all the same."""
    lines: list[Drawing] = []
    if outcome.leaving:
        names = plain(sentence_list(outcome.leaving), Style.NAME)
        one = len(outcome.leaving) == 1
        verb = "would leave" if dry_run else "leaves" if one else "leave"
        lines.append(
            Text.assemble(names, f" {verb} with it: nothing else needs {'it' if one else 'them'}.")
        )
    for name, parents in outcome.staying:
        because = (
            f" stays: {sentence_list(parents)} {'needs' if len(parents) == 1 else 'need'} it."
            if parents
            else " stays: another line asks for it."
        )
        lines.append(Text.assemble(plain(name, Style.NAME), plain(because)))
    return lines


def _followed_lines(
    frozen: FreezeOutcome | None, synced: SyncOutcome | None, screen: Screen
) -> list[Drawing]:
    if frozen is None:
        return []
    # Why the locks were stale needs no telling: somebody has just asked for it.
    frozen = replace(frozen, locks=tuple(replace(lock, stale=()) for lock in frozen.locks))
    if synced is None:
        return freeze_lines(frozen, screen)
    # What came into the lock comes into the environment, too: told once, as the latter.
    sync = replace(synced, frozen=frozen if frozen.changed else None)
    return done_lines(sync, screen)
