"""What ``add``, ``remove`` and ``upgrade`` did, or would do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.report.as_text.freeze import freeze_lines
from venvman.report.as_text.sync import done_lines
from venvman.report.as_text.words import Style, plain, sentence_list
from venvman.report.drawing import Group, Text
from venvman.report.edit import difference
from venvman.requirements.edit import EditKind

if TYPE_CHECKING:
    from venvman.project import Project
    from venvman.report.drawing import Drawing
    from venvman.report.edit import EditView, UpgradeView
    from venvman.requirements.edit import LineEdit
    from venvman.workflow.editing import EditOutcome, FileEdit
    from venvman.workflow.values import FreezeOutcome, SyncOutcome

__all__ = ["render_edit", "render_upgrade"]

_DIFF = {"+": Style.ADDED, "-": Style.REMOVED, "@": Style.FAINT}
_LINES = {
    EditKind.ADDED: ("+ ", Style.ADDED),
    EditKind.CHANGED: ("~ ", Style.CHANGED),
    EditKind.REMOVED: ("- ", Style.REMOVED),
    EditKind.UNCHANGED: ("= ", Style.FAINT),
}


def render_edit(view: EditView, *, verbose: bool, height: int | None) -> Drawing:
    """The edited lines (a diff, if they are not yet), then what followed."""
    outcome = view.outcome
    parts: list[Drawing] = []
    for file in outcome.files:
        parts += _file(file, outcome.project, dry_run=view.dry_run)
    if not view.adding:
        parts += _removed(outcome, dry_run=view.dry_run)
    return Group(*parts, *_followed(outcome.frozen, outcome.synced, verbose=verbose, height=height))


def render_upgrade(view: UpgradeView, *, verbose: bool, height: int | None) -> Drawing:
    """The pins that moved, then what that did to the environment."""
    frozen, synced = view.outcome.frozen, view.outcome.synced
    if synced is not None and not synced.plan and not synced.created:
        synced = None  # the freeze says all there is to say
    return Group(*_followed(frozen, synced, verbose=verbose, height=height))


def _file(edit: FileEdit, project: Project, *, dry_run: bool) -> list[Drawing]:
    path = project.display(edit.path)
    if dry_run and edit.changed:
        return [_diff(difference(edit, project))]
    lines: list[Drawing] = []
    if edit.before is None:
        lines.append(Text.assemble(("+ ", Style.ADDED), plain(path, Style.PLACE), " created"))
    return [*lines, *(_line(each, path) for each in edit.edits)]


def _line(edit: LineEdit, path: str) -> Text:
    where = plain(f"{path}:{edit.line}", Style.PLACE)
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


def _diff(text: str) -> Text:
    lines = (plain(line, _DIFF.get(line[:1], "")) for line in text.splitlines())
    return Text("\n").join(lines)


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


def _followed(
    frozen: FreezeOutcome | None, synced: SyncOutcome | None, *, verbose: bool, height: int | None
) -> list[Drawing]:
    if frozen is None:
        return []
    # Why the locks were stale needs no telling: somebody has just asked for it.
    frozen = replace(frozen, locks=tuple(replace(lock, stale=()) for lock in frozen.locks))
    if synced is None:
        return freeze_lines(frozen, verbose=verbose, height=height)
    # What came into the lock comes into the environment, too: told once, as the latter.
    sync = replace(synced, frozen=frozen if frozen.changed else None)
    return done_lines(sync, verbose=verbose, height=height)
