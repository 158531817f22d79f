"""From the text that pip-compile wrote to the lock that DESIGN 4.5 describes.

pip-compile writes this machine's paths, expands variables, turns commits back into branches and
writes annotations about files that only this engine knows; here all of that is put right.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.engines.portable import Portable, finished_lock
from venvman.localproject import project_name
from venvman.lock.file import Lock, LockEntry, parse_lock, sort_key
from venvman.names import canonical
from venvman.sources import DirectorySource, IndexSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.engines import FreezeRequest
    from venvman.engines.command import Command
    from venvman.engines.mirror import Mirror
    from venvman.engines.pinning import Pinned
    from venvman.engines.sourcefiles import SourceTexts
    from venvman.requirements.groups import Group, Requirement

__all__ = ["Finisher"]

_PRIVATE = re.compile(r"^-[rc] (?:.*/)?\.venvman-[a-z]+\.txt$")


class Finisher:
    """Knows the request, so that one file after the other can be put right."""

    def __init__(self, request: FreezeRequest, mirror: Mirror, pinned: Pinned) -> None:
        self._request = request
        self._root = request.project.root
        self._mirror = mirror
        self._portable = Portable(self._root, pinned)

    def entries(self, text: str, groups: Sequence[Group]) -> tuple[LockEntry, ...]:
        """The pins in ``text``, what pip-compile wrote for ``groups``."""
        text = self._mirror.original(text)
        lock = parse_lock(text, path="pip-compile", folder_name=project_name_of)
        wishes = [wish for group in groups for wish in (*group.requirements, *group.constraints)]
        entries = [self._entry(entry, wishes) for entry in lock.entries]
        return tuple(sorted(_named_by_elimination(entries), key=sort_key))

    def lock(
        self,
        text: str,
        group: Group,
        sources: SourceTexts,
        *,
        command: Command,
        limited: bool,
        common: Sequence[LockEntry],
    ) -> Lock:
        """The finished lock of ``group``.

        ``command`` is what could stand in its header. ``limited``: the run
        was given pins that such a command would not have. ``common`` are the pins of all groups.
        """
        entries = self.entries(text, [group])
        elsewhere = {entry.name: entry.source for entry in common}
        entries = tuple(
            replace(entry, source=elsewhere.get(entry.name, entry.source))
            if not isinstance(entry.source, IndexSource)
            else entry
            for entry in entries
        )
        return finished_lock(
            entries,
            group,
            sources,
            target=self._request.target,
            existing=self._request.locks.get(group.name),
            command=command,
            limited=limited,
            unpinned=parse_lock(text, path="pip-compile").unpinned,
        )

    def _entry(self, entry: LockEntry, wishes: Iterable[Requirement]) -> LockEntry:
        source = self._portable.source(entry.source, wishes)
        via = tuple(name for name in entry.via if not _PRIVATE.match(name))
        return replace(entry, source=source, via=via, origin=None)


def project_name_of(path: str) -> str | None:
    """The name that the folder ``path`` states, for entries that do not say theirs."""
    from pathlib import Path

    return project_name(Path(path))


def _named_by_elimination(entries: list[LockEntry]) -> list[LockEntry]:
    """Names a folder whose files do not state its name: the one that ``via`` knows and no pin has.

    Needed for projects whose ``setup.py`` computes it; with more than one of them their folder's
    names stay.
    """
    names = {entry.name for entry in entries}
    unknown = {
        canonical(via) for entry in entries for via in entry.via if not via.startswith("-")
    } - names
    used = {via for entry in entries for via in entry.via}
    nameless = [
        entry
        for entry in entries
        if isinstance(entry.source, DirectorySource) and entry.name not in used
    ]
    if len(unknown) != 1 or len(nameless) != 1:
        return entries
    (name,) = unknown
    return [replace(entry, name=name) if entry is nameless[0] else entry for entry in entries]
