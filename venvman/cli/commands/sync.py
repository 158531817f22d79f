"""``venvman sync``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from venvman.cli import options
from venvman.cli.declared import Option
from venvman.settings import Link  # noqa: TC001 - annotations are evaluated

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result
    from venvman.workflow import Context, SyncOutcome

__all__ = ["sync"]


def sync(
    session: Session,
    *,
    group: options.Groups = None,
    only_group: options.OnlyGroups = None,
    all_groups: options.AllGroups = False,
    no_dev: options.NoDev = False,
    dry_run: options.DryRun = False,
    check: options.Check = False,
    locked: options.Locked = None,
    frozen: options.Frozen = False,
    inexact: Annotated[
        bool, Option("--inexact", help="Leave packages that the lock does not name.")
    ] = False,
    python: options.Python = None,
    recreate: Annotated[
        bool, Option("--recreate", help="Make the environment again from nothing.")
    ] = False,
    compile_bytecode: Annotated[
        bool | None,
        Option(
            "--compile/--no-compile",
            help="Compile the installed modules to bytecode.",
            show_default=False,
        ),
    ] = None,
    link: Annotated[
        Link | None,
        Option(
            "--link",
            help="How files get from the cache into the environment.",
            show_default=False,
        ),
    ] = None,
    yes: options.Yes = False,
    no_wait: Annotated[
        bool,
        Option("--no-wait", help="Stop at once if another command is changing the environment."),
    ] = False,
    all_projects: options.AllProjects = False,
) -> Result:
    """Freeze the requirements if the lock is missing or stale, then make ./venv equal to it."""
    from venvman.report.sync import sync_result
    from venvman.workflow import SyncRequest, syncing

    contexts = session.contexts(
        workspace=all_projects, python=python, compile=compile_bytecode, link=link
    )
    request = SyncRequest(
        groups=options.group_choice(group, only_group, everything=all_groups, dev=not no_dev),
        locks=options.lock_policy(locked=locked, frozen=frozen, variables=session.variables),
        dry_run=dry_run,
        check=check,
        inexact=inexact,
        recreate=recreate,
        yes=yes,
        confirm=session.confirm,
        wait=0 if no_wait else -1,
    )
    outcomes = [syncing.sync(context, request) for context in contexts]
    if not all_projects:
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
