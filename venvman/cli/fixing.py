"""``doctor --fix``: the commands that findings name, run as one sync, by what runs them by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.doctor.codes import CODES, EXTRA
from venvman.doctor.diagnosis import Treatment
from venvman.doctor.finding import ByFix
from venvman.errors import Command, Problem, VenvmanError
from venvman.frozen import dataclass
from venvman.report.fixes import shell_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from venvman.cli.session import Session
    from venvman.doctor.diagnosis import Diagnosis
    from venvman.doctor.finding import Finding

_ROUNDS = 4
"""What a fix brings to light is fixed, too; what still comes back then is not."""
_BY_FIX = {each.code: each.by_fix for each in CODES}
_ORDER = {"cache": 1, "freeze": 2, "upgrade": 2, "sync": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is allowed; ``groups`` are the options that chose what a sync installs."""

    yes: bool
    freeze: bool
    dry_run: bool
    groups: tuple[str, ...]


def treat(session: Session, look: Callable[[], Diagnosis], choice: Choice) -> Treatment:
    """Fixes what ``choice`` allows of what a ``look`` finds, and looks again."""
    first = left = look()
    root = left.project.root
    answers: dict[Command, bool] = {}
    ran: dict[Command, None] = {}
    problems: list[Problem] = []
    for _ in range(_ROUNDS):
        wanted = [each for each in left.findings if _is_allowed(each, session, choice, answers)]
        steps = [Command((step,), root=root) for step in _together(wanted, choice)]
        if not steps or ran.keys() >= {*steps}:
            break
        ran.update(dict.fromkeys(steps))
        if choice.dry_run:
            break
        for step in steps:
            problems += _run(session, step, root)
        left = look()
    return Treatment(
        left=left,
        fixed=tuple(_without(first.findings, left.findings)),
        ran=tuple(ran),
        problems=tuple(problems),
    )


def _is_allowed(
    finding: Finding, session: Session, choice: Choice, answers: dict[Command, bool]
) -> bool:
    """Whether the fix of ``finding`` may be run; a person is asked once about each."""
    fix, kind = finding.fix, _BY_FIX[finding.code]
    if not isinstance(fix, Command) or kind is ByFix.NO:
        return False
    words = {word for step in fix.steps for word in step}
    if words & {"freeze", "upgrade"} and not choice.freeze:
        return False
    if (kind is not ByFix.ASKS and "--recreate" not in words) or choice.yes:
        return True
    if fix not in answers:
        question = f"{finding.message} Run `{shell_line(fix, session.here)}`?"
        ask = None if choice.dry_run else session.confirm
        answers[fix] = ask is not None and ask(question)
    return answers[fix]


def _together(findings: Sequence[Finding], choice: Choice) -> list[tuple[str | Path, ...]]:
    """Every step once, in an order in which each finds what it needs; one sync for all."""
    fixes = [each.fix for each in findings if isinstance(each.fix, Command)]
    steps = dict.fromkeys(step for fix in fixes for step in fix.steps)
    syncs = [step[2:] for step in steps if step[:2] == ("venvman", "sync")]
    others = [step for step in steps if step[:2] != ("venvman", "sync")]
    if syncs:
        words = [word for each in syncs for word in each]
        if "--recreate" in words:
            words = ["--recreate"]
        elif not any(each.code == EXTRA.code for each in findings):
            words.append("--inexact")
        agreed = ("--yes",) if choice.yes else ()
        others.append(("venvman", "sync", "--frozen", *choice.groups, *words, *agreed))
    return sorted(others, key=_place)


def _place(step: tuple[str | Path, ...]) -> int:
    return _ORDER.get(str(step[1]), 4) if step[0] == "venvman" else 0


def _run(session: Session, command: Command, root: Path) -> tuple[Problem, ...]:
    """What went wrong."""
    from venvman.cli.read import read
    from venvman.cli.session import Session, call
    from venvman.cli.table import Common
    from venvman.process import run

    (step,) = command.steps
    try:
        line = read([*map(str, step[1:])]) if step[0] == "venvman" else None
        if line is None:
            done = run([root / step[0] if "/" in str(step[0]) else step[0], *step[1:]], cwd=root)
            return () if done.ok else (_failed(session, command, done.stderr),)
        common = Common(**{**vars(session.common), "project": str(root)})
        inner = Session(common, [*map(str, step[1:])])
        inner.reporter = session.reporter
        return call(line, inner).problems
    except VenvmanError as error:
        return error.at(root).problems


def _failed(session: Session, command: Command, said: str) -> Problem:
    return Problem(
        code="fix-failed",
        message=f"`{shell_line(command, session.here)}` failed.",
        why=said.strip() or None,
    )


def _without(findings: Iterable[Finding], left: Iterable[Finding]) -> Iterator[Finding]:
    """Those of ``findings`` that are not ``left``, whatever their words are now."""
    still = {(each.code, each.package, each.path, each.line) for each in left}
    for each in findings:
        if (each.code, each.package, each.path, each.line) not in still:
            yield each
