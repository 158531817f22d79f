"""``venvman freeze``, also called ``lock``."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

from venvman.cli import options  # noqa: TC001 - annotations are evaluated
from venvman.cli.declared import Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.cli.session import Session
    from venvman.engines import Upgrade
    from venvman.report.result import Result
    from venvman.workflow import Context, FreezeOutcome

__all__ = ["freeze"]


def freeze(
    session: Session,
    *,
    upgrade: Annotated[
        bool, Option("--upgrade", "-U", help="Move every pin as far as it may go.")
    ] = False,
    upgrade_package: Annotated[
        list[str] | None,
        Option(
            "--upgrade-package",
            "-P",
            metavar="NAME",
            help="Move only this package's pin; may be repeated.",
            show_default=False,
        ),
    ] = None,
    check: options.Check = False,
    dry_run: options.DryRun = False,
    installed: Annotated[bool, Option("--installed", help="Pin what ./venv holds now.")] = False,
    hashes: Annotated[
        bool | None,
        Option(
            "--hashes/--no-hashes",
            help="Write a hash for every file (the default for a new lock).",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str | None,
        Option("--engine", metavar="NAME", help="Who finds the versions.", show_default=False),
    ] = None,
    python: options.Python = None,
    target: Annotated[
        list[str] | None,
        Option(
            "--target",
            metavar="SPEC",
            help="Freeze for this system (linux, macos:3.12, windows:3.10-3.13); may be repeated.",
            show_default=False,
        ),
    ] = None,
    python_version: Annotated[
        list[str] | None,
        Option(
            "--python-version",
            metavar="VERSIONS",
            help="Of targets that name no Python (3.12, 3.10-3.13); may be repeated.",
            show_default=False,
        ),
    ] = None,
    universal: Annotated[
        bool, Option("--universal", help="The same as --target linux, macos and windows.")
    ] = False,
    yes: options.Yes = False,
    all_projects: options.AllProjects = False,
) -> Result:
    """Write the lock: every package pinned and hashed, with the reason it is there."""
    from venvman.report.freeze import freeze_result
    from venvman.workflow import FreezeRequest, freezing

    contexts = session.contexts(
        workspace=all_projects,
        engine=engine,
        python=python,
        targets=[*(["universal"] if universal else []), *_words(target)] or None,
        python_versions=_words(python_version) or None,
    )
    request = FreezeRequest(
        upgrade=_upgrade(upgrade_package, everything=upgrade),
        check=check,
        dry_run=dry_run,
        installed=installed,
        hashes=hashes,
        yes=yes,
    )
    started = time.time_ns()
    outcomes = [freezing.freeze(context, request) for context in contexts]
    if not all_projects:
        _leave_stamp(contexts[0], outcomes[0], started)
    return freeze_result(outcomes, request)


def _leave_stamp(context: Context, outcome: FreezeOutcome, started: int) -> None:
    """So that the same command line is answered by ``venvman.freshstamp`` next time."""
    from venvman.report.freeze import nothing_to_do
    from venvman.workflow.stamping import leave_fresh_stamp

    if not outcome.changed:
        text = "".join(nothing_to_do(outcome))
        leave_fresh_stamp(context, sys.argv[1:], since_ns=started, text=text)


def _words(values: Sequence[str] | None) -> list[str]:
    """Of an option that may be repeated, or given several values with commas."""
    return [word.strip() for value in values or () for word in value.split(",") if word.strip()]


def _upgrade(names: Sequence[str] | None, *, everything: bool) -> Upgrade | None:
    from venvman.engines import UpgradeAll, UpgradeSome
    from venvman.names import canonical

    if everything:
        return UpgradeAll()
    return UpgradeSome(names=frozenset(canonical(name) for name in names)) if names else None
