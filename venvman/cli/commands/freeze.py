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
    changed_since: str | None,
) -> Result:
    """Write the lock: every package pinned and hashed, with the reason it is there."""
    from venvman.report.freeze import freeze_result, nothing_to_do
    from venvman.workflow import FreezeRequest, GroupChoice, freezing, upgrading
    from venvman.workflow.watching import rests_on_freeze

    request = FreezeRequest(
        check=check,
        dry_run=dry_run,
        installed=installed,
        hashes=hashes,
        yes=yes,
        confirm=session.confirm,
        groups=GroupChoice(extra=group, only=only_group, everything=all_groups, dev=not no_dev),
    )

    names = () if upgrade else upgrade_package
    done: list[tuple[Context, FreezeOutcome]] = []

    def frozen(context: Context) -> Result:
        outcome = (
            upgrading.freeze_forward(context, request, names)
            if upgrade or upgrade_package
            else freezing.freeze(context, request)
        )
        done.append((context, outcome))
        return freeze_result(outcome, request)

    result = session.each(
        frozen,
        workspace=all_projects,
        changed_since=changed_since,
        engine=engine,
        python=python,
        constraints=constraint or None,
        targets=[*(["universal"] if universal else []), *_words(target)] or None,
        python_versions=_words(python_version) or None,
    )
    if not any(outcome.changed for _, outcome in done):
        session.rest(
            [rests_on_freeze(context, since_ns=session.started_ns) for context, _ in done],
            said=nothing_to_do(done[0][1]) if result.of_one else None,
        )
    return result


def _words(values: Sequence[str]) -> list[str]:
    """Of an option that may be repeated, or given several values with commas."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]
