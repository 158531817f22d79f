"""Which pin of a lock a requirement means, and whether it comes from the place asked for. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from venvman.lock.direct import parse_reference
from venvman.lock.file import located
from venvman.secrets import without_secret
from venvman.sources import ArchiveSource, VcsSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from venvman.lock.file import Lock, LockEntry
    from venvman.names import NormalizedName
    from venvman.requirements.groups import Requirement
    from venvman.sources import Source
    from venvman.target import Target

    Pins = Mapping[NormalizedName, Sequence[LockEntry]]

__all__ = ["is_place", "matches_source", "named_entry", "pins_of", "strict_tool"]


def strict_tool(lock: Lock) -> bool:
    """Whether the lock's maker names files in ``via`` and keeps to the pins' own names."""
    return lock.header.tool in {"venvman", "pip-compile"}


def pins_of(lock: Lock) -> Pins:
    """The entries of ``lock`` by name: as many lines ask for one as it has."""
    found: dict[NormalizedName, list[LockEntry]] = {}
    for entry in lock.entries:
        found.setdefault(entry.name, []).append(entry)
    return found


def named_entry(
    requirement: Requirement, pins: Pins, *, target: Target, root: Path
) -> LockEntry | None:
    """The entry that applies on ``target`` and has the name of ``requirement``, or its source."""
    if requirement.name:
        found = iter(pins.get(requirement.name, ()))
    else:
        every = chain.from_iterable(pins.values())
        found = (entry for entry in every if matches_source(requirement, entry, root=root))
    return next((entry for entry in found if target.applies(entry.marker)), None)


def matches_source(
    requirement: Requirement, entry: LockEntry, *, root: Path, strict: bool = False
) -> bool:
    """Whether ``entry`` comes from where ``requirement`` says.

    A lock holds ``${VAR}`` unexpanded, no credentials and, for a branch, a commit: those are equal
    to what they stand for. ``strict``: the lock says which revision a commit was found at.
    """
    found = located(entry.source, root)
    return any(_same(asked, found, strict=strict) for asked in _asked(requirement, root))


def is_place(source: Source, entry: LockEntry, *, root: Path) -> bool:
    """Whether ``entry`` comes from ``source``, which a dependency names."""
    return _same(located(source, root), located(entry.source, root), strict=False)


def _asked(requirement: Requirement, root: Path) -> Iterator[Source]:
    yield requirement.source
    if "${" in requirement.raw:
        editable = requirement.source.editable
        text = re.split(r"\s+;\s*", requirement.raw, maxsplit=1)[0]
        reference = parse_reference(text, editable=editable)
        if reference is not None:
            yield located(reference.source, root)


def _same(asked: Source, found: Source, *, strict: bool) -> bool:
    if isinstance(asked, ArchiveSource) and isinstance(found, ArchiveSource):
        hashes = not (asked.hashes and found.hashes) or set(asked.hashes) & set(found.hashes)
        return bool(hashes) and _bare(asked) == _bare(found)
    if isinstance(asked, VcsSource) and isinstance(found, VcsSource):
        return _bare(asked) == _bare(found) and _same_revision(asked, found, strict=strict)
    return not asked.is_index and asked == found


def _bare(source: ArchiveSource | VcsSource) -> Source:
    url = without_secret(source.url)
    if isinstance(source, ArchiveSource):
        return replace(source, url=url, hashes=())
    return replace(source, url=url, revision=None, commit=None)


def _same_revision(asked: VcsSource, found: VcsSource, *, strict: bool) -> bool:
    if asked.commit is not None:
        return found.commit == asked.commit
    if strict or found.commit is None:
        return found.revision == asked.revision
    return True
