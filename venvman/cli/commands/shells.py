"""``run`` and ``shell`` start other programs; ``activate`` and ``shell-hook`` print for a shell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from venvman.cli import options
from venvman.cli.streams import write
from venvman.model.errors import ExitCode, VenvmanError

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.cli.session import Session
    from venvman.cli.table import Activate, Run, Shell, ShellHook
    from venvman.report.result import Result
    from venvman.workflow.context import Context
    from venvman.workflow.requests import SyncRequest
    from venvman.workflow.running import Launch


def run(session: Session, given: Run) -> Result:
    from venvman.report.result import Result, Status
    from venvman.report.words import plain
    from venvman.system.process import run_in_foreground
    from venvman.workflow.running import prepare_command

    first = _first(session, given)
    codes: list[int] = []

    def done(context: Context) -> Result:
        launch = prepare_command(context, first, given.command)
        if not context.several:
            session.remember_launch(context, launch)
            _become(session, launch)
        # One of several projects: ``data.{exit_code}`` is what the program said there.
        session.reporter.close()
        write(sys.stderr, f"{session.reporter.project}:\n")
        code = run_in_foreground(launch.argv, env=launch.variables, cwd=context.project.root)
        codes.append(code)
        return Result(
            command="run",
            status=Status.DRIFT if code else Status.OK,
            exit_code=ExitCode.DRIFT if code else ExitCode.OK,
            data={"exit_code": code},
            draw=lambda _: plain(f"exit code {code}"),
        )

    result = session.each(done, given)
    code = session.show(result)
    raise SystemExit(max(code, *codes))


def shell(session: Session, given: Shell) -> Result:
    from venvman.workflow.running import prepare_shell

    first = _first(session, given)
    interactive = sys.stdin.isatty()
    _become(session, prepare_shell(session.context(), first, interactive=interactive))


def _first(session: Session, given: Shell) -> SyncRequest | None:
    """What is synced before the program starts."""
    from venvman.workflow.requests import SyncRequest

    groups, locks = options.group_choice(given), options.lock_policy(given, session.variables)
    if not given.sync:
        return None
    return SyncRequest(groups=groups, locks=locks, yes=given.yes, confirm=session.confirm)


def _become(session: Session, launch: Launch) -> NoReturn:
    """The rest of this process's life is the program's."""
    from venvman.system.process import replace_process

    session.reporter.close()
    write(sys.stdout, "")
    write(sys.stderr, "")
    replace_process(launch.argv, env=launch.variables)


def activate(session: Session, given: Activate) -> Result:
    from venvman.environment.shells import activation, kind_of, shell_of

    environment = session.context().looking().require_environment()
    kind = given.shell or kind_of(shell_of(session.variables)) or "sh"
    text = activation(kind, environment.root, environment.paths.scripts)
    return _result("activate", kind, text)


def shell_hook(session: Session, given: ShellHook) -> Result:
    from venvman.environment.shells import hook, moved
    from venvman.githooks.repository import own_program
    from venvman.workflow.watching import facts_of_location

    if not given.here:
        return _result("shell-hook", given.shell, hook(given.shell, own_program()))
    folder = session.cwd / (session.named or ".")
    # Where the environment here is; None without a project, or with one that cannot be read.
    try:
        context = session.context().looking()
        located = context, context.environment_path
    except (OSError, VenvmanError):
        located = None
    target = located[1] if located is not None and _is_trusted(*located) else None
    text = moved(given.shell, session.variables, None if target is None else os.fspath(target))
    around = () if located is None else (located[1], located[0].project.root / "venv")
    session.rest([facts_of_location(folder, around, session.variables, session.started_ns)])
    return _result("shell-hook", given.shell, text)


def _result(command: str, shell: str, text: str) -> Result:
    """``data.{shell, text}``: what ``shell`` evaluates."""
    from venvman.report.result import Result

    return Result(command=command, data={"shell": shell, "text": text}, verbatim=text)


def _is_trusted(context: Context, path: Path) -> bool:
    """Whether this user made the environment at ``path`` for this project, and it is one.

    Changing into a folder is no consent: what a stranger's repository brings is never activated.
    """
    from venvman.python.pyvenv import is_environment
    from venvman.system.seal import is_own
    from venvman.workflow.location import is_ours_to_change

    return is_environment(path) and is_own(str(path)) and is_ours_to_change(context, path)
