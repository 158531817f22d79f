"""Which groups an environment holds: what ``sync`` was told last is its choice until told again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvman import records, seal
from venvman.environment.lifecycle import locate
from venvman.naming import DEFAULT, DEV
from venvman.settings import Origin
from venvman.workflow.requests import GroupChoice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvman.workflow.context import Context

_FILE, _KIND = "groups.json", "groups 1"
_SAID = ("extra", "only", "without", "everything", "dev")


def choice_file(context: Context) -> Path:
    """Where the choice is kept: it goes with the environment."""
    return locate(context.project, context.settings) / seal.STATE / _FILE


def recall(context: Context, choice: GroupChoice) -> GroupChoice:
    """``choice``, or where it says nothing the one that was made last.

    Not where the variable VENVMAN_GROUPS says what is wanted this time.
    """
    if choice != GroupChoice() or context.settings.groups.origin is Origin.VARIABLE:
        return choice
    known = _kept(context)
    return choice if known is None else GroupChoice(**known, recalled=True)


def keep(context: Context, choice: GroupChoice) -> None:
    """Remembers ``choice`` where it says something; never an error."""
    said = {name: getattr(choice, name) for name in _SAID}
    with suppress(OSError):
        if choice.usual:
            choice_file(context).unlink()
        elif choice not in (GroupChoice(), GroupChoice(recalled=True)) and _kept(context) != said:
            records.write(str(locate(context.project, context.settings)), _FILE, _KIND, said)


def _kept(context: Context) -> dict[str, Any] | None:
    known: dict[str, Any] | None = records.read(
        str(locate(context.project, context.settings)), _FILE, _KIND
    )
    return known


def with_groups(context: Context, groups: Sequence[str]) -> GroupChoice:
    """The choice that was made last, and ``groups`` too."""
    base = recall(context, GroupChoice())
    configured = context.settings.groups.value
    usual = {DEFAULT, *((DEV,) if base.dev else ())} if configured is None else {*configured}
    held = {*base.only} if base.only else {*base.extra, *usual} - {*base.without}
    new = tuple(each for each in groups if each not in held and not base.everything)
    without = tuple(each for each in base.without if each not in groups)
    if base.only:
        return replace(base, without=without, only=(*base.only, *new))
    return replace(base, without=without, extra=(*base.extra, *new))
