"""One command's results for several projects as one: what was done, and what failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvman.model.errors import Advice, Command, ExitCode, Problem, at
from venvman.model.frozen import dataclass
from venvman.report.as_text import render
from venvman.report.drawing import Drawing, Group, Text
from venvman.report.result import Result, Screen, Status
from venvman.report.words import Style, count, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_MOST_NAMES = 10
_WORDS = {
    Status.OK: ("fine", Style.GOOD),
    Status.DRIFT: ("with something to do", Style.WARNING),
    Status.ERROR: ("failed", Style.ERROR),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The ``result`` for the project in ``root``, which people call ``name``."""

    root: Path
    name: str
    result: Result

    @property
    def failed(self) -> bool:
        """Whether nothing could be said or done."""
        return self.result.exit_code >= ExitCode.ERROR and not self.result.data


def several_result(parts: Sequence[Part], *, command: str) -> Result:
    """``data.{projects[], failed[] {project, code, message}}``, the worst status and exit code.

    A row of ``projects`` is the ``data`` that the command has for one project.
    """
    results = [each.result for each in parts]
    statuses = {each.status for each in results}
    lines = [
        each.result.verbatim and each.result.verbatim.replace("\n", f" {each.name}\n")
        for each in parts
        if not each.failed
    ]
    return Result(
        command=command,
        status=next((each for each in reversed(Status) if each in statuses), Status.OK),
        exit_code=max((each.exit_code for each in results), default=ExitCode.OK),
        data={
            "projects": [
                {"project": each.root.as_posix(), **_at(each.result.data, each.root)}
                for each in parts
                if not each.failed
            ],
            "failed": [_failure(each) for each in parts if each.failed],
        },
        problems=tuple(dict.fromkeys(each for result in results for each in result.problems)),
        draw=lambda screen: draw_several(parts, screen),
        answers=any(each.answers for each in results),
        tells=all(each.tells for each in results if each.problems),
        verbatim="".join(map(str, lines)) if lines and None not in lines else None,
    )


def came_out(result: Result) -> Text:
    """What one project came to, in a few words: ``7 installed``, ``fine``, ``failed``."""
    word, style = _WORDS[result.status]
    counts = [
        f"{len(rows):,} {verb}"
        for verb in ("installed", "added", "removed", "changed")
        if result.status is not Status.ERROR and (rows := result.data.get(verb))
    ]
    return plain(", ".join(counts) or word, style)


def shown_from(root: Path, cwd: Path) -> str:
    """What people who stand in ``cwd`` call the project in ``root``."""
    if root == cwd:
        return root.name or str(root)
    return (root.relative_to(cwd) if root.is_relative_to(cwd) else root).as_posix()


def placed(problem: Problem, root: Path, cwd: Path) -> Problem:
    """``problem`` of the project in ``root`` as it is told to who stands in ``cwd``."""
    path = root if problem.path is None else root / problem.path
    name = path.relative_to(cwd) if path.is_relative_to(cwd) else path
    return replace(problem, path=name.as_posix(), fix=at(problem.fix, root))


def _failure(part: Part) -> dict[str, Any]:
    first = part.result.problems[0]
    return {"project": part.root.as_posix(), "code": first.code, "message": first.message}


def _at(data: Any, root: Path) -> Any:  # noqa: ANN401 - JSON is what it is
    """``data``, each of its commands for the project in ``root``."""
    if isinstance(data, dict):
        return {key: _at(each, root) for key, each in data.items()}
    if isinstance(data, list):
        return [_at(each, root) for each in data]
    return at(data, root) if isinstance(data, (Command, Advice)) else data


def draw_several(parts: Sequence[Part], screen: Screen) -> Drawing:
    """Each behind its name or below it, and one line for all; ``quiet``: not of what is fine."""
    shown: list[Drawing] = []
    for part in parts:
        if screen.quiet and part.result.status is Status.OK:
            continue
        name = plain(part.name, Style.NAME)
        if part.failed:
            shown.append(Text.assemble(name, "  ", ("failed", Style.ERROR)))
            continue
        drawn = _alone(render(part.result, replace(screen, beside=True)))
        shown += [Text.assemble(name, "  ", drawn)] if isinstance(drawn, Text) else [name, drawn]
    return Group(*shown, _total(parts))


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
