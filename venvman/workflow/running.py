"""``run`` and ``shell``: programs inside the environment."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.errors import Command, ExitCode, VenvmanError
from venvman.model.frozen import dataclass
from venvman.system.launch import activated, program, undisturbed
from venvman.workflow.location import settle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.environment.inspection import Environment
    from venvman.workflow.context import Context
    from venvman.workflow.requests import SyncRequest


class CommandFault(VenvmanError):
    """A command that is not there, or may not be run; the exit codes are those of shells."""

    exit_code = ExitCode.COMMAND_NOT_FOUND


class CommandForbidden(CommandFault):
    """A file that is there, but is no program."""

    exit_code = ExitCode.COMMAND_NOT_RUNNABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A program to become: its command line and its variables, in ``environment``."""

    argv: tuple[str, ...]
    variables: Mapping[str, str]
    environment: Environment


def prepare_command(context: Context, first: SyncRequest | None, command: Sequence[str]) -> Launch:
    """``command`` inside the environment, after the sync that is wanted ``first``, if any.

    Raises:
        CommandFault: there is no such program.
        EnvironmentUnusable: there is no environment, or a broken one, and nothing is synced first.
        VenvmanError: what syncing raises.
    """
    environment = _environment(context, first)
    root, scripts = str(environment.root), str(environment.paths.scripts)
    variables = activated(context.variables, root, scripts)
    found = program(command[0], variables["PATH"], scripts)
    if found is None:
        raise _not_to_run(command[0], variables, context, environment)
    return Launch(argv=(found, *command[1:]), variables=variables, environment=environment)


def prepare_shell(context: Context, first: SyncRequest | None, *, interactive: bool) -> Launch:
    """The same for the user's shell; ``interactive``: on a terminal.

    An interactive shell reads the user's own startup files first, then activates the environment,
    so that ``PATH`` and prompt are right and ``deactivate`` works. A shell that has no way to do so
    gets the variables alone.

    Raises:
        VenvmanError: as :func:`prepare_command`.
    """
    from venvman.environment.shells import activating, activation, kind_of, shell_of

    environment = _environment(context, first)
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


def _environment(context: Context, first: SyncRequest | None) -> Environment:
    if first is not None:
        from venvman.workflow.syncing import sync

        sync(context, first)
    else:
        settle(context)
    return context.require_environment()


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
