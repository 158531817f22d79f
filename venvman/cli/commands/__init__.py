"""The verbs, one thin module each, and the table that names them.

A command function takes the :class:`~venvman.cli.session.Session` and its own options, calls the
workflow once, and returns a :class:`~venvman.report.result.Result`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli.commands.add import add
from venvman.cli.commands.cache import (
    cache_clean,
    cache_dir,
    cache_prune,
    cache_size,
    cache_verify,
)
from venvman.cli.commands.clean import clean
from venvman.cli.commands.diff import diff
from venvman.cli.commands.doctor import doctor
from venvman.cli.commands.freeze import freeze
from venvman.cli.commands.history import history
from venvman.cli.commands.hooks import (
    hooks_install,
    hooks_run,
    hooks_status,
    hooks_uninstall,
)
from venvman.cli.commands.outdated import outdated
from venvman.cli.commands.remove import remove
from venvman.cli.commands.rollback import rollback
from venvman.cli.commands.run import run, shell
from venvman.cli.commands.scan import scan
from venvman.cli.commands.status import status
from venvman.cli.commands.sync import sync
from venvman.cli.commands.tree import tree
from venvman.cli.commands.upgrade import upgrade
from venvman.cli.commands.why import why

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvman.report.result import Result

    Command = Callable[..., Result]

__all__ = ["COMMANDS", "GROUPS", "HIDDEN", "PASSING"]

COMMANDS: dict[str, Command] = {
    "sync": sync,
    "freeze": freeze,
    "status": status,
    "doctor": doctor,
    "scan": scan,
    "add": add,
    "remove": remove,
    "upgrade": upgrade,
    "outdated": outdated,
    "tree": tree,
    "why": why,
    "diff": diff,
    "history": history,
    "rollback": rollback,
    "run": run,
    "shell": shell,
    "clean": clean,
}

GROUPS: dict[str, tuple[str, dict[str, Command]]] = {
    "hooks": (
        "Git hooks that report, or repair, drift.",
        {
            "install": hooks_install,
            "uninstall": hooks_uninstall,
            "status": hooks_status,
            "run": hooks_run,
        },
    ),
    "cache": (
        "The machine-wide cache of downloads and unpacked wheels.",
        {
            "dir": cache_dir,
            "size": cache_size,
            "prune": cache_prune,
            "verify": cache_verify,
            "clean": cache_clean,
        },
    ),
}

HIDDEN = frozenset({"run"})
"""Members of groups that are for git, not for people."""

PASSING = frozenset({"run"})
"""Commands whose arguments are another program's: options after the first word are not ours."""
