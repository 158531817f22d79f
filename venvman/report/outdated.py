"""``outdated``: what could move, and what holds it back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from venvman.model.errors import ExitCode
from venvman.report.drawing import Drawing, Grid, Group, Text
from venvman.report.result import Result, Status
from venvman.report.words import Style, count, plain

if TYPE_CHECKING:
    from venvman.outcomes import Hold, OutdatedOutcome


def outdated_result(outcome: OutdatedOutcome, *, check: bool) -> Result:
    """``data.{checked, packages[] {name, current, wanted, latest, direct, held_by[]}}``.

    A report, not a fault: the exit code is 0; with ``check`` it is 1 if a pin could move as the
    requirements are.
    """
    movable = any(pin.moves for pin in outcome.pins)
    drift = check and movable
    return Result(
        command="outdated",
        status=Status.DRIFT if drift else Status.OK,
        exit_code=ExitCode.DRIFT if drift else ExitCode.OK,
        data={
            "checked": outcome.checked,
            "packages": [
                {
                    "name": pin.name,
                    "current": pin.current,
                    "wanted": pin.wanted,
                    "latest": pin.latest,
                    "direct": pin.direct,
                    "held_by": [asdict(each) for each in pin.holds],
                }
                for pin in outcome.pins
            ],
        },
        problems=outcome.problems,
        draw=lambda _: draw_outdated(outcome),
        answers=True,
        next=outcome.upgrade if movable else None,
    )


def draw_outdated(outcome: OutdatedOutcome) -> Drawing:
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
        table.add_row(
            plain(pin.name, Style.NAME if pin.direct else ""),
            plain(pin.current, Style.FAINT),
            plain(pin.wanted, Style.ADDED if pin.moves else Style.FAINT),
            plain(pin.latest, Style.ADDED if pin.wanted == pin.latest else Style.CHANGED),
            Text("\n").join(map(_hold_text, pin.holds)),
        )
    movable = sum(pin.moves for pin in outcome.pins)
    behind = len(outcome.pins)
    verb = "is" if behind == 1 else "are"
    told = f"{behind:,} of {count(outcome.checked, 'pin')} {verb} behind; "
    return Group(table, Text(f"{told}the requirements let {movable or 'none'} move."))


def _hold_text(hold: Hold) -> Text:
    if hold.package is not None:
        return Text.assemble(plain(hold.package, Style.NAME), plain(f" asks for {hold.specifier}"))
    if hold.path is not None:
        where = hold.path if hold.line is None else f"{hold.path}:{hold.line}"
        return Text.assemble(plain(where, Style.PATH), plain(f"  {hold.specifier}"))
    return plain(hold.reason)
