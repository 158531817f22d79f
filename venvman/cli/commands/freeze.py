"""``venvman freeze``, also called ``lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from venvman.cli import options  # noqa: TC001 - typer evaluates the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.cli.session import Session
    from venvman.engines import Upgrade
    from venvman.report.result import Result

__all__ = ["freeze"]


def freeze(
    session: Session,
    *,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", "-U", help="Move every pin as far as it may go.")
    ] = False,
    upgrade_package: Annotated[
        list[str] | None,
        typer.Option(
            "--upgrade-package",
            "-P",
            metavar="NAME",
            help="Move only this package's pin; may be repeated.",
            show_default=False,
        ),
    ] = None,
    check: options.Check = False,
    dry_run: options.DryRun = False,
    installed: Annotated[
        bool, typer.Option("--installed", help="Pin what ./venv holds now.")
    ] = False,
    hashes: Annotated[
        bool | None,
        typer.Option(
            "--hashes/--no-hashes",
            help="Write a hash for every file (the default for a new lock).",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine", metavar="NAME", help="Who finds the versions.", show_default=False
        ),
    ] = None,
    python: options.Python = None,
    yes: options.Yes = False,
    all_projects: options.AllProjects = False,
) -> Result:
    """Write the lock: every package pinned and hashed, with the reason it is there."""
    from venvman.report.freeze import freeze_result
    from venvman.workflow import FreezeRequest, freezing

    contexts = session.contexts(workspace=all_projects, engine=engine, python=python)
    request = FreezeRequest(
        upgrade=_upgrade(upgrade_package, everything=upgrade),
        check=check,
        dry_run=dry_run,
        installed=installed,
        hashes=hashes,
        yes=yes,
    )
    return freeze_result([freezing.freeze(context, request) for context in contexts], request)


def _upgrade(names: Sequence[str] | None, *, everything: bool) -> Upgrade | None:
    from venvman.engines import UpgradeAll, UpgradeSome
    from venvman.names import canonical

    if everything:
        return UpgradeAll()
    return UpgradeSome(names=frozenset(canonical(name) for name in names)) if names else None
