"""Results, problems and errors as drawings: what happened, where, why, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.model.errors import Advice, Fix, Problem, Severity, VenvmanError
from venvman.report.drawing import Drawing, Grid, Group, Panel, Text, cells
from venvman.report.fixes import AT_ROOT, Standing, shell_line
from venvman.report.words import Style, count, plain
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.report.result import Result, Screen

SEVERITY_STYLES = {
    Severity.ERROR: Style.ERROR,
    Severity.WARNING: Style.WARNING,
    Severity.NOTE: Style.NOTE,
}

# Wider than this, lines of prose are hard to follow.
_WIDEST = 100
# A file of another kind, mistaken for requirements, has a fault in every line.
_MOST = 20


def render(result: Result, screen: Screen) -> Drawing:
    """What stdout shows of ``result``: its drawing, and the next command."""
    drawn = result.draw(screen)
    return drawn if result.next is None else Group(drawn, fix_line(result.next, screen.here))


def error_panel(
    error: VenvmanError, here: Standing = AT_ROOT, *, width: int, drift: bool = False
) -> Group:
    """A panel that tells everything ``error`` knows; several problems are listed one by one.

    ``width`` is the terminal's, in columns. ``drift`` says that nothing failed: the state that was
    asked about is not the wanted one.
    """
    single = len(error.problems) == 1
    parts: list[Drawing] = []
    if not single or error.problems[0].message != error.message:
        parts.append(plain(error.message, Style.NAME))
    parts += _listed(error.problems, here, heading=Style.NAME if single else "")
    if error.fix and all(problem.fix is None for problem in error.problems):
        parts.append(fix_line(error.fix, here))
    word, style = ("drift", Style.WARNING) if drift else ("error", Style.ERROR)
    return _panel(parts, title=f"{word}: {error.code}", style=style, width=width)


def problems_panel(problems: Sequence[Problem], here: Standing = AT_ROOT, *, width: int) -> Group:
    """The same for problems that came with a result, because looking could go on."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    parts = _listed(problems, here, heading=Style.NAME if len(problems) == 1 else "")
    return _panel(parts, title=count(errors, "error"), style=Style.ERROR, width=width)


def problem_line(problem: Problem, here: Standing = AT_ROOT) -> Text:
    """``warning: message (file:line) Next: command``, for problems told in passing."""
    text = Text.assemble(
        (f"{problem.severity.value}: ", SEVERITY_STYLES[problem.severity]), plain(problem.message)
    )
    if problem.path is not None:
        text.append_text(Text.assemble(" (", _place(problem), ")"))
    if problem.why is not None:
        text.append_text(Text.assemble(" ", plain(problem.why)))
    if problem.fix is not None:
        text.append_text(Text.assemble(" ", fix_line(problem.fix, here)))
    return text


def fix_line(fix: Fix, here: Standing) -> Text:
    """``Next: <command>`` on one line, however long, so that it can be copied; or the advice."""
    if isinstance(fix, Advice):
        return plain(redact(fix.text))
    line = plain(shell_line(fix, here), Style.COMMAND)
    return Text.assemble(("Next: ", Style.FAINT), line, overflow="ignore", no_wrap=True)


def _panel(parts: Sequence[Drawing], *, title: str, style: str, width: int) -> Group:
    """The panel; commands that are wider than it stand below, whole."""
    inside, below = _divided(parts, min(width, _WIDEST) - 4)
    # ``parts`` with an empty line between each two.
    spaced: list[Drawing] = []
    for part in inside:
        spaced += [Text(), part] if spaced else [part]
    frame = Panel(Group(*spaced), title=title, style=style, width=min(width, _WIDEST))
    return Group(frame, *below)


def _divided(parts: Sequence[Drawing], width: int) -> tuple[list[Drawing], list[Drawing]]:
    """``parts`` without the commands wider than ``width``, and those, each once."""
    inside: list[Drawing] = []
    below: list[Drawing] = []
    for part in parts:
        if isinstance(part, Group):
            within, wide = _divided(part.parts, width)
            inside.append(Group(*within))
            below += (each for each in wide if each not in below)
        elif isinstance(part, Text) and part.no_wrap and cells(part.plain) > width:
            below += [part] * (part not in below)
        else:
            inside.append(part)
    return inside, below


def _listed(problems: Sequence[Problem], here: Standing, *, heading: str) -> list[Drawing]:
    shown: list[Drawing] = [_block(problem, here, heading=heading) for problem in problems[:_MOST]]
    if len(problems) > _MOST:
        rest = count(len(problems) - _MOST, "further problem")
        shown.append(Text(f"... and {rest}; all of them with --format json", style=Style.FAINT))
    return shown


def _block(problem: Problem, here: Standing, *, heading: str = "") -> Group:
    """One problem on lines of its own: message, path, the text itself, reason, next command."""
    parts: list[Drawing] = [plain(problem.message, heading)]
    if problem.path is not None:
        parts.append(_place(problem))
    if problem.text is not None:
        # The text as it stands in the file; the number is that of its first line.
        table = Grid(gap=0)
        table.add_column(whole=True, style=Style.FAINT)
        table.add_column()
        for position, line in enumerate((problem.text or "").splitlines() or [""]):
            number = "" if problem.line is None else str(problem.line + position)
            table.add_row(Text(f"  {number} | "), plain(line))
        parts.append(table)
    if problem.why is not None:
        parts.append(plain(problem.why))
    if problem.fix is not None:
        parts.append(fix_line(problem.fix, here))
    return Group(*parts)


def _place(problem: Problem) -> Text:
    where = problem.path if problem.line is None else f"{problem.path}:{problem.line}"
    return plain(where, Style.PATH)
