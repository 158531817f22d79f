"""The fast path of a sync: by renames from one recorded state to another, after a checkout say.

When the environment is as the last sync left it, and the project's files hold what they held in a
state that was recorded before (:mod:`venvman.install.states`), then what a full sync would do
is known: the distributions that differ change places with those in the attic. Those that are not
there, and those whose metadata somebody has removed since, come from the store
(:mod:`venvman.install.wheel`). It is done by the same code (:mod:`venvman.install.moves`),
through the same journal and under the same lock; but nothing is parsed, resolved or planned for
it, and neither typer nor packaging are imported.

Whenever anything is not as expected the answer is :class:`NotTaken`, with why; nothing has been
changed, and a full sync does the work. What this cannot see are files edited, or deleted from
sub-folders, inside installed packages that stay: ``doctor`` sees those, and so does a sync that has
nothing else to do.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from venvman.environment.history import History
from venvman.environment.ledger import read_ledger, read_snapshot
from venvman.environment.record import UNTOUCHABLE, locate, parse_record
from venvman.install import states
from venvman.install.attic import Attic, AtticEntry
from venvman.install.journal import JOURNAL, STAGE, apply, unobserved, write_journal
from venvman.install.moves import Exchange
from venvman.install.trees import Walk
from venvman.model.names import TOOLS, canonical
from venvman.system import memo
from venvman.system.locks import LockTaken, held
from venvman.system.reading import read_regular
from venvman.system.repository import head_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from venvman.environment.history import State, Wanted
    from venvman.environment.ledger import Ledger, Provenance
    from venvman.install.states import Current

_REQUIRED = re.compile(rb"(?m)^Requires-Dist: *([A-Za-z0-9._-]+)")
_FEW = 20
"""More wheels from the store are more than a switch should be: folders are placed for them, say."""
_MARKS = frozenset({"pyproject.toml", "requirements", ".git"})


class Switched(NamedTuple):
    """A switch that was made, or was not needed.

    ``before`` and ``after`` are the versions of what left and of what came, by name. ``watched`` is
    what the next sync's answer rests on, None where that cannot be told yet.
    """

    wanted: Wanted
    before: Mapping[str, str]
    after: Mapping[str, str]
    seconds: float
    watched: tuple[tuple[str, str, int], ...] | None

    @property
    def changes(self) -> int:
        """How many distributions changed."""
        return len({*self.before, *self.after})


class NotTaken(NamedTuple):
    """Why a full sync has to do the work: a sentence, or nothing where that was asked for."""

    why: str


class ToRemove(NamedTuple):
    """A distribution to remove: its ``files`` by RECORD, relative to the root, and their size."""

    info: str
    provenance: Provenance
    files: frozenset[str]
    size: int


class SwitchPlan(NamedTuple):
    """A switch that can be made, from ``current`` to ``wanted``, which holds ``distributions``.

    ``to_remove`` goes into the attic, ``from_attic`` comes out of it; ``from_store``, by metadata
    folder, comes from the store.
    """

    root: str
    sequence: int
    current: Wanted
    state: State
    wanted: Wanted
    distributions: dict[str, Provenance]
    to_remove: list[ToRemove]
    from_attic: list[AtticEntry]
    from_store: dict[str, Provenance]

    @property
    def before(self) -> dict[str, str]:
        """The versions of what is removed, by name."""
        return {each.provenance.name: each.provenance.version for each in self.to_remove}

    @property
    def after(self) -> dict[str, str]:
        """The same of what is installed."""
        versions = {entry.provenance.name: entry.version for entry in self.from_attic}
        return versions | {each.name: each.version for each in self.from_store.values()}


def switch(
    flags: str,
    variables: Mapping[str, str],
    cwd: str,
    *,
    observe: Callable[[str], None] = unobserved,
    only_look: bool = False,
) -> Switched | NotTaken:
    """Does what ``venvman sync`` in ``cwd`` would do, if that is known.

    ``flags`` are its options that choose what is wanted. Where it is not known, or not possible,
    nothing has been changed, unless a journal is left that the next look at the environment
    finishes or reverts; nor is it with ``only_look``. ``observe`` is told of each step, as by
    :func:`venvman.install.transaction.commit`.

    Ctrl-C before the commit point changes nothing; after it the switch ends first.
    """
    try:
        return _attempt(flags, variables, cwd, observe, only_look=only_look)
    except LockTaken:
        return NotTaken("Another command changes the environment.")
    except Exception as error:  # noqa: BLE001 - a full sync does it, or says why it cannot
        return NotTaken(f"{type(error).__name__} was met: {error}.")


def _attempt(
    flags: str,
    variables: Mapping[str, str],
    cwd: str,
    observe: Callable[[str], None],
    *,
    only_look: bool,
) -> Switched | NotTaken:
    started = perf_counter()
    found = _find(cwd)
    if found is None:
        return NotTaken("No environment here is as a sync has left it.")
    environment, there, current, lock = found
    wanted = states.find(environment, flags=flags, variables=variables)
    if wanted is None:
        return NotTaken("No sync has seen these requirements and locks before.")
    with held(lock, wait=0, who="venvman sync"):
        plan = _plan(environment, there, current, wanted)
        if isinstance(plan, NotTaken):
            return plan
        if only_look:
            return NotTaken("")
        if plan.to_remove or plan.from_attic or plan.from_store:
            _record(plan, _carry_out(plan, observe))
        elif not there.is_whole:
            return NotTaken("Not every installed file is watched.")
        watched = _settled(environment, there, plan)
        if watched is not None:
            # The folders from here up to the project, any of which may become one.
            folder, looked = cwd, watched[0][2]
            while folder != os.path.dirname(environment):
                watched += ((memo.FILE, folder, looked),)
                folder = os.path.dirname(folder)
    return Switched(plan.wanted, plan.before, plan.after, perf_counter() - started, watched)


def _find(cwd: str) -> tuple[str, Current, State, str] | None:
    """The environment of the project that holds ``cwd``, as far upwards as that is certain.

    With the state that it holds, and its lock file.
    """
    folder = cwd
    while True:
        is_root = False
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(memo.ENDINGS) or entry.name in _MARKS:
                    is_root = True
                elif entry.is_dir() and (found := _of_project(entry.path, folder)):
                    return entry.path, *found
        above = os.path.dirname(folder)
        # A folder that may be a project itself is left to the full search.
        if is_root or above == folder:
            return None
        folder = above


def _of_project(environment: str, root: str) -> tuple[Current, State, str] | None:
    """What ``environment`` holds, if that was a state of the project at ``root``."""
    current = states.read_current(environment)
    state = None if current is None else states.read(environment, current.key)
    if current is None or state is None or state.wanted is None:
        return None
    # An environment that was moved here from another project knows the files of that.
    is_here = any(path == root for _, path, _ in state.wanted.contents)
    return (current, state, state.wanted.lock) if is_here else None


def _carry_out(plan: SwitchPlan, observe: Callable[[str], None]) -> str:
    """The transaction; the digest of what the environment holds after it.

    Raises:
        OSError: it cannot be done; nothing was changed.
        InstallError: it cannot be done or undone now; the journal is left for the next command.
    """
    root = plan.root
    os.mkdir(f"{root}/{STAGE}")
    try:
        observe("staging")
        exchange, snapshot = _prepared(plan)
        steps = exchange.planner.steps
        observe("staged")
        write_journal(root, steps)
        missing = apply(root, steps, observe=observe)
        if missing:
            raise FileNotFoundError(missing[0])
        return snapshot
    finally:
        if not os.path.lexists(f"{root}/{JOURNAL}"):
            _discard(f"{root}/{STAGE}")


def _prepared(plan: SwitchPlan) -> tuple[Exchange, str]:
    """All moves, staged and planned, and the digest of what the ledger will hold."""
    exchange = Exchange(plan.root)
    owners = {path: index for index, each in enumerate(plan.to_remove) for path in each.files}
    whole = {each.info: index for index, each in enumerate(plan.to_remove)}
    lasting = frozenset(plan.current.lasting)
    walk = Walk(plan.root, lasting=lasting, owners=owners, whole=whole)
    slots = exchange.take_out(walk.units(), len(plan.to_remove))
    exchange.bring_back(plan.from_attic)
    linked: dict[str, Provenance] = {}
    if plan.from_store:
        from venvman.install.wheel import link_from_store

        # The store may have unpacked a wheel anew since the state was written down.
        linked = link_from_store(plan.from_store, plan.wanted.link_settings, exchange)
    sequence = plan.sequence + 1
    entries = [
        AtticEntry(
            each.provenance.key, each.info, tuple(units), each.provenance, each.size, sequence
        )
        if units
        else None
        for each, units in zip(plan.to_remove, slots, strict=True)
    ]
    back = {entry.key for entry in plan.from_attic}
    exchange.keep(entries, set(Attic(plan.root).keys()) - back)
    return exchange, exchange.close(sequence, plan.distributions | linked)


def _record(plan: SwitchPlan, snapshot: str) -> None:
    """Adds to the environment's history; what cannot be written there is no error."""
    with suppress(OSError):
        now = plan.state._replace(
            sequence=plan.sequence + 1,
            when=time.time(),
            by="sync",
            snapshot=snapshot,
            revision=head_of(os.path.dirname(plan.root)),
            target=None,
        )
        History(plan.root).record(now)


