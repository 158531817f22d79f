"""``venvman self report``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result
    from venvman.workflow import Context

__all__ = ["self_report"]


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
