"""The switch between known states: ``sync`` after ``git checkout``, there and back, by renames.

When the environment is as the last sync left it, and the project's files hold what they held in a
state that was reached before (:mod:`venvman.install.states`), then what a thorough sync would do
is known: the distributions that differ change places with those in the attic. Those that are not
there, and those whose metadata somebody has removed since, come from the store
(:mod:`venvman.install.arriving`). It is done by the same code (:mod:`venvman.install.exchange`),
through the same journal and under the same lock; but nothing is parsed, resolved or planned for
it, and neither typer nor packaging are imported.

Whenever anything is not as expected the answer is None, nothing has been changed, and the thorough
way does the work. What this cannot see is what the stamp cannot see (:mod:`venvman.stamp`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from venvman import stamp
from venvman.environment.historyline import append_switch
from venvman.environment.ledger import Ledger, read_ledger
from venvman.install import states
from venvman.install.attic import Attic, AtticEntry
from venvman.install.exchange import Exchange
from venvman.install.flock import locked_at_once
from venvman.install.journal import JOURNAL, STAGE, apply, missing_results, write_journal
from venvman.install.summary import summary
from venvman.install.switchplan import plan_switch
from venvman.install.trees import Walk
from venvman.names import NormalizedName

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from venvman.environment.ledger import Provenance
    from venvman.install.switchplan import Leaving, SwitchPlan
    from venvman.stamp import Stamp

__all__ = ["Switched", "attempt", "switch"]


class Switched(NamedTuple):
    """A switch that was made: how many distributions changed, and how long it took."""

    changes: int
    text: str
    seconds: float


def switch(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    cwd: str,
    *,
    observe: Callable[[str], None] | None = None,
) -> str | None:
    """Does what ``venvman`` with ``arguments`` in ``cwd`` would do, and says what it would print.

    None as with :func:`attempt`.
    """
    done = attempt(arguments, variables, cwd, observe=observe)
    if done is None:
        return None
    return "" if stamp.wants_quiet(arguments) else done.text


def attempt(
    arguments: Sequence[str],
    variables: Mapping[str, str],
    cwd: str,
    *,
    observe: Callable[[str], None] | None = None,
) -> Switched | None:
    """Does what ``venvman`` with ``arguments`` in ``cwd`` would do, if that is known.

    None where it is not, or not possible: then nothing has been changed, unless a journal is left
    that the next look at the environment finishes or reverts. ``observe`` is told of each step, as
    by :func:`venvman.install.transaction.commit`.

    Ctrl-C before the commit point changes nothing; after it the switch ends first.
    """
    if not stamp.is_answerable(arguments) or stamp.only_looks(arguments):
        return None
    if "--inexact" in arguments:
        return None  # what would stay depends on what is there
    try:
        return _attempt(stamp.flags_of(arguments), variables, cwd, observe or _unobserved)
    except Exception:  # noqa: BLE001 - the thorough way does it, or says why it cannot
        return None


def _attempt(
    flags: str, variables: Mapping[str, str], cwd: str, observe: Callable[[str], None]
) -> Switched | None:
    started = perf_counter()
    found = stamp.find(cwd)
    if found is None or not found.state:
        return None
    current = states.read(found.environment, found.state)
    if current is None:
        return None
    known = states.find(found.environment, flags=flags, variables=variables)
    wanted = None if known is None else states.read(found.environment, known)
    if wanted is None:
        return None
    with locked_at_once(current.lock, who="venvman sync") as held:
        plan = plan_switch(found, current, wanted) if held else None
        if plan is None:
            return None
        if plan.leaving or plan.returning or plan.arriving:
            plan = _carry_out(plan, observe)
            _record(plan)
        if plan.wanted is not wanted:
            states.record(found.environment, plan.wanted)
        _leave_stamp(found, plan)
    return _told(plan, perf_counter() - started)


def _carry_out(plan: SwitchPlan, observe: Callable[[str], None]) -> SwitchPlan:
    """The transaction; the plan with what came from the store as it is now.

    Raises:
        OSError: it cannot be done; nothing was changed.
        InstallError: it cannot be done or undone now; the journal is left for the next command.
    """
    root = plan.root
    os.mkdir(f"{root}/{STAGE}")
    try:
        observe("staging")
        exchange, arrived = _prepared(plan)
        steps = exchange.planner.steps
        observe("staged")
        write_journal(root, steps)
        try:
            apply(root, steps, observe=observe)
        except Exception as error:
            if isinstance(error, OSError):
                os.unlink(f"{root}/{JOURNAL}")
            raise
        except BaseException:
            # Ctrl-C: by now all steps are done.
            os.unlink(f"{root}/{JOURNAL}")
            raise
        missing = missing_results(root, steps)
        os.unlink(f"{root}/{JOURNAL}")
        if missing:
            raise FileNotFoundError(missing[0])
        return _as_arrived(plan, arrived)
    finally:
        if not os.path.lexists(f"{root}/{JOURNAL}"):
            _discard(f"{root}/{STAGE}")


def _as_arrived(plan: SwitchPlan, arrived: Mapping[str, Provenance]) -> SwitchPlan:
    """The store may have unpacked a wheel anew since the state was written down."""
    held = plan.wanted.held
    if all(held[info].provenance == provenance for info, provenance in arrived.items()):
        return plan
    now = {info: held[info]._replace(provenance=each) for info, each in arrived.items()}
    return plan._replace(wanted=plan.wanted._replace(held={**held, **now}))


def _prepared(plan: SwitchPlan) -> tuple[Exchange, dict[str, Provenance]]:
    """All moves, staged and planned, and what the ledger will know of what arrives."""
    exchange = Exchange(plan.root)
    owners = {path: index for index, each in enumerate(plan.leaving) for path in each.files}
    whole = {each.info: index for index, each in enumerate(plan.leaving)}
    lasting = frozenset(plan.current.lasting)
    walk = Walk(plan.root, lasting=lasting, owners=owners, whole=whole)
    slots = exchange.take_out(walk.units(), len(plan.leaving))
    exchange.bring_back(plan.returning)
    arrived: dict[str, Provenance] = {}
    if plan.arriving:
        from venvman.install.arriving import arrive

        arrived = arrive(plan.arriving, plan.wanted, exchange)
    sequence = plan.ledger.sequence + 1
    entries = [
        _entry(each, units, sequence) for each, units in zip(plan.leaving, slots, strict=True)
    ]
    back = {entry.key for entry in plan.returning}
    exchange.keep(entries, set(Attic(plan.root).keys()) - back)
    gone = {each.info for each in plan.leaving}
    rows = {info: row for info, row in plan.ledger.distributions.items() if info not in gone}
    for entry in plan.returning:
        rows[entry.info] = plan.wanted.held[entry.info].provenance
    exchange.close(Ledger(sequence=sequence, distributions=rows | arrived))
    return exchange, arrived


def _entry(each: Leaving, units: list[tuple[str, str]], sequence: int) -> AtticEntry | None:
    held = each.held
    if not units:
        return None
    return AtticEntry(
        key=held.key,
        name=NormalizedName(held.name),
        version=held.version,
        info=each.info,
        units=tuple(units),
        provenance=held.provenance,
        size=each.size,
        sequence=sequence,
    )


def _record(plan: SwitchPlan) -> None:
    """Adds to the environment's history; what cannot be written there is no error."""
    wheels = [(each.name, each.provenance.sha256) for each in plan.wanted.held.values()]
    with suppress(OSError):
        append_switch(plan.root, plan.ledger.sequence + 1, wheels)


