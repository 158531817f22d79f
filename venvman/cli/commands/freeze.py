"""``venvman freeze``, also called ``lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.cli.session import Session
    from venvman.report.result import Result
    from venvman.workflow import Context, FreezeOutcome

__all__ = ["freeze"]


def freeze(
    session: Session,
    *,
    upgrade: bool,
    upgrade_package: tuple[str, ...],
    check: bool,
    dry_run: bool,
    installed: bool,
    hashes: bool | None,
    engine: str | None,
    constraint: tuple[str, ...],
    python: str | None,
    target: tuple[str, ...],
    python_version: tuple[str, ...],
    universal: bool,
    group: tuple[str, ...],
    only_group: tuple[str, ...],
    all_groups: bool,
    no_dev: bool,
    yes: bool,
    all_projects: bool,
) -> Result:
    """Write the lock: every package pinned and hashed, with the reason it is there."""
    from venvman.report.freeze import freeze_result, nothing_to_do
    from venvman.workflow import FreezeRequest, GroupChoice, freezing, upgrading
    from venvman.workflow.watching import rests_on_freeze

    contexts = session.contexts(
        workspace=all_projects,
        engine=engine,
        python=python,
        constraints=constraint or None,
        targets=[*(["universal"] if universal else []), *_words(target)] or None,
        python_versions=_words(python_version) or None,
    )
    request = FreezeRequest(
        check=check,
        dry_run=dry_run,
        installed=installed,
        hashes=hashes,
        yes=yes,
        confirm=session.confirm,
        groups=GroupChoice(extra=group, only=only_group, everything=all_groups, dev=not no_dev),
    )

    def frozen(context: Context) -> FreezeOutcome:
        if not (upgrade or upgrade_package):
            return freezing.freeze(context, request)
        names = () if upgrade else upgrade_package
        return upgrading.freeze_forward(context, request, names, several=all_projects)

    outcomes = session.each(contexts, frozen)
    if not any(each.changed for each in outcomes):
        session.rest(
            (rests_on_freeze(each, since_ns=session.started_ns) for each in contexts),
            said=None if all_projects else nothing_to_do(outcomes[0]),
        )
    return freeze_result(outcomes, request)


def _words(values: Sequence[str]) -> list[str]:
    """Of an option that may be repeated, or given several values with commas."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]
