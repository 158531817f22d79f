"""``adopt``: what was taken from another tool's files, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.model.errors import Command, ExitCode, Problem, Severity
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.freeze import freeze_lines
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, plain, sentence_list
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.outcomes import AdoptOutcome, Moved


def adopt_result(outcome: AdoptOutcome, *, named: str | None) -> Result:
    """``data.{tool, files[], sources[] {path, lines[]}, pins, written, locks[], moved[]}``.

    ``moved`` is ``{name, from, to, via[]}``; ``to`` is null for a pin that no lock has.
    """
    frozen = outcome.frozen
    display = outcome.project.display
    again = Command.venvman("adopt", *([named] if named else []), "--yes")
    return Result(
        command="adopt",
        status=Status.OK if outcome.adopted or frozen is not None else Status.DRIFT,
        exit_code=ExitCode.OK,
        data={
            "tool": outcome.tool,
            "files": list(outcome.files),
            "sources": [
                {"path": path, "lines": text.splitlines()} for path, text in outcome.sources.items()
            ],
            "pins": outcome.pins,
            "written": frozen is not None,
            "locks": [] if frozen is None else [display(each.path) for each in frozen.locks],
            "moved": [
                {
                    "name": each.name,
                    "from": each.before,
                    "to": each.after,
                    "via": list(each.asked_by),
                }
                for each in outcome.moved
            ],
        },
        problems=(*outcome.problems, *map(_told, outcome.moved)),
        draw=lambda screen: Group(*_lines(outcome, screen)),
        next=Command.venvman("sync") if outcome.adopted or frozen is not None else again,
    )


def _told(moved: Moved) -> Problem:
    if moved.after is None:
        return Problem(
            code="adopt-pin-unasked",
            severity=Severity.NOTE,
            message=f"{moved.name} {moved.before} is in no lock: nothing asks for it here.",
            why="Either it is for other systems or Pythons (`targets`), or what asked is gone.",
        )
    return Problem(
        code="adopt-pin-moved",
        severity=Severity.WARNING,
        message=f"{moved.name} was {moved.before}, and is {moved.after}.",
        why=_why(moved),
    )


def _why(moved: Moved) -> str | None:
    asking = [each for each in moved.asked_by if not each.startswith("-")]
    if asking:
        return f"{sentence_list(asking)} asks for it."
    return "No file of it fits here, or something else that is asked for forbids it."


def _lines(outcome: AdoptOutcome, screen: Screen) -> Iterator[Drawing]:
    frozen = outcome.frozen
    files = plain(", ".join(outcome.files), Style.PATH)
    if outcome.adopted:
        yield Text.assemble("Nothing to do: venvman reads ", files, " already.")
        return
    yield Text.assemble(files, f" ({outcome.tool}): {count(outcome.pins, 'pin')}")
    for path, text in outcome.sources.items():
        done = " written" if frozen is not None else " would be"
        yield Text.assemble(("+ ", Style.GOOD), plain(path, Style.PATH), done)
        yield from (Text(f"    {line}") for line in redact(text).splitlines())
    if "pyproject.toml" in outcome.files and "requirements.in" not in outcome.sources:
        yield Text("pyproject.toml stays the source.")
    if frozen is not None:
        yield from freeze_lines(frozen, screen)
    else:
        yield Text("Nothing is written without --yes.")
