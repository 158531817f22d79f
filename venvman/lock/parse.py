r"""Reading a lock: one lean pass over its lines, since a lock has many.

Almost every line of a lock is ``name==version \\``, ``    --hash=...`` or ``    # via``; those are
recognised by how they begin. Anything else is looked at closely, and what cannot be part of a lock
is reported, every line at once.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import field, replace
from typing import TYPE_CHECKING

from venvman.lock.file import Lock, LockEntry, sort_key
from venvman.model.errors import Command, FileLine, LockError, Problem
from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.model.pep508 import parse_marker
from venvman.model.sources import DirectorySource, IndexSource, Source, VcsSource
from venvman.requirements.header import UNSAFE_COMMENTS, Annotations, LockHeader, read_header
from venvman.requirements.includes import includes_in
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from packaging.markers import Marker
    from packaging.version import Version

DEFAULT_BRANCH = "HEAD"
"""What ``# revision:`` says of a repository that was asked for without a revision."""

UNHASHED_COMMENTS = (
    "# WARNING: pip install will require the following package to be hashed.",
    "# Consider using a hashable URL like https://github.com/jazzband/pip-tools/archive/SOMECOMMIT.zip",
)
"""pip-compile's warning above an entry without hashes among entries with them."""

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?P<operator>===?)\s*(?P<version>[A-Za-z0-9.!+_-]+)\s*(?:;\s*(?P<marker>.*\S))?\s*$"
)
_CONFLICT = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?:\s|$)")
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=|(?=\.))")
_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:[\s=]|$)")
_HASH_OPTION = re.compile(r"\s+--hash[=\s]\s*(\S+)")
_OTHER_OPTION = re.compile(r"\s+--(?:config-settings?|global-option)[=\s].*$")
_COMMENT = re.compile(r"(?:^|\s+)#.*$")
_MARKER = re.compile(r"\s+;\s*|;\s+")
_DECLARED = re.compile(r"(\S+) \(pyproject\.toml\)")
_LINE_NUMBER = re.compile(r" \(line \d+\)$")


@dataclass(slots=True)
class _Draft:
    """An entry while its lines are read."""

    line: int
    head: str
    hashes: list[str] = field(default_factory=list)
    via: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    in_via: bool = False


@dataclass(slots=True)
class _Found:
    """Everything the pass over the lines gathers."""

    drafts: list[_Draft] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    unpinned: list[str] = field(default_factory=list)
    includes: dict[str, Problem] = field(default_factory=dict)
    annotations: Annotations = Annotations.SPLIT
    problems: list[Problem] = field(default_factory=list)


def parse_lock(
    text: str, *, path: str, folder_name: Callable[[str], str | None] | None = None
) -> Lock:
    """The lock that ``text`` holds, by whichever tool: venvman, pip-compile, uv, rye.

    ``path`` is for messages. An entry such as ``-e .`` does not say its name:
    ``folder_name`` is asked for it with the path as written; without an answer the folder's own
    name is taken (:func:`venvman.lock.io.read_lock` reads the project's metadata).

    Raises:
        LockError: every faulty line at once; conflict markers have the code
            ``lock-conflict-markers`` and are reported alone.
    """
    lines = [line.rstrip() for line in text.lstrip("\ufeff").split("\n")]
    refuse_conflicts(text, lines, path)
    found = _scan(lines, path)
    header = _header(text)
    if not header.is_compiled:  # written by hand, it is a file of requirements
        found.problems += found.includes.values()
    project: str | None = None
    if header.declared is not None:
        # What the notes call the project, which are then those of a file that asks.
        for draft in found.drafts:
            for position, via in enumerate(draft.via):
                named = _DECLARED.fullmatch(via)
                if named is not None:
                    project = named[1]
                    draft.via[position] = "-r pyproject.toml"
    entries = []
    for draft in found.drafts:
        entry = _entry(draft, path, folder_name)
        if isinstance(entry, Problem):
            found.problems.append(entry)
        else:
            entries.append(entry)
    if found.problems:
        found.problems.sort(key=lambda problem: problem.line or 0)
        raise LockError(
            f"{path} is not a lock.", code="lock-faulty", path=path, problems=found.problems
        )
    return Lock(
        entries=tuple(sorted(entries, key=sort_key)),
        header=header,
        options=tuple(found.options),
        includes=tuple(found.includes),
        annotations=found.annotations,
        unpinned=tuple(sorted(canonical(name) for name in found.unpinned)),
        project=project,
    )


