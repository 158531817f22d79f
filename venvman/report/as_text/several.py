"""Several projects: each with its name, and one line for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.report.as_text.words import Style, count, plain
from venvman.report.drawing import Group, Text
from venvman.report.result import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from venvman.report.drawing import Drawing
    from venvman.report.result import Result
    from venvman.report.several import Part, SeveralView

__all__ = ["render_several"]

_MOST_NAMES = 10
_WORDS = {
    Status.OK: ("fine", Style.GOOD),
    Status.DRIFT: ("with something to do", Style.WARNING),
    Status.ERROR: ("failed", Style.ERROR),
}


def render_several(view: SeveralView, draw: Callable[[Result], Drawing], *, quiet: bool) -> Drawing:
    """What ``draw`` makes of each, behind its name or below it; ``quiet``: not of what is fine."""
    shown: list[Drawing] = []
    for part in view.parts:
        if quiet and part.result.status is Status.OK:
            continue
        name = plain(part.name, Style.NAME)
        drawn = None if part.failed else _alone(draw(part.result))
        if part.result.command == "status" and part.result.status is Status.OK:
            from venvman.report.as_text.status import in_a_line

            drawn = in_a_line(part.result)
        match drawn:
            case None:
                shown.append(Text.assemble(name, "  ", ("failed", Style.ERROR)))
            case Text():
                shown.append(Text.assemble(name, "  ", drawn))
            case _:
                shown += [name, drawn]
    return Group(*shown, _total(view.parts))


def _alone(drawn: Drawing) -> Drawing:
    while isinstance(drawn, Group) and len(drawn.parts) == 1:
        drawn = drawn.parts[0]
    return drawn


def _total(parts: Sequence[Part]) -> Text:
    """Such as: 5 projects: 3 fine, 1 with something to do (api), 1 failed (jobs)."""
    said: list[Text] = []
    for status, (word, style) in _WORDS.items():
        names = [each.name for each in parts if each.result.status is status]
        if names:
            listed = "" if status is Status.OK else f" ({_listed(names)})"
            said.append(Text.assemble((f"{len(names):,} {word}", style), plain(listed)))
    numbers = Text(", ").join(said) if said else Text("none")
    return Text.assemble((f"{count(len(parts), 'project')}: ", Style.NAME), numbers, ".")


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {rest:,} more" if rest > 0 else "")
