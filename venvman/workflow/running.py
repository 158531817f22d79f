"""``run`` and ``shell``: programs inside the environment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Command, EnvironmentUnusable, ExitCode, VenvmanError
from venvman.model.frozen import dataclass
from venvman.system.launch import activated, program, undisturbed
from venvman.workflow.requests import GroupChoice, LockPolicy, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman.environment.inspection import Environment
    from venvman.workflow.context import Context


class CommandFault(VenvmanError):
    """A command that is not there, or may not be run; the exit codes are those of shells."""

    exit_code = ExitCode.COMMAND_NOT_FOUND


class CommandForbidden(CommandFault):
    """A file that is there, but is no program."""

    exit_code = ExitCode.COMMAND_NOT_RUNNABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """``sync`` makes the environment true first, as ``venvman sync`` would with ``groups``.

    ``confirm`` asks the person a question; None where there is nobody to ask.
    """

    sync: bool = False
    groups: GroupChoice
    locks: LockPolicy = LockPolicy.FREEZE
    yes: bool = False
    confirm: Callable[[str], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A program to become: its command line and its variables, in ``environment``."""

    argv: tuple[str, ...]
    variables: Mapping[str, str]
    environment: Environment


def prepare_command(context: Context, request: RunRequest, command: Sequence[str]) -> Launch:
    """``command`` inside the environment.

    Raises:
        CommandFault: there is no such program.
        EnvironmentUnusable: there is no environment, or a broken one, and ``sync`` is not given.
        VenvmanError: what syncing raises.
    """
    environment = _environment(context, request)
    root, scripts = str(environment.root), str(environment.paths.scripts)
    variables = activated(context.variables, root, scripts)
    found = program(command[0], variables["PATH"], scripts)
    if found is None:
        raise _not_to_run(command[0], variables, context, environment)
    return Launch(argv=(found, *command[1:]), variables=variables, environment=environment)


def prepare_shell(context: Context, request: RunRequest, *, interactive: bool) -> Launch:
    """The user's shell inside the environment; ``interactive``: on a terminal.

    An interactive shell reads the user's own startup files first, then activates the environment,
    so that ``PATH`` and prompt are right and ``deactivate`` works. A shell that has no way to do so
    gets the variables alone.

    Raises:
        VenvmanError: as :func:`prepare_command`.
    """
    from venvman.environment.shells import activating, activation, kind_of, shell_of

    environment = _environment(context, request)
    shell = shell_of(context.variables)
    plain = activated(context.variables, str(environment.root), str(environment.paths.scripts))
    kind = kind_of(shell)
    if not interactive or kind is None:
        return Launch(argv=(shell,), variables=plain, environment=environment)
    root, scripts = environment.root, environment.paths.scripts
    startup = context.directories.state / "shell"
    text = activation(kind, root, scripts)
    way = activating(shell, text, startup=startup, variables=context.variables)
    if way is None:
        return Launch(argv=(shell,), variables=plain, environment=environment)
    return Launch(
        argv=(shell, *way.arguments),
        variables={**undisturbed(context.variables), **way.variables},
        environment=environment,
    )


def environment_here(context: Context) -> Environment:
    """The project's environment, as it is.

    Raises:
        EnvironmentUnusable: there is none, or a broken one.
    """
    from venvman.environment.inspection import usable
    from venvman.environment.lifecycle import locate

    path = locate(context.project, context.settings)
    found = usable(path, directories=context.directories)
    if found is None:
        shown = context.project.display(path)
        raise EnvironmentUnusable(
            f"There is no environment {shown} yet.",
            code="environment-absent",
            path=shown,
            fix=Command.venvman("sync"),
        )
    return found


def _environment(context: Context, request: RunRequest) -> Environment:
    from venvman.environment.lifecycle import locate
    from venvman.workflow.location import settle

    if request.sync:
        from venvman.workflow.syncing import sync

        wanted = SyncRequest(
            groups=request.groups,
            locks=request.locks,
            yes=request.yes,
            confirm=request.confirm,
        )
        sync(context, wanted)
    else:
        settle(context, locate(context.project, context.settings))
    return environment_here(context)


def _not_to_run(
    command: str, variables: Mapping[str, str], context: Context, environment: Environment
) -> CommandFault:
    """Why nothing is started; what is named by a path counts from the working directory."""
    named, scripts = Path(command), environment.paths.scripts
    there = context.cwd / named if named.name != command else scripts / command
    if not command:
        return CommandFault("The name of the command is empty.", code="command-not-found")
    if there.is_dir():
        return CommandForbidden(
            f"{command} is a folder, no program.", code="command-not-executable", path=command
        )
    if there.is_file():
        return CommandForbidden(
            f"{command} may not be executed.",
            code="command-not-executable",
            path=command,
            fix=Command.venvman("run", "python", command)
            if named.suffix == ".py" and named.name != command
            else Command.of("chmod", "+x", there),
        )
    other = shutil.which(command, path=variables["PATH"])
    if other is not None:
        version = command.removeprefix("python")
        version_option = ("--python", version) if "." in version else ()
        # Another Python would see none of the environment's packages, and say nothing of it.
        return CommandFault(
            f"The environment has no {command}.",
            code="command-of-another-python",
            why=f"{other} is another Python.",
            fix=Command.venvman("sync", "--recreate", *version_option),
        )
    shown = context.project.display(environment.paths.scripts)
    return CommandFault(
        f"There is no command {command!r}.",
        code="command-not-found",
        why=f"It is neither in {shown} nor on PATH; a package that brings it can be added."
        if named.name == command
        else "There is no such file.",
        fix=Command.venvman("add", command) if named.name == command else None,
    )
