"""``history``: the recorded states of an environment, and how each could be had again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from venvman.environment.history import WayBack, text_digest
from venvman.frozen import dataclass
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from venvman.environment.history import Held, State
    from venvman.environment.inspection import Environment
    from venvman.project import Project
    from venvman.workflow.context import Context

__all__ = ["HistoryReport", "Recalled", "history", "is_on_disk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A state, numbered back from now (0).

    ``before`` is the state before it, None for the oldest that is known; ``target`` the number of
    the one that a rollback went to, where it is still known. ``ways`` counts its distributions by
    where they would come from. ``on_disk`` says that its locks are those of the project now.
    """

    number: int
    state: State
    before: State | None
    target: int | None
    ways: Mapping[WayBack, int]
    on_disk: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReport:
    """``states`` are the newest first; empty before the first sync, or without an environment."""

    project: Project
    environment: Path
    states: tuple[Recalled, ...]


def history(context: Context) -> HistoryReport:
    """The states of the environment.

    Raises:
        EnvironmentUnusable: something that is no environment, or a broken one, is in its place.
    """
    from venvman.environment.inspection import usable
    from venvman.environment.lifecycle import locate
    from venvman.workflow.places import unfinished
    from venvman.workflow.recording import bring_up_to_date

    context = context.looking()
    path = locate(context.project, context.settings)
    left = unfinished(context, path)
    if left is not None:
        context.reporter.problem(left)
    environment = usable(path, directories=context.directories)
    if environment is None:
        return HistoryReport(project=context.project, environment=path, states=())
    states = bring_up_to_date(context, environment)
    numbers = {state.sequence: number for number, state in enumerate(states)}
    with context.open_store() as store:
        ways = _Ways(environment, holds=store.holds)
        recalled = tuple(
            Recalled(
                number=number,
                state=state,
                before=states[number + 1] if number + 1 < len(states) else None,
                target=None if state.target is None else numbers.get(state.target),
                ways=ways.of(state),
                on_disk=is_on_disk(context.project, state),
            )
            for number, state in enumerate(states)
        )
    return HistoryReport(project=context.project, environment=path, states=recalled)


class _Ways:
    """What the environment, its attic and the store have, asked once for each wheel."""

    def __init__(self, environment: Environment, *, holds: Callable[[str], bool]) -> None:
        from venvman.environment.inventory import take_inventory
        from venvman.install.attic import Attic

        self._holds = holds
        found = take_inventory(environment).distributions
        self._present = {(each.name, str(each.version)) for each in found}
        entries = Attic(os.path.realpath(environment.root)).entries()
        self._attic = {
            (each.name, each.provenance.sha256) for each in entries if each.provenance is not None
        }
        self._store: dict[str, bool] = {}

    def of(self, state: State) -> dict[WayBack, int]:
        """Each way with how many distributions of ``state`` would take it, none left out."""
        ways = [self._way(each) for each in state.held]
        return {way: ways.count(way) for way in WayBack}

    def _way(self, held: Held) -> WayBack:
        if (held.name, str(held.version)) in self._present:
            return WayBack.PRESENT
        if held.wheel is None:
            return WayBack.FETCH if held.locked else WayBack.BY_HAND
        if (held.name, held.wheel) in self._attic:
            return WayBack.ATTIC
        if held.wheel not in self._store:
            self._store[held.wheel] = self._holds(held.wheel)
        return WayBack.STORE if self._store[held.wheel] else WayBack.FETCH


def is_on_disk(project: Project, state: State) -> bool:
    """Whether the locks that ``state`` was made from are those of the project now."""

    def digest(path: Path) -> str | None:
        try:
            return text_digest(read_regular(path))
        except OSError:
            return None

    return bool(state.locks) and all(
        digest(project.root / lock.path) == lock.digest for lock in state.locks
    )
