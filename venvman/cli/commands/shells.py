"""``venvman activate`` and ``venvman shell-hook``: text for shells to evaluate."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["activate", "shell_hook"]


def activate(session: Session, *, shell: str | None) -> Result:
    """Print what activates the environment: eval "$(venvman activate)"."""
    from venvman.environment.shells import activation, kind_of, shell_of
    from venvman.report.plain import shell_text_result
    from venvman.workflow.running import environment_here

    environment = environment_here(session.context().looking())
    kind = shell or kind_of(shell_of(session.variables)) or "sh"
    path = session.variables.get("PATH", "")
    text = activation(kind, environment.root, environment.paths.scripts, path=path)
    return shell_text_result("activate", kind, text)


def shell_hook(session: Session, *, shell: str, here: bool) -> Result:
    """Print what a startup file evaluates to activate environments on ``cd``."""
    from venvman.environment.shells import hook, moved
    from venvman.githooks import own_program
    from venvman.report.plain import shell_text_result

    if not here:
        return shell_text_result("shell-hook", shell, hook(shell, own_program()))
    text = moved(shell, session.variables, _root_to_activate(session))
    return shell_text_result("shell-hook", shell, text)


def _root_to_activate(session: Session) -> str | None:
    """The environment here, if this user made it for this project; None also where it is broken.

    Changing into a folder is no consent: what a stranger's repository brings is never activated.
    """
    import os

    from venvman.environment.config import is_environment
    from venvman.environment.lifecycle import locate
    from venvman.errors import VenvmanError
    from venvman.seal import is_own
    from venvman.workflow.places import is_ours_to_change

    try:
        context = session.context().looking()
        path = locate(context.project, context.settings)
        trusted = is_environment(path) and is_own(str(path)) and is_ours_to_change(context, path)
    except (OSError, VenvmanError):
        return None
    return os.fspath(path) if trusted else None
