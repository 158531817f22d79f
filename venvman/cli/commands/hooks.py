"""``venvman hooks install | uninstall | status``, and ``run``, which the hooks call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.hookscript import HookMode, HookName

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["hooks_install", "hooks_run", "hooks_status", "hooks_uninstall"]


def hooks_install(
    session: Session,
    *,
    sync: bool,
) -> Result:
    """Install git hooks that report drift; those that are here are kept and called first."""
    from venvman.githooks import install_hooks
    from venvman.report.hooks import hooks_result

    root = session.context().project.root
    mode = HookMode.SYNC if sync else HookMode.REPORT
    report = install_hooks(root, mode=mode, variables=session.variables)
    return hooks_result(report, command="hooks install", root=root)


def hooks_uninstall(session: Session) -> Result:
    """Remove venvman's git hooks and put back those that were here before."""
    from venvman.githooks import uninstall_hooks
    from venvman.report.hooks import hooks_result

    root = session.context().project.root
    report = uninstall_hooks(root, variables=session.variables)
    return hooks_result(report, command="hooks uninstall", root=root)


def hooks_status(session: Session) -> Result:
    """Show which git hooks are installed, and what they do."""
    from venvman.githooks import hooks_status as look
    from venvman.report.hooks import hooks_result

    root = session.context().project.root
    report = look(root, variables=session.variables)
    return hooks_result(report, command="hooks status", root=root)


def hooks_run(
    session: Session,
    *,
    name: str,
    mode: str,
    inside: tuple[str, ...],
) -> Result:
    """Do what a git hook does; the installed hooks call this."""
    from pathlib import Path

    from venvman.report.hooks import hook_run_result
    from venvman.workflow import hooking

    lines = hooking.run_hook(
        HookName(name),
        mode=HookMode(mode),
        projects=inside or ["."],
        variables=session.variables,
        top=Path.cwd(),
        reporter=session.reporter,
    )
    return hook_run_result(lines, exit_code=hooking.exit_code(lines))
