"""EditOutcome and UpgradeOutcome to Result."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.frozen import dataclass
from venvman.report.changes import change_rows
from venvman.report.freeze import changes_of_freeze
from venvman.report.result import Result, Status
from venvman.report.sync import sync_data

if TYPE_CHECKING:
    from venvman.project import Project
    from venvman.requirements.edit import LineEdit
    from venvman.workflow.editing import EditOutcome, FileEdit
    from venvman.workflow.upgrading import UpgradeOutcome
    from venvman.workflow.values import FreezeOutcome, SyncOutcome

__all__ = ["EditView", "UpgradeView", "difference", "edit_result", "upgrade_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditView:
    """What the text renderer draws; ``dry_run`` and ``adding`` are what was asked for."""

    outcome: EditOutcome
    adding: bool
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeView:
    """The same for an upgrade."""

    outcome: UpgradeOutcome
    dry_run: bool


def edit_result(outcome: EditOutcome, *, command: str, dry_run: bool) -> Result:
    """``data.{files[], leaving[], staying[], freeze, sync}``; the last two null if not done.

    A file is ``{path, created, diff, edits[] {action, name, line, before, after}}``.
    """
    pending = dry_run and any(each.changed for each in outcome.files)
    return Result(
        command=command,
        status=Status.DRIFT if pending else Status.OK,
        exit_code=ExitCode.OK,
        data={
            "files": [_file(each, outcome.project) for each in outcome.files],
            "leaving": list(outcome.leaving),
            "staying": [
                {"name": name, "needed_by": list(parents)} for name, parents in outcome.staying
            ],
            **_followed(outcome.frozen, outcome.synced),
        },
        problems=outcome.problems,
        view=EditView(outcome=outcome, adding=command == "add", dry_run=dry_run),
    )


def upgrade_result(outcome: UpgradeOutcome, *, dry_run: bool) -> Result:
    """``data.{freeze, sync}``; ``sync`` is null if it was not done."""
    pending = dry_run and outcome.frozen.changed
    problems = outcome.synced.problems if outcome.synced else ()
    return Result(
        command="upgrade",
        status=Status.DRIFT if pending else Status.OK,
        exit_code=ExitCode.OK,
        data=_followed(outcome.frozen, outcome.synced),
        problems=(*outcome.frozen.problems, *problems),
        view=UpgradeView(outcome=outcome, dry_run=dry_run),
    )


def difference(edit: FileEdit, project: Project) -> str:
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
        "freeze": None if frozen is None else _frozen(frozen),
        "sync": None if synced is None else sync_data(synced),
    }


def _frozen(outcome: FreezeOutcome) -> dict[str, Any]:
    return {
        "locks": [outcome.project.display(each.path) for each in outcome.locks],
        **change_rows(changes_of_freeze(outcome)),
    }


def _file(edit: FileEdit, project: Project) -> dict[str, Any]:
    return {
        "path": project.display(edit.path),
        "created": edit.before is None,
        "diff": difference(edit, project),
        "edits": [_line(each) for each in edit.edits],
    }


def _line(edit: LineEdit) -> dict[str, Any]:
    return {
        "action": edit.kind.value,
        "name": edit.name,
        "line": edit.line,
        "before": edit.before,
        "after": edit.after,
    }