def _settled(
    environment: str, there: Current, plan: SwitchPlan
) -> tuple[tuple[str, str, int], ...] | None:
    """Says which state the environment holds now; what the next sync rests on, if sure."""
    wanted = plan.wanted
    with suppress(OSError):
        states.forget_current(environment)
        # What was written just before the first look is old enough to be trusted after this.
        looked = memo.settle()
        files = [(kind, path, looked) for kind, path, _ in wanted.contents]
        contents = states.contents_of((kind, path) for kind, path, _ in files)
        ledger = read_ledger(plan.root)
        known = {info for info in ledger.distributions if ledger.known(info)}
        found = states.metadata(plan.root, wanted.folders)
        is_reached = known == ledger.distributions.keys() and found == {*known, *wanted.others}
        if contents != wanted.contents or not is_reached:
            return None
        sites = memo.look((kind, path, looked) for kind, path, _ in there.sites)
        parts = memo.look((kind, path, looked) for kind, path, _ in wanted.parts)
        paths = states.installed(plan.root, wanted.folders)
        names = memo.many(plan.root, paths or (), wanted.folders)
        many = [(memo.MANY, each, looked) for each in names]
        whole = memo.look(many)
        if sites is None or whole is None or parts is None or tuple(parts) != wanted.parts:
            return None
        states.write_current(environment, states.Current(wanted.key, tuple(sites), tuple(whole)))
        around = [(kind, path, looked) for kind, path, _ in (*there.sites, *wanted.parts)]
        return (*files, *around, *many)
    return None


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


