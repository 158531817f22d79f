"""``upgrade``: pins moved forward, all or some, then the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.errors import Command, LockError, Problem
from venvman.frozen import dataclass
from venvman.workflow.freezing import freeze
from venvman.workflow.values import FreezeRequest, LockPolicy, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from venvman.engines import Upgrade
    from venvman.names import NormalizedName
    from venvman.workflow.context import Context
    from venvman.workflow.values import FreezeOutcome, SyncOutcome

__all__ = ["UpgradeOutcome", "UpgradeRequest", "upgrade"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeOutcome:
    """``synced`` is None where that was not wished for."""

    frozen: FreezeOutcome
    synced: SyncOutcome | None = None


def upgrade(context: Context, request: UpgradeRequest) -> UpgradeOutcome:
    """Freezes without the pins of ``request.names``, then syncs.

    Raises:
        LockError: a name that no lock holds; says which are alike. Every name at once.
        VenvmanError: as freezing and syncing raise.
    """
    frozen = freeze(
        context,
        FreezeRequest(
            upgrade=_upgrade(context, request.names), dry_run=request.dry_run, yes=request.yes
        ),
    )
    if request.dry_run or not request.sync:
        return UpgradeOutcome(frozen=frozen)
    from venvman.workflow.syncing import sync

    # It was frozen a moment ago: nothing is to be judged again.
    wish = SyncRequest(locks=LockPolicy.FROZEN, yes=request.yes, confirm=request.confirm)
    return UpgradeOutcome(frozen=frozen, synced=sync(context, wish))


def _upgrade(context: Context, names: Sequence[str]) -> Upgrade:
    from venvman.engines import UpgradeAll, UpgradeSome
    from venvman.names import canonical

    if not names:
        return UpgradeAll()
    wanted = frozenset(canonical(name) for name in names)
    locked = _locked_names(context)
    unknown = sorted(wanted - locked)
    if unknown and locked:
        problems = [_unknown(name, locked) for name in unknown]
        message = problems[0].message if len(problems) == 1 else "These are not locked."
        raise LockError(message, code="package-not-locked", problems=problems)
    return UpgradeSome(names=wanted)


def _locked_names(context: Context) -> frozenset[NormalizedName]:
    from venvman.workflow.locks import read_group_lock
    from venvman.workflow.wishes import open_scan

    locks = [read_group_lock(context, each.lock) for each in open_scan(context).sources]
    return frozenset(entry.name for lock in locks if lock for entry in lock.entries)


def _unknown(name: NormalizedName, locked: frozenset[NormalizedName]) -> Problem:
    import difflib

    near = difflib.get_close_matches(name, sorted(locked), n=3)
    return Problem(
        code="package-not-locked",
        message=f"{name} is not locked.",
        why=f"Similar names that are: {', '.join(near)}." if near else None,
        fix=None if near else Command.venvman("add", name),
    )