def _leave_stamp(found: Stamp, plan: SwitchPlan) -> None:
    """Stamps the new state, so that the next sync has nothing to do; never an error."""
    wanted = plan.wanted
    with suppress(OSError):
        stamp.remove(found.environment)
        # What was written just before the first look is old enough to be trusted after this.
        looked = stamp.settle()
        watched = [(kind, path) for kind, path, _ in wanted.contents]
        if states.contents_of(watched) != wanted.contents or not _is_reached(plan):
            return
        sites = [(kind, path) for kind, path, _ in found.facts if kind == stamp.SITE]
        facts = stamp.look((kind, path, looked) for kind, path in (*watched, *sites))
        parts = stamp.look((kind, path, looked) for kind, path, _ in wanted.parts)
        if facts is not None and parts is not None and tuple(parts) == wanted.parts:
            stamp.write(
                found.environment,
                flags=wanted.flags,
                names=wanted.names,
                seen=wanted.seen,
                state=wanted.key,
                text=wanted.text,
                facts=(*facts, *parts),
            )


def _is_reached(plan: SwitchPlan) -> bool:
    """Whether the environment holds what it held when the wanted state was written down."""
    ledger = read_ledger(plan.root)
    for info, held in plan.wanted.held.items():
        if ledger.known(plan.root, info) != held.provenance:
            return False
    return states.metadata(plan.root, plan.wanted.folders) == {
        *plan.wanted.held,
        *plan.wanted.others,
    }


def _told(plan: SwitchPlan, seconds: float) -> Switched:
    before, after = plan.before, plan.after
    changes = len({*before, *after})
    text = f"{plan.wanted.text}\n"
    if changes:
        text = summary(before, after, locked=plan.wanted.locked, seconds=seconds)
    return Switched(changes, text, seconds)


def _discard(folder: str) -> None:
    """Removes ``folder`` with all in it; what cannot be removed is by the next command."""
    with suppress(OSError):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    _discard(entry.path)
                else:
                    os.unlink(entry.path)
        os.rmdir(folder)


def _unobserved(_step: str) -> None:
    pass
