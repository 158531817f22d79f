"""Exchange: the moves of one transaction, from what leaves to the ledger that ends it.

Used by a sync that installs (:mod:`venvman.install.staging`) and by a switch between known states
(:mod:`venvman.install.switch`), so that both leave the same behind. Imports next to nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from venvman.environment.ledger import LEDGER
from venvman.install.attic import ATTIC
from venvman.install.journal import STAGE
from venvman.install.moves import Planner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.environment.ledger import Ledger
    from venvman.install.attic import AtticEntry
    from venvman.install.trees import Units

__all__ = ["Exchange"]

Slots = list[list[tuple[str, str]]]
"""For each that leaves: (name in its slot, where it was), as the attic lists its units."""


class Exchange:
    """Plans the moves in the environment at the real path ``root``; its stage must be there.

    Called in this order: what leaves, what comes back, what is new (:attr:`planner`), what is
    kept, and the ledger.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self.stage = f"{root}/{STAGE}"
        self.planner = Planner(root)

    def take_out(self, units: Units, count: int) -> Slots:
        """Takes each of ``units`` into the slot of its owner, one of ``count``."""
        slots: Slots = [[] for _ in range(count)]
        for unit in units.moves:
            mine = slots[unit.owner]
            if not mine:
                os.mkdir(f"{self.stage}/out-{unit.owner}")
            mine.append((f"u{len(mine)}", unit.path))
            self.planner.take(unit.path, f"out-{unit.owner}/{mine[-1][0]}")
        for folder in units.emptied:
            self.planner.drop(folder)
        return slots

    def bring_back(self, returning: Iterable[AtticEntry]) -> None:
        """Puts entries of the attic where they were."""
        for number, entry in enumerate(returning):
            self.planner.take(f"{ATTIC}/{entry.key}", f"back-{number}")
            for slot, path in reversed(entry.units):
                self.planner.put(f"back-{number}/{slot}", path)

    def keep(self, leaving: Sequence[AtticEntry | None], present: Iterable[str]) -> frozenset[str]:
        """Puts what leaves into the attic, in place of an older entry of the same key.

        ``leaving`` are the entries for the slots of :meth:`take_out`, None for what is not kept;
        ``present`` the keys in the attic but for those that come back. Returns the new keys.
        """
        present = set(present)
        kept: set[str] = set()
        for number, entry in enumerate(leaving):
            if entry is None or entry.key in kept:
                continue
            self.write(f"out-{number}/entry.json", entry.render(self._root))
            if entry.key in present:
                self.planner.displace(f"{ATTIC}/{entry.key}")
            self.planner.put(f"out-{number}", f"{ATTIC}/{entry.key}")
            kept.add(entry.key)
        return frozenset(kept)

    def close(self, ledger: Ledger) -> None:
        """Puts ``ledger`` in the place of the old one: the last move."""
        self.write("ledger", ledger.render(self._root))
        self.planner.put("ledger", LEDGER)

    def write(self, slot: str, content: bytes) -> None:
        """Lays a file ready in ``slot``."""
        with open(f"{self.stage}/{slot}", "wb") as stream:
            stream.write(content)
