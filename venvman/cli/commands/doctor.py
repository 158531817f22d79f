"""``doctor`` and ``audit``; with ``--fix`` the commands that findings name, run as one sync."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from venvman.cli import options
from venvman.cli.faults import UsageFault
from venvman.cli.table import Audit, Common, Doctor, Groups
from venvman.doctor.codes import CODES, EXTRA
from venvman.doctor.diagnosis import Diagnosis, Told, Treatment
from venvman.doctor.finding import ByFix, Finding
from venvman.doctor.table import Selection, explained
from venvman.model.errors import Command, Problem, Severity, VenvmanError
from venvman.report.fixes import shell_line
from venvman.system.process import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from venvman.cli.session import Session
    from venvman.report.findings import Form
    from venvman.report.result import Result
    from venvman.workflow.context import Context

_ROUNDS = 4
"""What a fix brings to light is fixed, too; what still comes back then is not."""
_BY_FIX = {each.code: each.by_fix for each in CODES}
_ORDER = {"cache": 1, "freeze": 2, "upgrade": 2, "sync": 3}


def doctor(session: Session, given: Doctor) -> Result:
    from venvman.report.doctor import catalogue_result, doctor_result
    from venvman.workflow.diagnosing import diagnose

    if given.list_codes or given.explain:
        return catalogue_result(explained(given.explain), explain=bool(given.explain))
    if (given.freeze or given.dry_run or given.yes) and not given.fix:
        raise UsageFault("--freeze, --dry-run and --yes go with --fix.")
    if given.advisories and not given.audit:
        raise UsageFault("--advisories goes with --audit.")
    groups = options.group_choice(given)
    selection = Selection.of(select=given.select, ignore=given.ignore)
    told: set[Told] = set()
    treatments: list[Treatment] = []

    def treated(context: Context) -> Treatment:
        def look() -> Diagnosis:
            return diagnose(
                context,
                selection,
                groups,
                verify_files=given.verify or given.deep,
                deep=given.deep,
                audit=given.audit,
                advisories=given.advisories,
                with_packages=given.format == "html",
            )

        if not given.fix:
            return Treatment(left=look())
        return _treat(session, look, given)

    def examined(context: Context) -> Result:
        treatments.append(treated(context).besides(told))
        fails = None if given.exit_zero or given.dry_run else Severity(given.fail_on)
        return doctor_result(treatments[-1], fails=fails, dry_run=given.dry_run)

    result = session.each(examined, given)
    if given.format in ("text", "json"):
        return result
    if given.format == "html":
        from venvman.report.page import page

        return replace(result, verbatim=page(treatments, session.here))
    from venvman.report.findings import in_form

    return replace(result, verbatim=in_form(cast("Form", given.format), treatments, session.here))


def audit(session: Session, given: Audit) -> Result:
    codes = ("VM311", "VM705", "VM706")
    return doctor(session, Doctor(**{**vars(given), "select": codes, "audit": True}))


def _treat(session: Session, look: Callable[[], Diagnosis], given: Doctor) -> Treatment:
    """Fixes what ``given`` allows of what a ``look`` finds, and looks again."""
    first = left = look()
    root = left.project.root
    answers: dict[Command, bool] = {}
    ran: dict[Command, None] = {}
    problems: list[Problem] = []
    for _ in range(_ROUNDS):
        wanted = [each for each in left.findings if _is_allowed(each, session, given, answers)]
        steps = [Command((step,), root=root) for step in _together(wanted, given)]
        if not steps or ran.keys() >= {*steps}:
            break
        ran.update(dict.fromkeys(steps))
        if given.dry_run:
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
    finding: Finding, session: Session, given: Doctor, answers: dict[Command, bool]
) -> bool:
    """Whether the fix of ``finding`` may be run; a person is asked once about each."""
    fix, kind = finding.fix, _BY_FIX[finding.code]
    if not isinstance(fix, Command) or kind is ByFix.NO:
        return False
    words = {word for step in fix.steps for word in step}
    if words & {"freeze", "upgrade"} and not given.freeze:
        return False
    if (kind is not ByFix.ASKS and "--recreate" not in words) or given.yes:
        return True
    if fix not in answers:
        question = f"{finding.message} Run `{shell_line(fix, session.here)}`?"
        ask = None if given.dry_run else session.confirm
        answers[fix] = ask is not None and ask(question)
    return answers[fix]


def _together(findings: Sequence[Finding], given: Doctor) -> list[tuple[str | Path, ...]]:
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
        agreed = ("--yes",) if given.yes else ()
        others.append(
            ("venvman", "sync", "--frozen", *options.spelled(given, Groups), *words, *agreed)
        )
    return sorted(others, key=_place)


def _place(step: tuple[str | Path, ...]) -> int:
    return _ORDER.get(str(step[1]), 4) if step[0] == "venvman" else 0


def _run(session: Session, command: Command, root: Path) -> tuple[Problem, ...]:
    """What went wrong."""
    from venvman.cli.read import read
    from venvman.cli.session import Session, call

    (step,) = command.steps
    try:
        line = read([*map(str, step[1:])]) if step[0] == "venvman" else None
        if line is None:
            done = run([root / step[0] if "/" in str(step[0]) else step[0], *step[1:]], cwd=root)
            said, why = shell_line(command, session.here), done.stderr.strip() or None
            fault = Problem(code="fix-failed", message=f"`{said}` failed.", why=why)
            return () if done.ok else (fault,)
        common = Common(**{**vars(session.common), "project": str(root)})
        inner = Session(common, [*map(str, step[1:])])
        inner.reporter = session.reporter
        return call(line, inner).problems
    except VenvmanError as error:
        return error.at(root).problems


def _without(findings: Iterable[Finding], left: Iterable[Finding]) -> Iterator[Finding]:
    """Those of ``findings`` that are not ``left``, whatever their words are now."""
    still = {(each.code, each.package, each.path, each.line) for each in left}
    for each in findings:
        if (each.code, each.package, each.path, each.line) not in still:
            yield each
