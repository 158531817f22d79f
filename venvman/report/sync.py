"""``sync``, what it did, or would do, on one screen; and ``clean``, which removes all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from venvman.model.errors import Command, ExitCode
from venvman.plan import Remove
from venvman.report.changes import Tense, change_list, change_rows, counted, done_line
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.fixes import shell_line
from venvman.report.freeze import changes_of_freeze, lock_lines
from venvman.report.planned import changes_of_plan
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, duration, plain

if TYPE_CHECKING:
    from venvman.outcomes import CleanOutcome, SyncOutcome
    from venvman.project.project import Project

# A stage that took less says nothing about where the time went.
_WORTH_TELLING = 0.05


def sync_result(
    outcome: SyncOutcome, *, check: bool = False, dry_run: bool = False, shell: str | None = None
) -> Result:
    """``data`` as json-output.md has it; the first time it is said how ``shell`` activates it.

    With something left to do the status is ``drift``: exit code 1 for ``--check``, 0 for
    ``--dry-run``.
    """
    looks = check or dry_run
    pending = looks and (outcome.changed or outcome.pending)

    def draw(screen: Screen) -> Drawing:
        if looks:
            return Group(*_intention(outcome, screen))
        return Group(*done_lines(outcome, screen), *_activation(outcome, screen, shell))

    return Result(
        command="sync",
        status=Status.DRIFT if pending else Status.OK,
        exit_code=ExitCode.DRIFT if pending and check else ExitCode.OK,
        data=sync_data(outcome),
        problems=tuple(each.at(outcome.project.root) for each in outcome.problems),
        draw=draw,
    )


def nothing_to_do(outcome: SyncOutcome) -> tuple[str, str, str]:
    """The sentence for an environment that is as the lock says; the second part is its path.

    Also what the next sync says if nothing changes until then.
    """
    number = locked_count(outcome)
    held = f"{number} package" if number == 1 else f"{number} packages"
    groups = ", ".join(outcome.groups)
    end = f" holds the {held} of {groups}." if groups else f" holds {held}."
    return "Nothing to do: ", outcome.project.display(outcome.environment), end


def locked_count(outcome: SyncOutcome) -> int:
    """How many distributions the locks name."""
    done = sum(not isinstance(step, Remove) for step in outcome.plan.steps)
    return outcome.plan.unchanged + done


def sync_data(outcome: SyncOutcome) -> dict[str, Any]:
    """One project's row."""
    changes = changes_of_plan(outcome.plan, outcome.project)
    return {
        "project": outcome.project.root.as_posix(),
        "environment": outcome.project.display(outcome.environment),
        "created": outcome.created,
        **change_rows(changes, added="installed"),
        "unchanged": outcome.plan.unchanged,
        "seconds": round(sum(outcome.seconds.values()), 3),
    }


def done_lines(outcome: SyncOutcome, screen: Screen) -> list[Drawing]:
    """What a sync did to one project, without its name."""
    head = _head(outcome, screen, created="created")
    if not outcome.plan:
        return [*head, _nothing_to_do(outcome)]
    changes = changes_of_plan(outcome.plan, outcome.project)
    limit = screen.fitting(used=len(head) + 5)
    seconds = sum(outcome.seconds.values())
    told = [
        f"{stage.value} {duration(each)}"
        for stage, each in outcome.seconds.items()
        if each >= _WORTH_TELLING
    ]
    return [
        *head,
        change_list(changes, limit=limit),
        done_line(changes, unchanged=outcome.plan.unchanged, seconds=seconds),
        *([Text(", ".join(told), style=Style.FAINT)] if len(told) > 1 else []),
    ]


_SCRIPTS = {
    **dict.fromkeys(("bash", "zsh"), ("source", "activate")),
    "fish": ("source", "activate.fish"),
    "powershell": (".", "Activate.ps1"),
    "sh": (".", "activate"),
}


def _activation(outcome: SyncOutcome, screen: Screen, shell: str | None) -> list[Drawing]:
    """Of a new environment: the line that activates it, where the user stands."""
    word, script = _SCRIPTS.get(shell or "", ("", ""))
    path = next(iter(sorted(outcome.environment.glob(f"*/{script}"))), None) if script else None
    if not outcome.created or path is None or screen.beside:
        return []
    line = shell_line(Command(((word, path),), root=outcome.project.root), screen.here)
    return [Text.assemble(("Activate: ", Style.FAINT), plain(line, Style.COMMAND), no_wrap=True)]


def _intention(outcome: SyncOutcome, screen: Screen) -> list[Drawing]:
    head = _head(outcome, screen, created="would be created")
    if not outcome.plan:
        return head or [_nothing_to_do(outcome)]
    changes = changes_of_plan(outcome.plan, outcome.project)
    limit = screen.fitting(used=len(head) + 5)
    return [
        *head,
        change_list(changes, limit=limit, reasons=True),
        Text.assemble(
            ("Not yet done: ", Style.WARNING),
            plain(counted(changes, tense=Tense.FUTURE, unchanged=outcome.plan.unchanged)),
            ".",
        ),
    ]


def _head(outcome: SyncOutcome, screen: Screen, *, created: str) -> list[Drawing]:
    lines: list[Drawing] = []
    if outcome.frozen is not None:
        lines += lock_lines(outcome.frozen)
        moves = changes_of_freeze(outcome.frozen)
        if moves:
            limit = screen.fitting(used=len(lines) + 5)
            lines.append(change_list(moves, limit=limit, reasons=True))
    if outcome.created:
        lines.append(
            Text.assemble(
                ("+ ", Style.ADDED),
                plain(outcome.project.display(outcome.environment), Style.NAME),
                f" {created} with Python {outcome.interpreter.version}",
            )
        )
    return lines


def _nothing_to_do(outcome: SyncOutcome) -> Text:
    start, where, end = nothing_to_do(outcome)
    return Text.assemble((start, Style.GOOD), plain(where, Style.NAME), end)


def clean_result(outcome: CleanOutcome, project: Project) -> Result:
    """``data.{environment, removed}``."""
    path = project.display(outcome.environment)
    data = {"environment": path, "removed": outcome.removed}
    return Result(
        command="clean", data=data, draw=lambda _: _cleaned(path, removed=outcome.removed)
    )


def _cleaned(path: str, *, removed: bool) -> Text:
    environment = plain(path, Style.NAME)
    if removed:
        return Text.assemble(("- ", Style.REMOVED), environment, " removed")
    return Text.assemble(("Nothing to do: ", Style.GOOD), "there is no ", environment, ".")
