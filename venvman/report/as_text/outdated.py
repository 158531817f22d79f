"""What could move, and what holds it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.report.as_text.words import Style, count, plain
from venvman.report.drawing import Grid, Group, Text

if TYPE_CHECKING:
    from venvman.report.drawing import Drawing
    from venvman.workflow.outdating import Hold, OutdatedOutcome, OutdatedPin

__all__ = ["render_outdated"]


def render_outdated(outcome: OutdatedOutcome) -> Drawing:
    """A row for each pin that is behind, and how many there are."""
    if not outcome.pins:
        newest = (
            "the one pin is the newest there is."
            if outcome.checked == 1
            else f"all {count(outcome.checked, 'pin')} are the newest there are."
        )
        return Text.assemble(("Nothing to do: ", Style.GOOD), newest)
    *short, last = headings = ("package", "locked", "allowed", "newest", "held back by")
    table = Grid(gap=2)
    for _ in short:
        table.add_column(whole=True)
    table.add_column(minimum=len(last))
    table.add_row(*(Text(each, Style.FAINT) for each in headings))
    for pin in outcome.pins:
        table.add_row(*_row(pin))
    movable = sum(pin.moves for pin in outcome.pins)
    return Group(table, Text(_total(outcome, movable)))


def _row(pin: OutdatedPin) -> tuple[Text, ...]:
    return (
        plain(pin.name, Style.NAME if pin.direct else ""),
        plain(pin.current, Style.FAINT),
        plain(pin.wanted, Style.ADDED if pin.moves else Style.FAINT),
        plain(pin.latest, Style.ADDED if pin.wanted == pin.latest else Style.CHANGED),
        Text("\n").join(_hold(each) for each in pin.holds),
    )


def _hold(hold: Hold) -> Text:
    if hold.package is not None:
        return Text.assemble(plain(hold.package, Style.NAME), plain(f" asks for {hold.specifier}"))
    if hold.path is not None:
        where = hold.path if hold.line is None else f"{hold.path}:{hold.line}"
        return Text.assemble(plain(where, Style.PLACE), plain(f"  {hold.specifier}"))
    return plain(hold.reason)


def _total(outcome: OutdatedOutcome, movable: int) -> str:
    behind = len(outcome.pins)
    verb = "is" if behind == 1 else "are"
    return (
        f"{behind:,} of {count(outcome.checked, 'pin')} {verb} behind; "
        f"the requirements let {movable or 'none'} move."
    )
