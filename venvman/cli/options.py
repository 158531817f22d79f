"""The values of options that several commands share, as the rest of the program has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cli.declare import Option, declared
from venvman.cli.faults import UsageFault
from venvman.cli.table import COMMON, Common, Groups, Locks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.workflow.requests import GroupChoice, LockPolicy


def group_choice(given: Groups) -> GroupChoice:
    """The group options as one value.

    Raises:
        UsageFault: options that contradict each other.
    """
    from venvman.workflow.requests import GroupChoice

    if given.only_group and (given.group or given.all_groups):
        raise UsageFault("--only-group cannot stand with --group or --all-groups.")
    chosen = GroupChoice(
        extra=given.group,
        only=given.only_group,
        without=given.no_group,
        everything=given.all_groups,
        dev=not given.no_dev,
    )
    if not given.default_groups:
        return chosen
    if chosen != GroupChoice():
        raise UsageFault("--default-groups stands alone: it takes back what was chosen.")
    return GroupChoice(usual=True)


def lock_policy(given: Locks, variables: Mapping[str, str]) -> LockPolicy:
    """What to do about a stale lock; where ``CI`` is set it is not sync's to change.

    Raises:
        UsageFault: ``--frozen`` together with ``--locked``.
    """
    from venvman.workflow.requests import LockPolicy

    if given.frozen and given.locked:
        raise UsageFault("--frozen does not check the lock, --locked does: choose one.")
    if given.frozen:
        return LockPolicy.FROZEN
    ci = variables.get("CI", "").lower() not in {"", "0", "false"}
    return (
        LockPolicy.LOCKED if (ci if given.locked is None else given.locked) else LockPolicy.FREEZE
    )


def spelled(given: Common, takes: type[Common]) -> tuple[str, ...]:
    """The flags and repeated words of ``takes`` as they are typed, where ``given`` has some."""
    words: list[str] = []
    for each in declared(takes):
        value = vars(given)[each.name]
        if isinstance(each, Option) and each not in COMMON and value != each.default:
            following = value if isinstance(value, tuple) else (None,)
            words += [word for one in following for word in (each.spellings[0], one) if word]
    return tuple(words)
