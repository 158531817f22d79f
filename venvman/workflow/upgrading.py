"""``upgrade``: pins moved forward, all or some, then the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.outcomes import UpgradeOutcome
from venvman.workflow.forward import freeze_forward
from venvman.workflow.requests import FreezeRequest, LockPolicy, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from venvman.workflow.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequest:
    """``names`` as typed; none means everything. ``dry_run`` writes nothing.

    ``confirm`` asks the person a question; None where there is nobody to ask.
    """

    names: tuple[str, ...] = ()
    sync: bool = True
    dry_run: bool = False
    yes: bool = False
    confirm: Callable[[str], bool] | None = None


def upgrade(context: Context, request: UpgradeRequest) -> UpgradeOutcome:
    """Moves the pins of ``request.names`` forward, then syncs.

    Raises:
        LockError: a name that no lock holds; says which are alike. Every name at once.
        VenvmanError: as freezing and syncing raise.
    """
    wanted = FreezeRequest(dry_run=request.dry_run, yes=request.yes)
    frozen = freeze_forward(context, wanted, request.names)
    if request.dry_run or not request.sync:
        return UpgradeOutcome(frozen=frozen)
    from venvman.workflow.syncing import sync

    # It was frozen a moment ago: nothing is to be checked again.
    after = SyncRequest(locks=LockPolicy.FROZEN, yes=request.yes, confirm=request.confirm)
    return UpgradeOutcome(frozen=frozen, synced=sync(context, after))
