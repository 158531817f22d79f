"""What a switch between known states has to do, and whether it can: everything is looked at first.

Imports next to nothing, as :mod:`venvman.install.switch`, which does it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from venvman.environment.ledger import read_ledger, read_snapshot
from venvman.environment.record import locate, parse_record
from venvman.install.attic import Attic, AtticEntry
from venvman.install.states import read_current
from venvman.model.names import TOOLS, canonical
from venvman.system.memo import fact_of
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.environment.history import State, Wanted
    from venvman.environment.ledger import Ledger, Provenance
    from venvman.install.states import Current

# Without these there is no environment, whatever a RECORD says.
_UNTOUCHABLE = ("pyvenv.cfg", ".venvman")
_REQUIRED = re.compile(rb"(?m)^Requires-Dist: *([A-Za-z0-9._-]+)")
_FEW = 20
"""More wheels from the store are more than a switch should be: folders are placed for them, say."""


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


def plan_switch(environment: str, found: Current, here: State, there: State) -> SwitchPlan | None:
    """What is to be done, under the lock; None if anything is not as it was left."""
    current, wanted = here.wanted, there.wanted
    if current is None or wanted is None or read_current(environment) != found:
        return None
    gone = found.gone()
    parts = tuple((kind, path, fact_of(kind, path)) for kind, path, _ in current.parts)
    if gone is None or not parts == current.parts == wanted.parts:
        return None
    if current.others != wanted.others or not wanted.locked:
        return None
    ledger = read_ledger(environment)
    root = ledger.root
    missing = {os.path.realpath(path)[len(root) + 1 :] for path in gone}
    if ledger.snapshot != here.snapshot or not missing <= ledger.distributions.keys():
        return None
    present = {info: row for info, row in ledger.distributions.items() if info not in missing}
    after = read_snapshot(root, there.snapshot)
    to_remove = _to_remove(ledger, present, after, current.shared)
    to_install = _to_install(root, present, after, wanted.shared)
    if not after or to_remove is None or to_install is None:
        return None
    plan = SwitchPlan(root, ledger.sequence, current, there, wanted, after, to_remove, *to_install)
    removed = plan.before.keys() - plan.after.keys()
    if removed and wanted.is_frozen and _may_need(root, after, removed):
        return None
    return None if {*plan.before, *plan.after} & TOOLS else plan


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
        if path is None or path.partition("/")[0] in _UNTOUCHABLE:
            return None
        files.add(path)
    return (
        None if parsed.problems else (frozenset(files), sum(row.size or 0 for row in parsed.rows))
    )


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
