"""``venvman doctor``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from venvman.cli import options
from venvman.cli.usage import UsageFault
from venvman.errors import Severity

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.doctor import Diagnosis
    from venvman.doctor.diagnosis import Told
    from venvman.report.findings import Form
    from venvman.report.result import Result
    from venvman.workflow import Context

__all__ = ["doctor"]


def doctor(
    session: Session,
    *,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    verify: bool,
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
    all_projects: bool,
    changed_since: str | None,
    format: str,  # noqa: A002 - the option is called so
) -> Result:
    """Find what has drifted, and name the command that mends it; exit with 1 on findings."""
    from venvman.doctor import Selection, Treatment, explained
    from venvman.report.doctor import catalogue_result, doctor_result
    from venvman.report.findings import in_form
    from venvman.workflow import checking

    if list_codes or explain:
        return catalogue_result(explained(explain), explain=bool(explain))
    if (freeze or dry_run or yes) and not fix:
        raise UsageFault("--freeze, --dry-run and --yes go with --fix.")
    groups = options.group_choice(group, only_group, everything=all_groups, dev=not no_dev)
    selection = Selection.of(select=select, ignore=ignore)
    chosen = (*_words("--group", group), *_words("--only-group", only_group))
    chosen += (("--all-groups",) if all_groups else ()) + (("--no-dev",) if no_dev else ())

    told: set[Told] = set()
    treatments: list[Treatment] = []

    def treated(context: Context) -> Treatment:
        def look() -> Diagnosis:
            return checking.diagnose(context, selection, groups, verify_files=verify)

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


def _words(option: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))
