"""The commands that look and change nothing, but ``hooks status`` and those of the cache."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from venvman.cli import options
from venvman.cli.faults import UsageFault
from venvman.errors import Severity

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.doctor.diagnosis import Diagnosis, Told
    from venvman.report.findings import Form
    from venvman.report.result import Result
    from venvman.workflow.context import Context

__all__ = [
    "audit",
    "diff",
    "doctor",
    "history",
    "outdated",
    "scan",
    "self_report",
    "status",
    "tree",
    "why",
]


def scan(session: Session, *, all_projects: bool) -> Result:  # noqa: ARG001 - always all
    """Show the projects and requirements files found here, and how each was understood."""
    from venvman.report.scan import scan_result
    from venvman.workflow import inputs

    return scan_result(inputs.scan_projects(session.contexts(workspace=True)))


def status(
    session: Session,
    *,
    porcelain: bool,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    no_group: tuple[str, ...],
    default_groups: bool,
    python: str | None,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Show requirements, lock, environment and drift on one screen; exit with 1 on drift."""
    from venvman.report.status import status_result
    from venvman.workflow import checking

    groups = options.group_choice(
        group, only_group, no_group, everything=all_groups, dev=not no_dev, usual=default_groups
    )

    def looked(context: Context) -> Result:
        return status_result(checking.status(context, groups), porcelain=porcelain)

    return session.each(looked, workspace=all_projects, changed_since=changed_since, python=python)


def doctor(
    session: Session,
    *,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    verify: bool,
    audit: bool,
    advisories: str | None,
    fail_on: str,
    fix: bool,
    freeze: bool,
    dry_run: bool,
    yes: bool,
    exit_zero: bool,
    list_codes: bool,
    explain: tuple[str, ...],
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    no_group: tuple[str, ...],
    default_groups: bool,
    all_projects: bool,
    changed_since: str | None,
    format: str,  # noqa: A002 - the option is called so
) -> Result:
    """Find what has drifted, and name the command that fixes it; exit with 1 on findings."""
    from venvman.doctor.diagnosis import Treatment
    from venvman.doctor.table import Selection, explained
    from venvman.report.doctor import catalogue_result, doctor_result
    from venvman.report.findings import in_form
    from venvman.workflow import checking

    if list_codes or explain:
        return catalogue_result(explained(explain), explain=bool(explain))
    if (freeze or dry_run or yes) and not fix:
        raise UsageFault("--freeze, --dry-run and --yes go with --fix.")
    if advisories and not audit:
        raise UsageFault("--advisories goes with --audit.")
    groups = options.group_choice(
        group, only_group, no_group, everything=all_groups, dev=not no_dev, usual=default_groups
    )
    selection = Selection.of(select=select, ignore=ignore)
    chosen = (*_words("--group", group), *_words("--only-group", only_group))
    chosen += (("--all-groups",) if all_groups else ()) + (("--no-dev",) if no_dev else ())
    chosen += (*_words("--no-group", no_group), *(("--default-groups",) if default_groups else ()))

    told: set[Told] = set()
    treatments: list[Treatment] = []

    def treated(context: Context) -> Treatment:
        def look() -> Diagnosis:
            return checking.diagnose(
                context,
                selection,
                groups,
                verify_files=verify,
                audit=audit,
                advisories=advisories,
            )

        if not fix:
            return Treatment(left=look())
        from venvman.cli.fixing import Choice, treat

        choice = Choice(yes=yes, freeze=freeze, dry_run=dry_run, groups=chosen)
        return treat(session, look, choice)

    def examined(context: Context) -> Result:
        treatments.append(treated(context).besides(told))
        fails = None if exit_zero or dry_run else Severity(fail_on)
        return doctor_result(treatments[-1], fails=fails, dry_run=dry_run)

    result = session.each(examined, workspace=all_projects, changed_since=changed_since)
    if format in ("text", "json"):
        return result
    return replace(result, verbatim=in_form(cast("Form", format), treatments, session.here))


def audit(
    session: Session,
    *,
    advisories: str | None,
    all_projects: bool,
    changed_since: str | None,
    format: str,  # noqa: A002 - the option is called so
) -> Result:
    """Show known vulnerabilities and yanked pins: `doctor --audit`, and nothing else."""
    return doctor(
        session,
        select=("VM311", "VM705", "VM706"),
        ignore=(),
        verify=False,
        audit=True,
        advisories=advisories,
        fail_on=Severity.WARNING.value,
        fix=False,
        freeze=False,
        dry_run=False,
        yes=False,
        exit_zero=False,
        list_codes=False,
        explain=(),
        group=(),
        only_group=(),
        all_groups=False,
        no_dev=False,
        no_group=(),
        default_groups=False,
        all_projects=all_projects,
        changed_since=changed_since,
        format=format,
    )


def _words(option: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


def tree(
    session: Session,
    *,
    names: tuple[str, ...],
    invert: bool,
    depth: int | None,
    only_group: tuple[str, ...],
    format: str,  # noqa: A002 - the option is called so
) -> Result:
    """Show the locked packages as a tree: what each requirement brings."""
    from venvman.report.graph import tree_result
    from venvman.report.graphlanguages import GraphForm
    from venvman.workflow.graphing import TreeRequest
    from venvman.workflow.graphing import tree as draw

    request = TreeRequest(names=names, groups=only_group, invert=invert, depth=depth)
    return tree_result(draw(session.context(), request), GraphForm(format))


def why(
    session: Session,
    *,
    names: tuple[str, ...],
    only_group: tuple[str, ...],
    format: str,  # noqa: A002 - the option is called so
) -> Result:
    """Show why a package is locked: every chain of requirements that brings it."""
    from venvman.report.graph import why_result
    from venvman.report.graphlanguages import GraphForm
    from venvman.workflow.graphing import why as explain

    return why_result(explain(session.context(), names, groups=only_group), GraphForm(format))


def diff(
    session: Session,
    *,
    sides: tuple[str, ...],
    env: bool,
    check: bool,
) -> Result:
    """Show which pins were added, removed or changed between two states of the locks."""
    from venvman.report.diff import diff_result
    from venvman.workflow.diffing import DiffRequest
    from venvman.workflow.diffing import diff as compare

    request = DiffRequest(sides=sides, environment=env)
    return diff_result(compare(session.context(), request), check=check)


def history(session: Session) -> Result:
    """List the states of ./venv that it can be taken back to, the newest first."""
    from venvman.report.history import history_result
    from venvman.workflow import recording

    return history_result(recording.history(session.context()))


def outdated(
    session: Session,
    *,
    names: tuple[str, ...],
    check: bool,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Show what could move forward, and which requirement holds it back."""
    from venvman.report.outdated import outdated_result
    from venvman.workflow.outdating import outdated as look

    return session.each(
        lambda context: outdated_result(look(context, names), check=check),
        workspace=all_projects,
        changed_since=changed_since,
    )


def self_report(session: Session) -> Result:
    """Show versions, paths, interpreters and settings with their sources, and no secret."""
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
