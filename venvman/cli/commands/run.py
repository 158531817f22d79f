"""``venvman run`` and ``venvman shell``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from venvman.cli import options
from venvman.cli.streams import write

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result
    from venvman.workflow import Context
    from venvman.workflow.running import Launch

__all__ = ["run", "shell"]


def run(
    session: Session,
    *,
    command: tuple[str, ...],
    sync: bool,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    locked: bool | None,
    frozen: bool,
    yes: bool,
    all_projects: bool,
    changed_since: str | None,
) -> Result:
    """Run a command inside the environment; its exit code is passed on."""
    from venvman.report.plain import run_result
    from venvman.workflow.running import RunRequest, prepare_command

    request = RunRequest(
        sync=sync,
        groups=options.group_choice(group, only_group, everything=all_groups, dev=not no_dev),
        locks=options.lock_policy(locked=locked, frozen=frozen, variables=session.variables),
        yes=yes,
        confirm=session.confirm,
    )

    codes: list[int] = []

    def done(context: Context) -> Result:
        launch = prepare_command(context, request, command)
        if not context.several:
            session.remember_launch(context, launch)
            _become(session, launch)
        codes.append(_beside(session, context, launch))
        return run_result(codes[-1])

    result = session.each(done, workspace=all_projects, changed_since=changed_since)
    code = session.show(result)
    raise SystemExit(max(code, *codes))


def shell(
    session: Session,
    *,
    sync: bool,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    locked: bool | None,
    frozen: bool,
    yes: bool,
) -> Result:
    """Start the user's shell with the environment activated; `exit` leaves it."""
    from venvman.workflow.running import RunRequest, prepare_shell

    request = RunRequest(
        sync=sync,
        groups=options.group_choice(group, only_group, everything=all_groups, dev=not no_dev),
        locks=options.lock_policy(locked=locked, frozen=frozen, variables=session.variables),
        yes=yes,
        confirm=session.confirm,
    )
    interactive = sys.stdin.isatty()
    _become(session, prepare_shell(session.context(), request, interactive=interactive))


def _beside(session: Session, context: Context, launch: Launch) -> int:
    """The exit code of the program, run in the folder of one of several projects."""
    from venvman.process import run_in_foreground

    session.reporter.close()
    write(sys.stderr, f"{session.reporter.project}:\n")
    return run_in_foreground(launch.argv, env=launch.variables, cwd=context.project.root)


def _become(session: Session, launch: Launch) -> NoReturn:
    """The rest of this process's life is the program's; on Windows its exit code is passed on."""
    from venvman.process import replace_process

    session.reporter.close()
    write(sys.stdout, "")
    write(sys.stderr, "")
    raise SystemExit(replace_process(launch.argv, env=launch.variables))
