"""The values of options that several commands share, as the rest of the program has them."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.cli.faults import UsageFault
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from venvman.workflow.requests import GroupChoice, LockPolicy

__all__ = ["Color", "Common", "Format", "group_choice", "lock_policy"]


class Format(str, Enum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class Color(str, Enum):
    """AUTO follows the terminal, ``NO_COLOR``, ``FORCE_COLOR`` and ``CLICOLOR_FORCE``."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """The options that every command has; ``project`` and ``cache_dir`` as they were given."""

    project: Path | None = None
    format: Format = Format.TEXT
    quiet: bool = False
    verbose: bool = False
    color: Color = Color.AUTO
    cache_dir: Path | None = None
    offline: bool = False

    @classmethod
    def of(
        cls,
        *,
        format: str,  # noqa: A002 - the option is called so
        color: str,
        quiet: bool,
        verbose: bool,
        project: str | None = None,
        cache_dir: str | None = None,
        offline: bool = False,
    ) -> Common:
        """From the values in the table; a language for graphs is no JSON."""
        return cls(
            project=None if project is None else Path(project),
            format=Format.JSON if format == Format.JSON.value else Format.TEXT,
            quiet=quiet,
            verbose=verbose,
            color=Color(color),
            cache_dir=None if cache_dir is None else Path(cache_dir),
            offline=offline,
        )


def group_choice(
    group: Sequence[str],
    only: Sequence[str],
    without: Sequence[str],
    *,
    everything: bool,
    dev: bool,
    usual: bool,
) -> GroupChoice:
    """The group options as one value.

    Raises:
        UsageFault: options that contradict each other.
    """
    from venvman.workflow.requests import GroupChoice

    if only and (group or everything):
        raise UsageFault("--only-group cannot stand with --group or --all-groups.")
    if usual and (group or only or without or everything or not dev):
        raise UsageFault("--default-groups stands alone: it takes back what was chosen.")
    return GroupChoice(
        extra=tuple(group),
        only=tuple(only),
        without=tuple(without),
        everything=everything,
        dev=dev,
        usual=usual,
    )


def lock_policy(*, locked: bool | None, frozen: bool, variables: Mapping[str, str]) -> LockPolicy:
    """What to do about a stale lock; where ``CI`` is set it is not sync's to change.

    Raises:
        UsageFault: ``--frozen`` together with ``--locked``.
    """
    from venvman.workflow.requests import LockPolicy

    if frozen and locked:
        raise UsageFault("--frozen does not check the lock, --locked does: choose one.")
    if frozen:
        return LockPolicy.FROZEN
    ci = variables.get("CI", "").lower() not in {"", "0", "false"}
    return LockPolicy.LOCKED if (ci if locked is None else locked) else LockPolicy.FREEZE
