"""The commands that look and change nothing; ``doctor``, hooks and cache are elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.cli import options
from venvman.model.errors import VenvmanError

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.cli.table import Common, Diff, Export, Outdated, Scan, Status, Tree, Why
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


def tree(session: Session, given: Tree) -> Result:
    from venvman.report.graph import GraphForm, tree_result
    from venvman.workflow import graphing

    groups, invert, depth = given.only_group, given.invert, given.depth
    found = graphing.tree(session.context(), given.names, groups=groups, invert=invert, depth=depth)
    return tree_result(found, GraphForm(given.format))


def why(session: Session, given: Why) -> Result:
    from venvman.report.graph import GraphForm, why_result
    from venvman.workflow import graphing

    found = graphing.why(session.context(), given.names, groups=given.only_group)
    return why_result(found, GraphForm(given.format))


def diff(session: Session, given: Diff) -> Result:
    from venvman.report.freeze import diff_result
    from venvman.workflow import diffing

    found = diffing.diff(session.context(), given.sides, environment=given.env)
    return diff_result(found, check=given.check)


def export(session: Session, given: Export) -> Result:
    from venvman.report.freeze import export_result
    from venvman.workflow import exporting

    form = "requirements" if given.format == "json" else given.format
    exported = exporting.export(
        session.context(),
        exporting.ExportFormat(form),
        options.group_choice(given),
        output=None if given.output is None else (session.cwd / given.output).absolute(),
        hashes=not given.no_hashes,
        yes=given.yes,
    )
    return export_result(exported)


def history(session: Session, _given: Common) -> Result:
    from venvman.report.history import history_result
    from venvman.workflow import recording

    return history_result(recording.history(session.context()))


def outdated(session: Session, given: Outdated) -> Result:
    from venvman.report.outdated import outdated_result
    from venvman.workflow.outdating import outdated as look

    return session.each(
        lambda context: outdated_result(look(context, given.names), check=given.check), given
    )


def self_report(session: Session, _given: Common) -> Result:
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
