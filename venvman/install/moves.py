"""Moves: the steps of a transaction, planned against the environment as it will be by then.

Nothing is changed here: the planner looks at the disk, remembers what its earlier steps will have
taken away and put in place, and so finds for everything new the largest tree that can be renamed
as one.
"""

from __future__ import annotations

import os
import stat
from enum import Enum, auto
from typing import TYPE_CHECKING

from venvman.environment.ledger import LEDGER, Ledger, write_snapshot
from venvman.install.attic import ATTIC
from venvman.install.journal import STAGE, Kind, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.environment.ledger import Provenance
    from venvman.install.attic import AtticEntry
    from venvman.install.trees import Units
    from venvman.model.errors import InstallError


class _There(Enum):
    NOTHING = auto()
    FOLDER = auto()
    FILE = auto()
    """Anything that is no folder, links included."""


class Planner:
    """Collects :attr:`steps` for the environment whose real path is ``root``.

    :attr:`overwritten` are the files of others that were put into their place.

    Paths are relative to ``root``, slots to the stage; slots named in :meth:`put` are there
    already, those named in :meth:`take` come into being.
    """

    def __init__(self, root: str) -> None:
        self.steps: list[Step] = []
        self._root = root
        self._gone: set[str] = set()
        self._born: dict[str, str | None] = {}
        self._seen: dict[str, _There] = {}
        # Where a slot's content lies now, for slots that earlier steps will fill.
        self._sources: dict[str, str] = {}
        self._displaced = 0
        self.overwritten: list[str] = []

    def take(self, path: str, slot: str) -> None:
        """Moves ``path`` (a file or a whole folder) out, into ``slot``."""
        self.steps.append(Step(Kind.TAKE, path, slot))
        self._sources[slot] = f"{self._root}/{path}"
        self._born.pop(path, None)
        self._gone.add(path)

    def drop(self, path: str) -> None:
        """Removes the folder ``path``, which is empty by now."""
        self.steps.append(Step(Kind.DROP, path))
        self._gone.add(path)

    def put(self, slot: str, path: str) -> None:
        """Moves what lies in ``slot`` to ``path``: as one where nothing is, else part by part.

        A file that is in the way is displaced: of two that want one place the later one wins.

        Raises:
            InstallError: a folder is where a file must be, or the reverse (``path-in-the-way``).
        """
        there = self._there(path) if path else _There.FOLDER
        if there is _There.NOTHING:
            self._make_parents(path)
            self.steps.append(Step(Kind.PUT, path, slot))
            self._gone.discard(path)
            self._born[path] = slot
            return
        source = self._source(slot)
        new = self._on_disk(source)
        if there is not new:
            raise _in_the_way(f"{self._root}/{path}", there)
        if there is _There.FOLDER:
            for name in sorted(os.listdir(source)):
                self.put(f"{slot}/{name}", f"{path}/{name}" if path else name)
            return
        self.overwritten.append(path)
        self.displace(path)
        self.put(slot, path)

    def displace(self, path: str) -> None:
        """Moves ``path`` out for good: it ends with the transaction."""
        self._displaced += 1
        self.take(path, f"displaced-{self._displaced}")

    def _make_parents(self, path: str) -> None:
        parent = path.rpartition("/")[0]
        if parent and self._there(parent) is _There.NOTHING:
            self._make_parents(parent)
            self.steps.append(Step(Kind.MAKE, parent))
            self._gone.discard(parent)
            self._born[parent] = None

    def _there(self, path: str) -> _There:
        """What will be at ``path`` by then: the nearest step that touched it counts."""
        if not self._gone and not self._born:
            return self._on_disk(f"{self._root}/{path}")
        above, rest = path, ""
        while above:
            if above in self._born:
                slot = self._born[above]
                if slot is None:
                    return _There.NOTHING if rest else _There.FOLDER
                return self._on_disk(f"{self._source(slot)}{rest}")
            if above in self._gone:
                return _There.NOTHING
            above, _, name = above.rpartition("/")
            rest = f"/{name}{rest}"
        return self._on_disk(f"{self._root}/{path}")

    def _source(self, slot: str) -> str:
        top, _, rest = slot.partition("/")
        if top in self._sources:
            return f"{self._sources[top]}/{rest}"
        return f"{self._root}/{STAGE}/{slot}"

    def _on_disk(self, path: str) -> _There:
        found = self._seen.get(path)
        if found is None:
            try:
                is_folder = stat.S_ISDIR(os.lstat(path).st_mode)
                found = _There.FOLDER if is_folder else _There.FILE
            except (FileNotFoundError, NotADirectoryError):
                found = _There.NOTHING
            self._seen[path] = found
        return found


def _in_the_way(path: str, there: _There) -> InstallError:
    from pathlib import Path

    from venvman.model.errors import InstallError
    from venvman.system.files import aside

    what = "a folder" if there is _There.FOLDER else "a file or link"
    other = "a file" if there is _There.FOLDER else "a folder"
    return InstallError(
        f"{path} is {what}, but a distribution brings {other} of that name.",
        code="path-in-the-way",
        path=path,
        why="What belongs to no distribution is never removed. Nothing was changed.",
        fix=aside(Path(path)),
    )


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

    def put_new(self, number: int, base: str) -> None:
        """Puts what :func:`venvman.install.wheel.stage_wheel` has staged as ``number``."""
        self.planner.put(f"new-{number}", base)
        if os.path.isdir(f"{self.stage}/prefix-{number}"):
            self.planner.put(f"prefix-{number}", "")

    def keep(self, removed: Sequence[AtticEntry | None], present: Iterable[str]) -> frozenset[str]:
        """Puts what leaves into the attic, in place of an older entry of the same key.

        ``removed`` are the entries for the slots of :meth:`take_out`, None for what is not kept;
        ``present`` the keys in the attic but for those that come back. Returns the new keys.
        """
        present = set(present)
        kept: set[str] = set()
        for number, entry in enumerate(removed):
            if entry is None or entry.key in kept:
                continue
            self.write(f"out-{number}/entry.json", entry.render(self._root))
            if entry.key in present:
                self.planner.displace(f"{ATTIC}/{entry.key}")
            self.planner.put(f"out-{number}", f"{ATTIC}/{entry.key}")
            kept.add(entry.key)
        return frozenset(kept)

    def close(self, sequence: int, distributions: Mapping[str, Provenance]) -> str:
        """Puts a new ledger in the place of the old one: the last move; its snapshot's digest."""
        snapshot = write_snapshot(self._root, distributions)
        self.write("ledger", Ledger(self._root, sequence, snapshot).render())
        self.planner.put("ledger", LEDGER)
        return snapshot

    def write(self, slot: str, content: bytes) -> None:
        """Lays a file ready in ``slot``."""
        with open(f"{self.stage}/{slot}", "wb") as stream:
            stream.write(content)
