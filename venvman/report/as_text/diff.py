"""What differs between two states of the locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.report.as_text.changes import change_list, counted
from venvman.report.as_text.words import Style, plain
from venvman.report.drawing import Group, Text

if TYPE_CHECKING:
    from venvman.report.diff import DiffView
    from venvman.report.drawing import Drawing

__all__ = ["render_diff"]


def render_diff(view: DiffView) -> Drawing:
    """All changes of each lock, whatever the screen's height: they are what was asked for."""
    heading = Text.assemble(plain(view.before, Style.PLACE), " -> ", plain(view.after, Style.PLACE))
    parts: list[Drawing] = [heading]
    for path, changes in view.changes:
        if not changes:
            continue
        if path != view.before:
            parts.append(plain(path, Style.NAME))
        parts.append(change_list(changes, limit=None, reasons=True))
    every = [change for _, changes in view.changes for change in changes]
    if not every:
        return Text.assemble(("No difference: ", Style.GOOD), heading, ".")
    parts.append(Text.assemble(plain(counted(every, added=("added", "to add"))), "."))
    return Group(*parts)
