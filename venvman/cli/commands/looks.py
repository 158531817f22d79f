"""The commands that look and change nothing, but ``hooks status`` and those of the cache."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from venvman.cli import options
from venvman.cli.faults import UsageFault
from venvman.cli.table import Doctor, Groups
from venvman.errors import Severity

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.cli.table import Audit, Common, Diff, Outdated, Scan, Status, Tree, Why
    from venvman.doctor.diagnosis import Diagnosis, Told
    from venvman.report.findings import Form
    from venvman.report.result import Result
    from venvman.workflow.context import Context


def scan(session: Session, _given: Scan) -> Result:
    # It looks at the whole workspace, with --all and without.
    from venvman.report.scan import scan_result
    from venvman.workflow import inputs

    return scan_result(inputs.scan_projects(session.contexts(workspace=True)))


def status(session: Session, given: Status) -> Result:
    from venvman.report.status import status_result
    from venvman.workflow import checking

    groups = options.group_choice(given)

    def looked(context: Context) -> Result:
        return status_result(checking.status(context, groups), porcelain=given.porcelain)

    return session.each(looked, given, python=given.python)


def doctor(session: Session, given: Doctor) -> Result:
    from venvman.doctor.diagnosis import Treatment
    from venvman.doctor.table import Selection, explained
    from venvman.report.doctor import catalogue_result, doctor_result
    from venvman.report.findings import in_form
    from venvman.workflow import checking

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
            return checking.diagnose(
                context,
                selection,
                groups,
                verify_files=given.verify,
                audit=given.audit,
                advisories=given.advisories,
            )

        if not given.fix:
            return Treatment(left=look())
        from venvman.cli.fixing import Choice, treat

        choice = Choice(
            yes=given.yes,
            freeze=given.freeze,
            dry_run=given.dry_run,
            groups=options.spelled(given, Groups),
        )
        return treat(session, look, choice)

    def examined(context: Context) -> Result:
        treatments.append(treated(context).besides(told))
        fails = None if given.exit_zero or given.dry_run else Severity(given.fail_on)
        return doctor_result(treatments[-1], fails=fails, dry_run=given.dry_run)

    result = session.each(examined, given)
    if given.format in ("text", "json"):
        return result
    return replace(result, verbatim=in_form(cast("Form", given.format), treatments, session.here))


def audit(session: Session, given: Audit) -> Result:
    codes = ("VM311", "VM705", "VM706")
    return doctor(session, Doctor(**{**vars(given), "select": codes, "audit": True}))


def tree(session: Session, given: Tree) -> Result:
    from venvman.report.graph import tree_result
    from venvman.report.graphlanguages import GraphForm
    from venvman.workflow.graphing import TreeRequest
    from venvman.workflow.graphing import tree as draw

    request = TreeRequest(
        names=given.names, groups=given.only_group, invert=given.invert, depth=given.depth
    )
    return tree_result(draw(session.context(), request), GraphForm(given.format))


def why(session: Session, given: Why) -> Result:
    from venvman.report.graph import why_result
    from venvman.report.graphlanguages import GraphForm
    from venvman.workflow.graphing import why as explain

    return why_result(
        explain(session.context(), given.names, groups=given.only_group), GraphForm(given.format)
    )


def diff(session: Session, given: Diff) -> Result:
    from venvman.report.diff import diff_result
    from venvman.workflow.diffing import DiffRequest
    from venvman.workflow.diffing import diff as compare

    request = DiffRequest(sides=given.sides, environment=given.env)
    return diff_result(compare(session.context(), request), check=given.check)


def history(session: Session, _given: Common) -> Result:
    from venvman.report.history import history_result
    from venvman.workflow import recording

    return history_result(recording.history(session.context()))


def outdated(session: Session, given: Outdated) -> Result:
    from venvman.report.outdated import outdated_result
    from venvman.workflow.outdating import outdated as look

    return session.each(
        lambda context: outdated_result(look(context, given.names), check=given.check),
        given,
    )


def self_report(session: Session, _given: Common) -> Result:
    from dataclasses import replace

    from venvman.errors import VenvmanError
    from venvman.report.selfreport import self_report_result
    from venvman.workflow.selfreport import machine_of

    directories = replace(session.directories, looks=True)
    opened: Context | VenvmanError
    try:
        opened = session.context().looking()
        directories = opened.directories
    except VenvmanError as fault:
        opened = fault
    machine = machine_of(opened, directories=directories, variables=session.variables)
    return self_report_result(machine)
