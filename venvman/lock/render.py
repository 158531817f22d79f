"""Writing a lock: the text that pip-compile would write, byte for byte (its 7.5 and newer)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.lock.direct import reference_text
from venvman.lock.file import Lock, LockEntry, sort_key
from venvman.lock.parse import DEFAULT_BRANCH, UNHASHED_COMMENTS
from venvman.model.sources import ArchiveSource, DirectorySource, VcsSource
from venvman.requirements.header import UNSAFE_COMMENTS, Annotations

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNSAFE, _UNSAFE_UNPINNED, _EXCLUDED = UNSAFE_COMMENTS
_UNSAFE_UNPINNED_REST = (
    "# pinned when the requirements file includes hashes and the requirement is not",
    "# satisfied by a package already installed. Consider using the --allow-unsafe flag.",
)
_COLUMN = 24  # where pip-compile puts an annotation that stands on the entry's own line


def render_lock(lock: Lock) -> str:
    r"""The text of ``lock``, lines ending in ``\n``: what pip-compile writes, byte for byte.

    Entries are sorted here, so the order they come in does not matter.
    """
    return "".join(f"{line}\n" for line in _lines(lock)) or "\n"


def _lines(lock: Lock) -> Iterator[str]:
    if lock.header.text:
        yield lock.header.text
    if lock.options:
        yield from lock.options
        yield ""
    yield from (f"-r {name}" for name in lock.includes)
    late = lock.header.style.unsafe
    entries = sorted(lock.own, key=sort_key)
    yield from _section((entry for entry in entries if entry.name not in late), lock)
    unsafe = [entry for entry in entries if entry.name in late]
    hashed = _is_hashed(lock)
    if unsafe or lock.unpinned:
        yield ""
        if lock.header.tool == "uv":
            yield _EXCLUDED
        elif lock.unpinned and hashed:
            yield _UNSAFE_UNPINNED
            yield from _UNSAFE_UNPINNED_REST
        else:
            yield _UNSAFE
        yield from _section(unsafe, lock)
        yield from (f"# {name}" for name in lock.unpinned)


def _section(entries: Iterable[LockEntry], lock: Lock) -> Iterator[str]:
    foreign = lock.header.tool in {"pip-compile", "uv"}
    warn = lock.header.tool == "pip-compile" and _is_hashed(lock)
    for entry in entries:
        if warn and not entry.hashes:
            yield from UNHASHED_COMMENTS
        yield _text(entry, lock, foreign=foreign)


def _is_hashed(lock: Lock) -> bool:
    return any(entry.hashes for entry in lock.entries)


def _text(entry: LockEntry, lock: Lock, *, foreign: bool) -> str:
    line = requirement_text(entry, foreign=foreign)
    line += "".join(f" \\\n    --hash={value}" for value in entry.hashes)
    notes = "" if foreign else "".join(f"\n    # {note}" for note in _notes(entry))
    declared = None if lock.project is None else f"{lock.project} (pyproject.toml)"
    via = sorted((declared or name) if name == "-r pyproject.toml" else name for name in entry.via)
    if via and lock.annotations is Annotations.LINE:
        if lock.header.tool == "uv":  # packages first, then files
            via.sort(key=lambda name: name.startswith("-"))
        separator = "\n    " if entry.hashes else "  "
        return f"{line:{_COLUMN}}{separator}# via {', '.join(via)}{notes}"
    line += notes
    if not via:
        return line
    if len(via) == 1:
        return f"{line}\n    # via {via[0]}"
    return line + "\n    # via" + "".join(f"\n    #   {name}" for name in via)


def requirement_text(entry: LockEntry, *, foreign: bool = False) -> str:
    """The entry's line without hashes; ``foreign``: as pip-compile writes folders."""
    extras = f"[{','.join(sorted(entry.extras))}]" if entry.extras else ""
    source = entry.source
    if source.is_index:
        line = f"{entry.name}{extras}{'===' if entry.exact else '=='}{entry.version}"
    elif isinstance(source, DirectorySource):
        # `-e ./pkg` and `./pkg`, which pip and uv read too; pip-compile writes URLs instead.
        line = reference_text(source)
        if foreign and line.startswith("/"):
            line = f"file://{line}" if source.editable else f"{entry.name}{extras} @ file://{line}"
        else:
            line = _with_extras(line, extras)
        line = f"-e {line}" if source.editable else line
    else:
        text = reference_text(source)
        if isinstance(source, ArchiveSource) and text.startswith((".", "${", "file:.")):
            line = _with_extras(text, extras)
        else:
            line = f"{entry.name}{extras} @ {text}"
    return f"{line} ; {entry.marker}" if entry.marker else line


def _with_extras(path: str, extras: str) -> str:
    base, hash_sign, fragment = path.partition("#")
    return f"{base}{extras}{hash_sign}{fragment}"


def _notes(entry: LockEntry) -> Iterator[str]:
    """What a path or a commit does not say, for venvman to read back."""
    source = entry.source
    if isinstance(source, DirectorySource):
        yield f"name: {entry.name}"
    elif isinstance(source, VcsSource) and source.commit and source.revision != source.commit:
        yield f"revision: {source.revision or DEFAULT_BRANCH}"