def _plan(environment: str, found: Current, here: State, there: State) -> SwitchPlan | NotTaken:
    """What is to be done, under the lock."""
    current, wanted, gone = here.wanted, there.wanted, found.gone()
    if current is None or wanted is None or not wanted.locked:
        return NotTaken("No full sync has looked at all of this.")
    parts = tuple((kind, path, memo.fact_of(kind, path)) for kind, path, _ in current.parts)
    same = parts == current.parts == wanted.parts
    if gone is None or not same or states.read_current(environment) != found:
        return NotTaken("Something else has changed the environment.")
    if current.others != wanted.others:
        return NotTaken("Other distributions that no lock names were there then.")
    ledger = read_ledger(environment)
    root = ledger.root
    missing = {os.path.realpath(path)[len(root) + 1 :] for path in gone}
    if ledger.snapshot != here.snapshot or not missing <= ledger.distributions.keys():
        return NotTaken("The environment is not what was recorded last.")
    present = {info: row for info, row in ledger.distributions.items() if info not in missing}
    after = read_snapshot(root, there.snapshot)
    to_remove = _to_remove(ledger, present, after, current.shared)
    if to_remove is None:
        return NotTaken("A distribution that has to go shares files, or its RECORD is incomplete.")
    to_install = _to_install(root, present, after, wanted.shared)
    if not after or to_install is None:
        return NotTaken("What has to come is neither in the attic nor in the store.")
    plan = SwitchPlan(root, ledger.sequence, current, there, wanted, after, to_remove, *to_install)
    why = _forbidden(plan)
    return NotTaken(why) if why else plan


