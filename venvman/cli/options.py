"""The options that commands share, each written down once.

:class:`Common` is what every command takes; the aliases below it are for the commands that name
them. The annotations are evaluated at run time, so nothing here hides behind ``TYPE_CHECKING``.
"""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from inspect import Parameter
from pathlib import Path  # noqa: TC003 - annotations are evaluated
from typing import TYPE_CHECKING, Annotated, get_type_hints

from venvman.cli.declared import Option
from venvman.cli.usage import UsageFault
from venvman.frozen import dataclass
from venvman.report.graphlanguages import GraphForm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.workflow import GroupChoice, LockPolicy

__all__ = [
    "AllGroups",
    "AllProjects",
    "AndSync",
    "Check",
    "Color",
    "Common",
    "DryRun",
    "EditOnly",
    "EditedGroup",
    "Format",
    "Frozen",
    "GraphFormat",
    "Groups",
    "Locked",
    "NoDev",
    "OnlyGroups",
    "Python",
    "SyncFirst",
    "Yes",
    "common_parameters",
    "group_choice",
    "lock_policy",
]

_EVERYWHERE = "Options of every command"
_GROUPS = "Groups"


class Format(str, Enum):
    """The voice that a result is told in."""

    TEXT = "text"
    JSON = "json"


class Color(str, Enum):
    """AUTO follows the terminal, ``NO_COLOR``, ``FORCE_COLOR`` and ``CLICOLOR_FORCE``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that every command has; one field is one option."""

    project: Annotated[
        Path | None,
        Option(
            "--project",
            metavar="DIR",
            help="Work on the project in DIR; otherwise it is found by walking upwards.",
            show_default=False,
            panel=_EVERYWHERE,
        ),
    ] = None
    format: Annotated[
        Format,
        Option(
            "--format",
            help="Print the result as text, or as one JSON document.",
            panel=_EVERYWHERE,
        ),
    ] = Format.TEXT
    quiet: Annotated[
        bool,
        Option(
            "--quiet",
            "-q",
            help="Say nothing but findings and errors.",
            panel=_EVERYWHERE,
        ),
    ] = False
    verbose: Annotated[
        bool,
        Option(
            "--verbose",
            "-v",
            help="Show whole lists, details of the work, and tracebacks.",
            panel=_EVERYWHERE,
        ),
    ] = False
    color: Annotated[
        Color,
        Option("--color", help="When to use colour.", panel=_EVERYWHERE),
    ] = Color.AUTO
    cache_dir: Annotated[
        Path | None,
        Option(
            "--cache-dir",
            metavar="DIR",
            help="Keep downloads and unpacked wheels in DIR.",
            show_default=False,
            panel=_EVERYWHERE,
        ),
    ] = None
    offline: Annotated[
        bool,
        Option(
            "--offline",
            help="Ask no network: what is not in the cache is an error.",
            panel=_EVERYWHERE,
        ),
    ] = False


def common_parameters() -> tuple[Parameter, ...]:
    """The fields of :class:`Common` as a command's signature has them."""
    hints = get_type_hints(Common, include_extras=True)
    return tuple(
        Parameter(
            each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name]
        )
        for each in fields(Common)
    )


AllProjects = Annotated[
    bool,
    Option("--all", help="Every project of the workspace, not only the one found here."),
]
Check = Annotated[
    bool, Option("--check", help="Change nothing; exit with 1 if there is anything to do.")
]
DryRun = Annotated[
    bool, Option("--dry-run", help="Show what would be done, change nothing, exit with 0.")
]
Yes = Annotated[
    bool, Option("--yes", "-y", help="Answer every question with yes.", show_default=False)
]
Python = Annotated[
    str | None,
    Option(
        "--python",
        metavar="VERSION|PATH",
        help="The interpreter to use, such as 3.12 or a path.",
        show_default=False,
    ),
]
Locked = Annotated[
    bool | None,
    Option(
        "--locked/--no-locked",
        help="Exit with 1 on a stale lock instead of freezing (the default where CI is set).",
        show_default=False,
    ),
]
Frozen = Annotated[bool, Option("--frozen", help="Use the lock as it is, without judging it.")]
Groups = Annotated[
    list[str] | None,
    Option(
        "--group",
        "-g",
        metavar="GROUP",
        help="Also this group; may be repeated.",
        show_default=False,
        panel=_GROUPS,
    ),
]
OnlyGroups = Annotated[
    list[str] | None,
    Option(
        "--only-group",
        metavar="GROUP",
        help="This group and no other; may be repeated.",
        show_default=False,
        panel=_GROUPS,
    ),
]
AllGroups = Annotated[bool, Option("--all-groups", help="Every group there is.", panel=_GROUPS)]
NoDev = Annotated[bool, Option("--no-dev", help="Without the group dev.", panel=_GROUPS)]
AndSync = Annotated[
    bool,
    Option("--sync/--no-sync", help="Sync the environment afterwards, or only freeze."),
]
SyncFirst = Annotated[
    bool, Option("--sync", help="Sync first, as `venvman sync` with these options would.")
]
EditOnly = Annotated[
    bool, Option("--frozen", help="Edit the file and leave lock and environment alone.")
]
EditedGroup = Annotated[
    str | None,
    Option(
        "--group", "-g", metavar="GROUP", help="The group whose file to edit.", show_default=False
    ),
]
GraphFormat = Annotated[
    GraphForm,
    Option(
        "--format",
        help="Print the graph as text, one JSON document, a Mermaid flowchart or Graphviz DOT.",
        panel=_EVERYWHERE,
    ),
]


def group_choice(
    group: list[str] | None, only: list[str] | None, *, everything: bool, dev: bool
) -> GroupChoice:
    """The group options as one value.

    Raises:
        UsageFault: options that contradict each other.
    """
    from venvman.workflow import GroupChoice

    if only and (group or everything):
        raise UsageFault("--only-group cannot stand with --group or --all-groups.")
    return GroupChoice(
        extra=tuple(group or ()), only=tuple(only or ()), everything=everything, dev=dev
    )


def lock_policy(*, locked: bool | None, frozen: bool, variables: Mapping[str, str]) -> LockPolicy:
    """What to do about a stale lock; where ``CI`` is set it is not sync's to change.

    Raises:
        UsageFault: ``--frozen`` together with ``--locked``.
    """
    from venvman.workflow import LockPolicy

    if frozen and locked:
        raise UsageFault("--frozen does not judge the lock, --locked does: choose one.")
    if frozen:
        return LockPolicy.FROZEN
    ci = variables.get("CI", "").lower() not in {"", "0", "false"}
    return LockPolicy.LOCKED if (ci if locked is None else locked) else LockPolicy.FREEZE
