"""Which targets the project's locks are for: what the settings say, else what the locks do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.lock.style import target_names
from venvman.model.errors import Advice, Command, ConfigurationError, LockError, Problem
from venvman.project.settings import Origin, Setting
from venvman.python.targets import CURRENT, expand, label_of, names_of, parse_minors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from venvman.lock.file import Lock
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.workflow.context import Context


def wanted_targets(
    context: Context, locks: Iterable[Lock | None], current: Target
) -> tuple[Target, ...]:
    """The targets to freeze and check for; empty: only ``current``, the Python at hand.

    ``--target``, ``VENVMAN_TARGETS`` or ``targets``; where none of them speaks, the first of
    ``locks`` that names targets in its header.

    Raises:
        ConfigurationError: a name or a Python that cannot be.
        LockError: the same in a header.
    """
    declared = context.settings.targets
    if declared.origin is not Origin.DEFAULT:
        return _declared(context, declared, current)
    versions = context.settings.python_versions
    if versions.value:
        raise ConfigurationError(
            f"{versions.where} says for which Pythons, but nothing says for which systems.",
            code="targets-missing",
            fix=Advice("Say so in `targets` of [tool.venvman], or freeze with --universal."),
        )
    for lock in locks:
        names = _names(lock)
        if names:
            return _of_header(context, names, current)
    return ()


def other_targets(
    context: Context, group: Group, lock: Lock, wanted: tuple[Target, ...], current: Target
) -> Problem | None:
    """Why ``lock`` is not for what is wanted; None if it is."""
    names = _names(lock)
    try:
        have = _of_header(context, names, current) if names else ()
    except LockError:
        have = ()
    if {label_of(each) for each in have} == {label_of(each) for each in wanted}:
        return None
    asked = ", ".join(names_of(wanted)) or "the environment's own Python"
    made = ", ".join(names) or "one Python only"
    return Problem(
        code="lock-for-other-targets",
        message=f"The lock is for {made}, and asked for is {asked}.",
        path=context.project.display(group.lock),
        why=f"{context.settings.targets.where or 'Another lock of the project'} says so.",
        fix=Command.venvman("freeze"),
    )


def _declared(
    context: Context, declared: Setting[tuple[str, ...]], current: Target
) -> tuple[Target, ...]:
    if declared.value in {(), (CURRENT,)}:
        return ()
    settings = context.settings
    try:
        return expand(
            declared.value,
            requires_python=settings.requires_python.value,
            current=current.minor,
            pythons=[
                minor for text in settings.python_versions.value for minor in parse_minors(text)
            ],
        )
    except ValueError as error:
        raise ConfigurationError(
            f"{declared.where} cannot be {', '.join(declared.value)}: {error}.",
            code="target-invalid",
            fix=Advice("Write systems and Pythons as in linux:3.12 or macos:3.10-3.13."),
        ) from None


def _of_header(context: Context, names: tuple[str, ...], current: Target) -> tuple[Target, ...]:
    try:
        return expand(
            names, requires_python=context.settings.requires_python.value, current=current.minor
        )
    except ValueError as error:
        raise LockError(
            f"The header of the lock names targets that cannot be: {', '.join(names)}.",
            code="lock-targets-invalid",
            why=f"{str(error)[:1].upper()}{str(error)[1:]}.",
            fix=Command.venvman("freeze", "--universal"),
        ) from None


def _names(lock: Lock | None) -> tuple[str, ...]:
    return () if lock is None else target_names(lock.header)
