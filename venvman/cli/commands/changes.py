"""The commands that change requirements, locks or the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli import options
from venvman.cli.faults import UsageFault
from venvman.names import canonical
from venvman.settings import Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.cli.session import Session
    from venvman.outcomes import FreezeOutcome, SyncOutcome
    from venvman.report.result import Result
    from venvman.workflow.context import Context
    from venvman.workflow.watching import Resting

__all__ = ["add", "clean", "freeze", "remove", "rollback", "sync", "upgrade"]


def sync(
    session: Session,
    *,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    no_group: tuple[str, ...],
    default_groups: bool,
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
    no_project: bool,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Freeze the requirements if the lock is missing or stale, then make ./venv equal to it."""
    from venvman.environment.shells import kind_of, shell_of
    from venvman.report.sync import nothing_to_do, sync_result
    from venvman.workflow import syncing
    from venvman.workflow.requests import SyncRequest

    request = SyncRequest(
        groups=options.group_choice(
            group, only_group, no_group, everything=all_groups, dev=not no_dev, usual=default_groups
        ),
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
    shell = kind_of(shell_of(session.variables))

    def synced(context: Context) -> Result:
        outcome = syncing.sync(context, request)
        done.append((context, outcome))
        return sync_result(outcome, check=check, dry_run=dry_run, shell=shell)

    result = session.each(
        synced,
        workspace=all_projects,
        changed_since=changed_since,
        python=python,
        constraints=constraint or None,
        compile=compile_bytecode,
        link=None if link is None else Link(link),
        project=False if no_project else None,
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

    if outcome.observation is None or outcome.pending or session.question is None:
        return None
    said, locked = nothing_to_do(outcome), locked_count(outcome)
    return rests_on_sync(
        context,
        outcome.observation,
        flags=session.chosen,
        said=said,
        locked=locked,
        # A switch to that state would not tell what this told.
        only_look=only_look or bool(outcome.problems),
    )


def _worked(outcome: SyncOutcome) -> bool:
    moved = outcome.frozen is not None and bool(outcome.frozen.changed)
    return bool(outcome.plan) or outcome.created or moved


def freeze(
    session: Session,
    *,
    upgrade: bool,
    upgrade_package: tuple[str, ...],
    check: bool,
    dry_run: bool,
    installed: bool,
    hashes: bool | None,
    engine: str | None,
    constraint: tuple[str, ...],
    python: str | None,
    target: tuple[str, ...],
    python_version: tuple[str, ...],
    universal: bool,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    no_group: tuple[str, ...],
    default_groups: bool,
    yes: bool,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Write the lock: every package pinned and hashed, with the reason it is there."""
    from venvman.report.freeze import freeze_result, nothing_to_do
    from venvman.workflow import freezing, upgrading
    from venvman.workflow.requests import FreezeRequest
    from venvman.workflow.watching import rests_on_freeze

    request = FreezeRequest(
        check=check,
        dry_run=dry_run,
        installed=installed,
        hashes=hashes,
        yes=yes,
        confirm=session.confirm,
        groups=options.group_choice(
            group, only_group, no_group, everything=all_groups, dev=not no_dev, usual=default_groups
        ),
    )

    names = () if upgrade else upgrade_package
    done: list[tuple[Context, FreezeOutcome]] = []

    def frozen(context: Context) -> Result:
        outcome = (
            upgrading.freeze_forward(context, request, names)
            if upgrade or upgrade_package
            else freezing.freeze(context, request)
        )
        done.append((context, outcome))
        return freeze_result(outcome, check=check, dry_run=dry_run)

    result = session.each(
        frozen,
        workspace=all_projects,
        changed_since=changed_since,
        engine=engine,
        python=python,
        constraints=constraint or None,
        targets=[*(["universal"] if universal else []), *_words(target)] or None,
        python_versions=_words(python_version) or None,
    )
    if not any(outcome.changed for _, outcome in done):
        session.rest(
            [rests_on_freeze(context, since_ns=session.started_ns) for context, _ in done],
            said=nothing_to_do(done[0][1]) if result.of_one else None,
        )
    return result


def _words(values: Sequence[str]) -> list[str]:
    """Of an option that may be repeated, or given several values with commas."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def add(
    session: Session,
    *,
    requirements: tuple[str, ...],
    editable: tuple[str, ...],
    constraint: tuple[str, ...],
    group: str | None,
    dev: bool,
    sync: bool,
    frozen: bool,
    dry_run: bool,
    yes: bool,
    python: str | None,
) -> Result:
    """Put requirements into the requirements file, keeping its comments and order; then sync."""
    from venvman.report.edit import edit_result
    from venvman.workflow.editing import AddRequest, After
    from venvman.workflow.editing import add as edit

    if not requirements and not editable:
        raise UsageFault("Name at least one package to add.")
    if dev and group not in {None, "dev"}:
        raise UsageFault("--dev and --group name two groups: choose one.")
    request = AddRequest(
        requirements=requirements,
        editables=editable,
        group="dev" if dev else "default" if group is None else group,
        after=After(
            freeze=not frozen, sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
        ),
    )
    context = session.context_or_new(python=python, constraints=constraint or None)
    outcome = edit(context, request)
    return edit_result(outcome, command="add", dry_run=dry_run)


def remove(
    session: Session,
    *,
    names: tuple[str, ...],
    group: str | None,
    dev: bool,
    sync: bool,
    frozen: bool,
    dry_run: bool,
    yes: bool,
    python: str | None,
) -> Result:
    """Take requirements out of the requirements files, and what only they needed; then sync."""
    from venvman.report.edit import edit_result
    from venvman.workflow.editing import After, RemoveRequest
    from venvman.workflow.editing import remove as edit

    if dev and group not in {None, "dev"}:
        raise UsageFault("--dev and --group name two groups: choose one.")
    request = RemoveRequest(
        names=names,
        group="dev" if dev else group,
        after=After(
            freeze=not frozen, sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
        ),
    )
    return edit_result(
        edit(session.context(python=python), request), command="remove", dry_run=dry_run
    )


def upgrade(
    session: Session,
    *,
    names: tuple[str, ...],
    sync: bool,
    dry_run: bool,
    yes: bool,
    constraint: tuple[str, ...],
    python: str | None,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Move pins as far forward as the requirements allow, then sync."""
    from venvman.report.edit import upgrade_result
    from venvman.workflow.upgrading import UpgradeRequest
    from venvman.workflow.upgrading import upgrade as move

    request = UpgradeRequest(
        names=names, sync=sync, dry_run=dry_run, yes=yes, confirm=session.confirm
    )
    return session.each(
        lambda context: upgrade_result(move(context, request), dry_run=dry_run),
        workspace=all_projects,
        changed_since=changed_since,
        python=python,
        constraints=constraint or None,
    )


def rollback(
    session: Session,
    *,
    number: int,
    with_lock: bool,
    dry_run: bool,
    yes: bool,
) -> Result:
    """Make ./venv what it was before the last sync, or N states ago."""
    from venvman.report.history import rollback_result
    from venvman.workflow import rollingback

    request = rollingback.RollbackRequest(
        number=number,
        with_lock=with_lock,
        dry_run=dry_run,
        yes=yes,
        confirm=session.confirm,
    )
    return rollback_result(rollingback.rollback(session.context(), request), dry_run=dry_run)


def clean(session: Session) -> Result:
    """Remove the environment, and nothing that is not one."""
    from venvman.report.sync import clean_result
    from venvman.workflow import location

    context = session.context()
    return clean_result(location.clean(context), context.project)
