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
    from venvman.workflow.watching import Resting

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
    changed_since: str | None,
) -> Result:
    """Freeze the requirements if the lock is missing or stale, then make ./venv equal to it."""
    from venvman.report.sync import nothing_to_do, sync_result
    from venvman.workflow import SyncRequest, syncing

    request = SyncRequest(
        groups=options.group_choice(group, only_group, everything=all_groups, dev=not no_dev),
        locks=options.lock_policy(locked=locked, frozen=frozen, variables=session.variables),
        dry_run=dry_run,
        check=check,
        inexact=inexact,
        recreate=recreate,
        reinstall=dict.fromkeys(map(canonical, reinstall), "it was asked for again"),
        yes=yes,
        confirm=session.confirm,
        wait=0 if no_wait else -1,
    )
    done: list[tuple[Context, SyncOutcome]] = []

    def synced(context: Context) -> Result:
        outcome = syncing.sync(context, request)
        done.append((context, outcome))
        return sync_result(outcome, request)

    result = session.each(
        synced,
        workspace=all_projects,
        changed_since=changed_since,
        python=python,
        constraints=constraint or None,
        compile=compile_bytecode,
        link=None if link is None else Link(link),
    )
    session.rest(
        [_rests_on(session, *each, only_look=check or dry_run) for each in done],
        said=nothing_to_do(done[0][1]) if result.of_one else None,
        worked=any(_worked(outcome) for _, outcome in done),
    )
    return result


def _rests_on(
    session: Session, context: Context, outcome: SyncOutcome, *, only_look: bool
) -> Resting | None:
    """What the next answer rests on; the state is kept, so that it can be gone back to."""
    from venvman.report.sync import locked_count, nothing_to_do
    from venvman.workflow.watching import rests_on_sync

    if outcome.looked is None or outcome.pending or session.question is None:
        return None
    said, locked = nothing_to_do(outcome), locked_count(outcome)
    return rests_on_sync(
        context,
        outcome.looked,
        flags=session.chosen,
        said=said,
        locked=locked,
        # A switch to that state would not tell what this told.
        only_look=only_look or bool(outcome.problems),
    )


def _worked(outcome: SyncOutcome) -> bool:
    moved = outcome.frozen is not None and bool(outcome.frozen.changed)
    return bool(outcome.plan) or outcome.created or moved
