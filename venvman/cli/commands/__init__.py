"""The verbs, one thin module each, and the table that names them.

A command function takes the :class:`~venvman.cli.session.Session` and its own options, calls the
workflow once, and returns a :class:`~venvman.report.result.Result`. The table holds where each is
found, ``module:function``: a command line imports the one that it names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvman.report.result import Result

    Command = Callable[..., Result]

__all__ = ["ALIASES", "COMMANDS", "GROUPS", "HIDDEN", "PASSING", "load"]

COMMANDS = {
    "sync": "sync:sync",
    "freeze": "freeze:freeze",
    "status": "status:status",
    "doctor": "doctor:doctor",
    "scan": "scan:scan",
    "add": "add:add",
    "remove": "remove:remove",
    "upgrade": "upgrade:upgrade",
    "outdated": "outdated:outdated",
    "tree": "tree:tree",
    "why": "why:why",
    "diff": "diff:diff",
    "history": "history:history",
    "rollback": "rollback:rollback",
    "run": "run:run",
    "shell": "run:shell",
    "clean": "clean:clean",
}

ALIASES = {"lock": "freeze"}
"""Other names of commands; the help does not list them."""

GROUPS = {
    "hooks": (
        "Git hooks that report, or repair, drift.",
        {
            "install": "hooks:hooks_install",
            "uninstall": "hooks:hooks_uninstall",
            "status": "hooks:hooks_status",
            "run": "hooks:hooks_run",
        },
    ),
    "cache": (
        "The machine-wide cache of downloads and unpacked wheels.",
        {
            "dir": "cache:cache_dir",
            "size": "cache:cache_size",
            "prune": "cache:cache_prune",
            "verify": "cache:cache_verify",
            "clean": "cache:cache_clean",
        },
    ),
}

HIDDEN = frozenset({"run"})
"""Members of groups that are for git, not for people."""

PASSING = frozenset({"run"})
"""Commands whose arguments are another program's: options after the first word are not ours."""


def load(place: str) -> Command:
    """The function at ``place``, a value of the tables above."""
    module, _, name = place.partition(":")
    function: Command = getattr(import_module(f"{__name__}.{module}"), name)
    return function
