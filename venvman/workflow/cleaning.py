"""``clean``: the environment removed, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.workflow.places import clean_place
from venvman.workflow.values import CleanOutcome

if TYPE_CHECKING:
    from venvman.workflow.context import Context

__all__ = ["clean"]


def clean(context: Context) -> CleanOutcome:
    """Removes the environment of the project.

    Raises:
        EnvironmentUnusable: what is there is not an environment, or venvman itself runs in it.
    """
    path, removed = clean_place(context)
    return CleanOutcome(environment=path, removed=removed)
