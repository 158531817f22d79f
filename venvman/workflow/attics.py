"""The project's attic, for ``venvman cache``: what it keeps, and all of it gone."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from venvman.frozen import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.environment.inspection import Environment
    from venvman.install.attic import AtticEntry
    from venvman.install.atticlimit import AtticLimit
    from venvman.project import Project
    from venvman.store.care import Freed
    from venvman.workflow.context import Context

__all__ = ["AtticReport", "attic_of", "clear_attic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtticReport:
    """``entries`` are the oldest first, ``setting`` is what ``limit`` was read from."""

    project: Project
    environment: Path
    entries: tuple[AtticEntry, ...]
    limit: AtticLimit
    setting: str

    @property
    def bytes(self) -> int:
        """All entries together; what the store shares with them takes no space of its own."""
        return sum(entry.size for entry in self.entries)


def attic_of(context: Context) -> AtticReport | None:
    """What the environment's attic keeps; None where there is no environment.

    Raises:
        EnvironmentUnusable: something that is no environment is in its place.
    """
    from venvman.install.attic import Attic
    from venvman.install.atticlimit import AtticLimit

    environment = _environment(context)
    if environment is None:
        return None
    setting = context.settings.attic.value
    return AtticReport(
        project=context.project,
        environment=environment.root,
        entries=tuple(Attic(os.path.realpath(environment.root)).entries()),
        limit=AtticLimit.parse(setting),
        setting=setting,
    )


def clear_attic(context: Context) -> tuple[Path, Freed]:
    """Empties the attic, under the environment's lock; its place, and what was in it.

    Raises:
        EnvironmentUnusable: something that is no environment is in its place.
        InstallError: a transaction that was stopped there can neither be finished nor reverted.
    """
    from venvman.environment.lifecycle import locate
    from venvman.install.attic import ATTIC
    from venvman.install.journal import STAGE
    from venvman.install.transaction import locked, recover
    from venvman.store.care import Freed, held

    place = locate(context.project, context.settings)
    environment = _environment(context)
    if environment is None:
        return place / ATTIC, Freed()
    with locked(place, context.directories, reporter=context.reporter):
        recover(place, directories=None)
        freed = held(place / ATTIC)
        # Through the stage, which the next command clears if this one is killed on the way.
        stage = place / STAGE
        with suppress(FileNotFoundError):
            stage.mkdir(parents=True, exist_ok=True)
            (place / ATTIC).rename(stage / "attic")
        shutil.rmtree(stage, ignore_errors=True)
    return place / ATTIC, freed


def _environment(context: Context) -> Environment | None:
    from venvman.environment.inspection import usable
    from venvman.environment.lifecycle import locate

    path = locate(context.project, context.settings)
    return usable(path, directories=context.directories)