def _header(text: str) -> LockHeader:
    header = read_header(text) or LockHeader(text="")
    # Blank lines before the first comment mean that the file was written without a header: that
    # comment is pip-compile's heading for setuptools then.
    if text.lstrip("\ufeff")[:1] != "#":
        return replace(header, text="", tool=None, command=None, python=None)
    lines = header.text.split("\n")
    while lines[-1] in UNHASHED_COMMENTS:  # a warning about the first entry, not the header
        lines.pop()
    return replace(header, text="\n".join(lines))


def refuse_conflicts(text: str, lines: list[str], path: str) -> None:
    """Raises a LockError, ``lock-conflict-markers``, where git has left both sides in the file."""
    if "<<<<<<<" not in text and ">>>>>>>" not in text:
        return
    marked = [
        Problem(
            code="lock-conflict-markers",
            message=f"{path} holds a git conflict that was not resolved.",
            path=path,
            line=number,
            text=line,
            why="Two branches changed the same pins.",
            # What both sides brought is asked for in the requirements.
            fix=Command.venvman("freeze", "--yes"),
        )
        for number, line in enumerate(lines, 1)
        if _CONFLICT.match(line) and line.startswith("<")
    ]
    if marked:
        message = f"{path} holds git conflict markers."
        raise LockError(message, code="lock-conflict-markers", path=path, problems=marked)


def _scan(lines: list[str], path: str) -> _Found:
    found = _Found()
    draft: _Draft | None = None
    unsafe = False
    number, end = 0, len(lines)
    while number < end:
        line = lines[number]
        number += 1
        if not line:
            continue
        if line.startswith("    --hash=") and draft is not None:
            draft.hashes.append(line[11:].rstrip("\\ "))
        elif line[0] in " \t" and line.lstrip().startswith("#"):
            _annotate(draft, line.lstrip(), found)
        elif line[0] == "#":
            unsafe = unsafe or line in UNSAFE_COMMENTS
            if unsafe and (name := re.fullmatch(r"# ([a-z0-9][a-z0-9-]*)", line)):
                found.unpinned.append(name[1])
        else:
            start = number
            hashes = []
            # The continuation lines that follow, and the hashes on them.
            while number < end and lines[number - 1].endswith("\\"):
                following = lines[number].strip()
                if following.startswith("--hash="):
                    hashes.append(following[7:].rstrip("\\ "))
                number += 1
            draft = _start(line.strip(), lines[start:number], hashes, start, found, path)
    return found


def _start(
    head: str, rest: list[str], hashes: list[str], line: int, found: _Found, path: str
) -> _Draft | None:
    """A new entry, option or fault that begins with ``head``."""
    if head.endswith("\\"):
        extra = [part.strip() for part in rest if not part.strip().startswith("--hash=")]
        head = " ".join([head, *extra]).replace("\\", " ").strip()
    if head.startswith("-") and not _EDITABLE.match(head):
        if _INCLUDE.match(head):
            fault = _not_pinned(head, line, path, "A lock holds pins only.")
            named = dict(includes_in(head)).get("-r")
            if named is None:
                found.problems.append(fault)
            else:
                found.includes[named] = fault
        else:
            found.options.append(_COMMENT.sub("", head))
        return None
    draft = _Draft(line=line, head=head, hashes=hashes)
    if " #" in head:
        draft.head, _, comment = head.partition(" #")
        draft.head = draft.head.rstrip()
        if comment.strip().startswith("via "):
            found.annotations = Annotations.LINE
        _annotate(draft, f"#{comment}", found)
    found.drafts.append(draft)
    return draft


