"""Which groups an environment holds: what ``sync`` was told last is its choice until told again."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from venvman import seal
from venvman.environment.lifecycle import locate
from venvman.naming import DEFAULT, DEV
from venvman.settings import Origin
from venvman.workflow.requests import GroupChoice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvman.workflow.context import Context

_FILE = "groups.json"


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
    if known is None:
        return choice
    return GroupChoice(
        extra=_names(known.get("extra")),
        only=_names(known.get("only")),
        without=_names(known.get("without")),
        everything=bool(known.get("everything", False)),
        dev=bool(known.get("dev", True)),
        recalled=True,
    )


def keep(context: Context, choice: GroupChoice) -> None:
    """Remembers ``choice`` where it says something; never an error."""
    said = {
        "extra": choice.extra,
        "only": choice.only,
        "without": choice.without,
        "everything": choice.everything,
        "dev": choice.dev,
    }
    content = json.dumps(said).encode()
    with suppress(OSError):
        if choice.usual:
            choice_file(context).unlink()
        elif choice not in (GroupChoice(), GroupChoice(recalled=True)) and _kept(
            context
        ) != json.loads(content):
            seal.write(str(locate(context.project, context.settings)), _FILE, content)


def _kept(context: Context) -> dict[str, Any] | None:
    try:
        content = seal.read(str(locate(context.project, context.settings)), _FILE)
        known = json.loads(content or b"null")
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) else None


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


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
