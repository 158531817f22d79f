"""From the text that pip-compile wrote to the lock that DESIGN 4.5 describes.

pip-compile writes this machine's paths, expands variables, turns commits back into branches and
writes annotations about files that only this engine knows; here all of that is put right.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from venvman.engines.sourcefiles import lock_options
from venvman.localproject import project_name
from venvman.lockdirect import parse_reference
from venvman.lockfile import Lock, LockEntry, parse_lock, sort_key
from venvman.lockmatch import without_credentials
from venvman.lockstyle import compile_header, own_header
from venvman.names import canonical
from venvman.sources import ArchiveSource, DirectorySource, IndexSource, Source, VcsSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from venvman.engines import FreezeRequest
    from venvman.engines.mirror import Mirror
    from venvman.engines.pinning import Pinned
    from venvman.engines.sourcefiles import SourceTexts
    from venvman.lockstyle import LockStyle
    from venvman.requirements import Group, Requirement

__all__ = ["Finisher"]

_PRIVATE = re.compile(r"^-[rc] (?:.*/)?\.venvman-[a-z]+\.txt$")


class Finisher:
    """Knows the request, so that one file after the other can be put right."""

    def __init__(self, request: FreezeRequest, mirror: Mirror, pinned: Pinned) -> None:
        self._request = request
        self._root = request.project.root
        self._mirror = mirror
        self._commits = {source.commit: source for source in pinned.values()}

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
        style: LockStyle,
        arguments: Sequence[str],
        limited: bool,
        common: Sequence[LockEntry],
    ) -> Lock:
        """The finished lock of ``group``.

        ``arguments`` are those of the command that could stand in its header. ``limited``: the run
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
        options = lock_options(sources, group.lock.parent)
        parsed = parse_lock(text, path="pip-compile")
        minor = ".".join(map(str, self._request.target.minor))
        repeatable = (
            not limited
            and _is_pair(group)
            and not sources.has_variables
            and all(_is_repeatable(entry.source) for entry in entries)
            and all(_is_emitted(line, style) for line in options)
        )
        return Lock(
            entries=entries,
            header=compile_header(arguments, python=minor)
            if repeatable
            else own_header(style, python=minor),
            options=options,
            annotations=style.annotations,
            unpinned=parsed.unpinned,
        )

    def _entry(self, entry: LockEntry, wishes: Iterable[Requirement]) -> LockEntry:
        source = self._source(entry, wishes)
        via = tuple(name for name in entry.via if not _PRIVATE.match(name))
        return replace(entry, source=source, via=via, origin=None)

    def _source(self, entry: LockEntry, wishes: Iterable[Requirement]) -> Source:
        source = entry.source
        if isinstance(source, VcsSource):
            return self._repository(source)
        if isinstance(source, DirectorySource):
            return replace(source, path=self._relative(source.path))
        if isinstance(source, ArchiveSource):
            return self._archive(source, wishes)
        return source

    def _repository(self, source: VcsSource) -> Source:
        pinned = self._commits.get(source.commit) if source.commit else None
        if pinned is None:
            return replace(source, url=without_credentials(source.url))
        return replace(pinned, url=without_credentials(pinned.url))

    def _archive(self, source: ArchiveSource, wishes: Iterable[Requirement]) -> Source:
        for wish in wishes:
            asked = wish.source
            if not (isinstance(asked, ArchiveSource) and asked.url == source.url):
                continue
            text = re.split(r"\s+;\s*", wish.raw, maxsplit=1)[0]
            written = parse_reference(text) if "${" in text else None
            if written is not None and isinstance(written.source, ArchiveSource):
                return replace(source, url=without_credentials(written.source.url))
        if source.url.startswith("file:///"):
            path = self._relative(unquote(source.url.removeprefix("file://")))
            prefix = "file://" if path.startswith("/") else "file:"
            return replace(source, url=prefix + quote(path))
        return replace(source, url=without_credentials(source.url))

    def _relative(self, path: str) -> str:
        """Relative to the root, ``../`` included: a lock holds no machine's paths."""
        if not path.startswith("/"):
            return path
        return os.path.relpath(path, self._root).replace(os.sep, "/")


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


def _is_pair(group: Group) -> bool:
    return group.source.suffix == ".in" and group.lock.suffix == ".txt"


def _is_repeatable(source: Source) -> bool:
    """Whether pip-compile writes ``source`` as a lock has to."""
    if isinstance(source, ArchiveSource):
        return not source.url.startswith("file:")
    return isinstance(source, IndexSource)


def _is_emitted(line: str, style: LockStyle) -> bool:
    """Whether pip-compile, with this style, writes the option ``line`` as it stands."""
    flag, _, value = line.partition(" ")
    if flag in {"--index-url", "--extra-index-url"}:
        return style.emit_index_url
    if flag == "--find-links":
        return style.emit_find_links and "://" in value
    return flag != "--no-index"