def _annotate(draft: _Draft | None, comment: str, found: _Found) -> None:
    """Takes ``# via x``, ``# via``, ``#   x`` and ``# key: value`` under an entry."""
    if draft is None:
        return
    words = comment[1:].strip()
    if words == "via":
        draft.in_via = True
    elif words.startswith("via "):
        names = [name.strip() for name in words[4:].split(",")]
        if len(names) > 1:
            found.annotations = Annotations.LINE
        draft.via += names
        draft.in_via = False
    elif draft.in_via and comment.startswith("#   "):
        draft.via.append(words)
    else:
        draft.in_via = False
        key, colon, value = words.partition(": ")
        if colon:
            draft.notes[key] = value


def _entry(
    draft: _Draft, path: str, folder_name: Callable[[str], str | None] | None
) -> LockEntry | Problem:
    from packaging.version import InvalidVersion, Version

    head = draft.head
    if "--" in head:
        draft.hashes += _HASH_OPTION.findall(head)
        head = _OTHER_OPTION.sub("", _HASH_OPTION.sub("", head)).strip()
    origin = FileLine(path=path, line=draft.line, text=draft.head)
    pin = _PIN.match(head)
    if pin is None:
        return _direct(head, draft, origin, folder_name)
    try:
        version = Version(pin["version"])
        marker = parse_marker(pin["marker"]) if pin["marker"] else None
    except (InvalidVersion, ValueError) as error:
        return _not_pinned(head, draft.line, path, str(error))
    extras = pin["extras"].split(",") if pin["extras"] else ()
    return _made(
        draft,
        origin,
        name=pin["name"],
        version=version,
        exact=pin["operator"] == "===",
        extras=frozenset(canonical(extra.strip()) for extra in extras),
        marker=marker,
    )


def _direct(
    head: str, draft: _Draft, origin: FileLine, folder_name: Callable[[str], str | None] | None
) -> LockEntry | Problem:
    from venvman.lock.direct import parse_reference

    editable = _EDITABLE.match(head)
    text, *condition = _MARKER.split(head[editable.end() :] if editable else head, maxsplit=1)
    try:
        marker = parse_marker(condition[0]) if condition and condition[0] else None
    except ValueError as error:
        return _not_pinned(head, draft.line, origin.path, str(error))
    reference = parse_reference(text.strip(), editable=bool(editable))
    if reference is None:
        return _not_pinned(head, draft.line, origin.path, "It has no `==` and no URL.")
    source = reference.source
    if isinstance(source, VcsSource) and "revision" in draft.notes:
        asked = draft.notes["revision"]
        source = replace(source, revision=None if asked == DEFAULT_BRANCH else asked)
    name = draft.notes.get("name") or reference.name or _folder_name(source, folder_name)
    extras = reference.extras
    return _made(
        draft, origin, name=name, version=None, extras=extras, marker=marker, source=source
    )


def _folder_name(source: Source, ask: Callable[[str], str | None] | None) -> str:
    if isinstance(source, IndexSource):
        return "unnamed"
    path = source.path if isinstance(source, DirectorySource) else source.url
    path = posixpath.join(path, source.subdirectory) if source.subdirectory else path
    answer = ask(path) if ask and isinstance(source, DirectorySource) else None
    leaf = path.rstrip("/").rpartition("/")[2].removesuffix(".git").strip(".")
    return answer or leaf or "unnamed"


def _made(
    draft: _Draft,
    origin: FileLine,
    *,
    name: str,
    version: Version | None,
    exact: bool = False,
    extras: frozenset[str],
    marker: Marker | None,
    source: Source | None = None,
) -> LockEntry:
    via = {_LINE_NUMBER.sub("", name) for name in draft.via}
    return LockEntry(
        name=canonical(name),
        version=version,
        exact=exact,
        extras=extras,
        marker=marker,
        source=source or IndexSource(),
        hashes=tuple(sorted(set(draft.hashes))),
        via=tuple(sorted(via)),
        origin=origin,
    )


def _not_pinned(head: str, line: int, path: str, why: str) -> Problem:
    return Problem(
        code="lock-not-pinned",
        message=f"{path} has a line that is no pin.",
        path=path,
        line=line,
        text=redact(head),
        why=f"{why[:1].upper()}{why[1:]}",
        fix=Command.venvman("freeze", "--yes"),
    )
