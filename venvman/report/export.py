"""``export``: the locks as a file for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.report.drawing import Text
from venvman.report.result import Result
from venvman.report.words import Style, count, plain

if TYPE_CHECKING:
    from venvman.outcomes import ExportOutcome


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