def _forbidden(plan: SwitchPlan) -> str:
    """Why only a full sync may do this; "" where the fast path may."""
    if {*plan.before, *plan.after} & TOOLS:
        return "pip, setuptools or wheel would change."
    removed = plan.before.keys() - plan.after.keys()
    if removed and plan.wanted.is_frozen and _may_need(plan.root, plan.distributions, removed):
        return "What stays may need what would go, and a frozen lock need not be whole."
    return ""


def _may_need(root: str, after: Iterable[str], removed: set[str]) -> bool:
    """Whether what stays names one of ``removed``: nobody says that a frozen lock is whole."""
    for info in after:
        try:
            headers = read_regular(f"{root}/{info}/METADATA").partition(b"\n\n")[0]
        except OSError:
            continue
        for name in _REQUIRED.findall(headers):
            if canonical(name.decode()) in removed:
                return True
    return False


def _to_remove(
    ledger: Ledger,
    present: Mapping[str, Provenance],
    after: Mapping[str, Provenance],
    shared: Sequence[str],
) -> list[ToRemove] | None:
    found = []
    for info, provenance in present.items():
        if after.get(info) == provenance:
            continue
        listed = _listed(ledger.root, info)
        if info in shared or listed is None or ledger.known(info) is None:
            return None
        found.append(ToRemove(info, provenance, *listed))
    return found


def _listed(root: str, info: str) -> tuple[frozenset[str], int] | None:
    """The files that the RECORD of ``info`` names, and their size; None if one is out of place."""
    try:
        content = read_regular(f"{root}/{info}/RECORD")
        parsed = parse_record(content.decode("utf-8", "surrogateescape"))
    except OSError:
        return None
    site = info.rpartition("/")[0]
    files = set()
    for row in parsed.rows:
        path = locate(row.path, site=site, root=root)
        if path is None or path.partition("/")[0] in UNTOUCHABLE:
            return None
        files.add(path)
    size = sum(row.size or 0 for row in parsed.rows)
    return None if parsed.problems else (frozenset(files), size)


def _to_install(
    root: str,
    present: Mapping[str, Provenance],
    after: Mapping[str, Provenance],
    shared: Sequence[str],
) -> tuple[list[AtticEntry], dict[str, Provenance]] | None:
    """What comes back from the attic, and what only the store may have."""
    attic = Attic(root)
    from_attic: list[AtticEntry] = []
    from_store: dict[str, Provenance] = {}
    for info, provenance in after.items():
        if present.get(info) == provenance:
            continue
        if info in shared or provenance.direct or provenance.described:
            return None
        entry = attic.read(provenance.key)
        known = entry is not None and (entry.info, entry.provenance) == (info, provenance)
        if entry is not None and known and attic.is_whole(entry):
            from_attic.append(entry)
        else:
            from_store[info] = provenance
    return None if len(from_store) > _FEW else (from_attic, from_store)
