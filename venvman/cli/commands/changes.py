"""The commands that change requirements, locks or the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli import options
from venvman.cli.declare import EVERY
from venvman.cli.faults import UsageFault
from venvman.model.names import canonical
from venvman.project.settings import Link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.cli.session import Session
    from venvman.cli.table import Add, Adopt, Common, Edit, Freeze, Remove, Rollback, Sync, Upgrade
    from venvman.outcomes import FreezeOutcome, SyncOutcome
    from venvman.report.result import Result
    from venvman.workflow.context import Context
    from venvman.workflow.editing import After
    from venvman.workflow.watching import Facts


def sync(session: Session, given: Sync) -> Result:
    from venvman.environment.shells import kind_of, shell_of
    from venvman.report.sync import nothing_to_do, sync_result
    from venvman.workflow import syncing
    from venvman.workflow.planning import AGAIN_ASKED
    from venvman.workflow.requests import SyncRequest

    forward = () if given.upgrade else given.upgrade_package or None
    if forward is not None and (given.frozen or given.locked):
        raise UsageFault("--upgrade moves pins; --frozen and --locked leave the lock alone.")
    request = SyncRequest(
        groups=options.group_choice(given),
        forward=forward,
        locks=options.lock_policy(given, session.variables),
        dry_run=given.dry_run,
        check=given.check,
        inexact=given.inexact,
        recreate=given.recreate,
        reinstall=dict.fromkeys(
            (canonical(each) for each in given.reinstall if each != EVERY), AGAIN_ASKED
        ),
        everything_again=EVERY in given.reinstall,
        yes=given.yes,
        confirm=session.confirm,
        wait=0 if given.no_wait else -1,
    )
    done: list[tuple[Context, SyncOutcome]] = []
    shell = kind_of(shell_of(session.variables))

    def synced(context: Context) -> Result:
        outcome = syncing.sync(context, request)
        done.append((context, outcome))
        return sync_result(outcome, check=given.check, dry_run=given.dry_run, shell=shell)

    result = session.each(
        synced,
        given,
        python=given.python,
        constraints=given.constraint or None,
        compile=given.compile_bytecode,
        link=None if given.link is None else Link(given.link),
        project=False if given.no_project else None,
    )
    session.rest(
        [_rests_on(session, *each, only_look=given.check or given.dry_run) for each in done],
        said=nothing_to_do(done[0][1]) if result.of_one else None,
        worked=any(outcome.changed for _, outcome in done),
    )
    return result


def _rests_on(
    session: Session, context: Context, outcome: SyncOutcome, *, only_look: bool
) -> Facts | None:
    """What the next answer rests on; the state is kept, so that it can be gone back to."""
    from venvman.report.sync import locked_count, nothing_to_do
    from venvman.workflow.watching import facts_of_sync

    if outcome.observation is None or outcome.pending or session.question is None:
        return None
    said, locked = nothing_to_do(outcome), locked_count(outcome)
    return facts_of_sync(
        context,
        outcome.observation,
        flags=session.chosen,
        said=said,
        locked=locked,
        # A switch to that state would not tell what this told.
        only_look=only_look or bool(outcome.problems),
    )


def freeze(session: Session, given: Freeze) -> Result:
    from venvman.report.freeze import freeze_result, nothing_to_do
    from venvman.workflow import forward, freezing
    from venvman.workflow.requests import FreezeRequest
    from venvman.workflow.watching import facts_of_freeze

    request = FreezeRequest(
        check=given.check,
        dry_run=given.dry_run,
        installed=given.installed,
        hashes=given.hashes,
        yes=given.yes,
        confirm=session.confirm,
        groups=options.group_choice(given),
    )

    names = () if given.upgrade else given.upgrade_package
    done: list[tuple[Context, FreezeOutcome]] = []

    def frozen(context: Context) -> Result:
        outcome = (
            forward.freeze_forward(context, request, names)
            if given.upgrade or given.upgrade_package
            else freezing.freeze(context, request)
        )
        done.append((context, outcome))
        return freeze_result(outcome, check=given.check, dry_run=given.dry_run)

    result = session.each(
        frozen,
        given,
        engine=given.engine,
        python=given.python,
        constraints=given.constraint or None,
        targets=[*(["universal"] if given.universal else []), *_words(given.target)] or None,
        python_versions=_words(given.python_version) or None,
    )
    if not any(outcome.changed for _, outcome in done):
        session.rest(
            [facts_of_freeze(context, since_ns=session.started_ns) for context, _ in done],
            said=nothing_to_do(done[0][1]) if result.of_one else None,
        )
    return result


def _words(values: Sequence[str]) -> list[str]:
    """Of an option that may be repeated, or given several values with commas."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def add(session: Session, given: Add) -> Result:
    from venvman.report.edit import edit_result
    from venvman.workflow.editing import add as edit

    if not given.requirements and not given.editable:
        raise UsageFault("Name at least one package to add.")
    group = "dev" if given.dev else "default" if given.group is None else given.group
    after = _after(session, given)
    context = session.context_or_new(python=given.python, constraints=given.constraint or None)
    outcome = edit(context, given.requirements, given.editable, group=group, after=after)
    return edit_result(outcome, command="add", dry_run=given.dry_run)


def adopt(session: Session, given: Adopt) -> Result:
    from venvman.adopt.readers import readable
    from venvman.report.adopt import adopt_result
    from venvman.workflow.adopting import adopt as take

    if len(given.named) > 1:
        raise UsageFault("adopt takes one file at a time.")
    named = given.named[0] if given.named else None
    context = session.context_here(python=given.python)
    if not given.named and not any(readable(context.project.root)):
        context = session.context_or_new(python=given.python)
    taken = take(context, named, yes=given.yes, confirm=session.confirm)
    return adopt_result(taken, named=named)


def remove(session: Session, given: Remove) -> Result:
    from venvman.report.edit import edit_result
    from venvman.workflow.editing import remove as edit

    group, after = "dev" if given.dev else given.group, _after(session, given)
    outcome = edit(session.context(python=given.python), given.names, group=group, after=after)
    return edit_result(outcome, command="remove", dry_run=given.dry_run)


def _after(session: Session, given: Edit) -> After:
    from venvman.workflow.editing import After

    if given.dev and given.group not in {None, "dev"}:
        raise UsageFault("--dev and --group name two groups: choose one.")
    return After(
        freeze=not given.frozen,
        sync=given.sync,
        dry_run=given.dry_run,
        yes=given.yes,
        confirm=session.confirm,
    )


def upgrade(session: Session, given: Upgrade) -> Result:
    from venvman.report.edit import upgrade_result
    from venvman.workflow import editing

    def upgraded(context: Context) -> Result:
        moved = editing.upgrade(
            context,
            given.names,
            sync=given.sync,
            dry_run=given.dry_run,
            yes=given.yes,
            confirm=session.confirm,
        )
        return upgrade_result(moved, dry_run=given.dry_run)

    return session.each(upgraded, given, python=given.python, constraints=given.constraint or None)


def rollback(session: Session, given: Rollback) -> Result:
    from venvman.report.history import rollback_result
    from venvman.workflow import rollingback

    done = rollingback.rollback(
        session.context(),
        given.number,
        with_lock=given.with_lock,
        dry_run=given.dry_run,
        yes=given.yes,
        confirm=session.confirm,
    )
    return rollback_result(done, dry_run=given.dry_run)


def clean(session: Session, _given: Common) -> Result:
    from venvman.report.sync import clean_result
    from venvman.workflow import location

    context = session.context()
    return clean_result(location.clean(context), context.project)
