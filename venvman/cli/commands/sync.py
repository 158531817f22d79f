"""``venvman sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli import options
from venvman.names import canonical
from venvman.settings import Link

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result
    from venvman.workflow import Context, SyncOutcome

__all__ = ["sync"]


def sync(
    session: Session,
    *,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    dry_run: bool,
    check: bool,
    locked: bool | None,
    frozen: bool,
    inexact: bool,
    constraint: tuple[str, ...],
    python: str | None,
    recreate: bool,
    reinstall: tuple[str, ...],
    compile_bytecode: bool | None,
    link: str | None,
    yes: bool,
    no_wait: bool,
    all_projects: bool,
) -> Result:
    """Freeze the requirements if the lock is missing or stale, then make ./venv equal to it."""
    from venvman.report.sync import sync_result
    from venvman.workflow import SyncRequest, syncing

    contexts = session.contexts(
        workspace=all_projects,
        python=python,
        constraints=constraint or None,
        compile=compile_bytecode,
        link=None if link is None else Link(link),
    )
    request = SyncRequest(
        groups=options.group_choice(group, only_group, everything=all_groups, dev=not no_dev),
        locks=options.lock_policy(locked=locked, frozen=frozen, variables=session.variables),
        dry_run=dry_run,
        check=check,
        inexact=inexact,
        recreate=recreate,
        reinstall=frozenset(map(canonical, reinstall)),
        yes=yes,
        confirm=session.confirm,
        wait=0 if no_wait else -1,
    )
    outcomes = session.each(contexts, lambda context: syncing.sync(context, request))
    if not all_projects and not outcomes[0].problems:
        _leave_stamp(contexts[0], outcomes[0])
    return sync_result(outcomes, request)


def _leave_stamp(context: Context, outcome: SyncOutcome) -> None:
    """So that the same command line is answered by ``venvman.stamp`` next time."""
    import sys

    from venvman.report.sync import locked_count, nothing_to_do
    from venvman.workflow.stamping import leave_stamp

    arguments = sys.argv[1:]
    if outcome.looked is not None and arguments[:1] == ["sync"]:
        text = "".join(nothing_to_do(outcome))
        leave_stamp(context, outcome.looked, arguments, text=text, locked=locked_count(outcome))
