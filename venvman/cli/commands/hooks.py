"""``venvman hooks install | uninstall | status``, and ``run``, which the hooks call.

None of them but ``run`` reads a project: the way out must not need what may be broken.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from venvman.cli.faults import UsageFault
from venvman.githooks.script import REFUSED, HookMode, HookName
from venvman.model.errors import ProjectNotFound

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.cli.table import Common, HooksInstall, HooksRun
    from venvman.report.result import Result


def hooks_install(session: Session, given: HooksInstall) -> Result:
    from venvman.githooks.install import install_hooks
    from venvman.report.hooks import hooks_result

    # The project here; where there is none, all that lie below; else the folder.
    try:
        roots = [each.root for each in session.found().projects]
    except ProjectNotFound as error:
        if error.code == "project-not-a-folder":
            raise
        roots = [_folder(session)]
    mode = HookMode.SYNC if given.sync else HookMode.REPORT
    report = install_hooks(roots, mode=mode, variables=session.variables)
    return hooks_result(report, command="hooks install", root=roots[0])


def hooks_uninstall(session: Session, _given: Common) -> Result:
    from venvman.githooks.install import uninstall_hooks
    from venvman.report.hooks import hooks_result

    root = _folder(session)
    report = uninstall_hooks(root, variables=session.variables)
    return hooks_result(report, command="hooks uninstall", root=root)


def hooks_status(session: Session, _given: Common) -> Result:
    from venvman.githooks.status import hooks_status as look
    from venvman.report.hooks import hooks_result
    from venvman.workflow.watching import facts_of_hooks

    root = _folder(session)
    report = look(root, variables=session.variables)
    since_ns, variables = session.started_ns, session.variables
    folder = session.cwd / (session.named or ".")
    facts = facts_of_hooks(root, folder, variables=variables, home=Path.home(), since_ns=since_ns)
    session.rest([facts])
    return hooks_result(report, command="hooks status", root=root)


def hooks_run(session: Session, given: HooksRun) -> Result:
    from venvman.cli.progress import LineReporter, SilentReporter
    from venvman.report.hooks import hook_run_result
    from venvman.workflow import hooking

    if isinstance(session.reporter, LineReporter):
        # One line for each project, where no bar can vanish.
        session.reporter = SilentReporter()
    for folder in given.inside:
        if PurePath(folder).is_absolute() or ".." in PurePath(folder).parts:
            raise UsageFault(f"--in {folder} leaves the work tree.")
    lines = hooking.run_hook(
        HookName(given.name),
        mode=None if given.mode is None else HookMode(given.mode),
        projects=given.inside,
        variables=session.variables,
        top=session.cwd,
        reporter=session.reporter,
    )
    result = hook_run_result(lines, exit_code=hooking.exit_code(lines))
    if given.refuse and result.exit_code:
        session.show(result)
        raise SystemExit(REFUSED)
    return result


def _folder(session: Session) -> Path:
    """The project's root, or the folder that was named where there is none, be it gone."""
    from venvman.githooks.status import is_hooked
    from venvman.project.find import find_project

    named = (session.cwd / (session.named or ".")).absolute()
    if is_hooked(named, variables=session.variables):
        return named
    try:
        return find_project(session.cwd, home=Path.home(), explicit=session.named).root
    except ProjectNotFound as error:
        if error.code == "project-not-a-folder":
            raise
        return named
