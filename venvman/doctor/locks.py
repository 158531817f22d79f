"""VM3: locks that are missing, stale, unreadable, at odds with each other, or weak."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.model.errors import Advice, Command, Problem, Severity
from venvman.model.names import NormalizedName, canonical
from venvman.model.sources import ArchiveSource, DirectorySource, Source
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from venvman.doctor.examination import Examination, ExaminedLock
    from venvman.doctor.finding import Finding
    from venvman.lock.file import LockEntry

_FREEZE = Command.venvman("freeze")
_UNHASHED = "lock-without-hashes"
_OVERWRITE = Command.venvman("freeze", "--yes")


def presence(examination: Examination) -> Iterator[Finding]:
    """Requirements that were never frozen."""
    for each in examination.locks:
        if each.lock is None and not each.problems:
            shown = examination.display(each.path)
            yield codes.LOCK_MISSING(
                f"The requirements of group {each.group} are not frozen: there is no {shown}.",
                path=shown,
                fix=_FREEZE,
            )


def orphaned(examination: Examination) -> Iterator[Finding]:
    """Locks whose sources have gone, so that nothing says what they should hold."""
    # Locks that are nobody's, because a source of theirs has gone.
    for path, gone in examination.strayed:
        told = examination.display(path)
        yield codes.LOCK_ORPHANED(
            f"{told} was frozen from {', '.join(gone)}, which is gone: no sync installs it.",
            path=told,
            fix=Advice("Bring the source back, or remove the lock."),
        )
    for each in examination.locks:
        header = each.lock.header if each.lock is not None else None
        sources = header.sources if header is not None else ()
        folders = (examination.project.root, each.path.parent)
        if sources and not any((folder / name).exists() for folder in folders for name in sources):
            shown = examination.display(each.path)
            yield codes.LOCK_ORPHANED(
                f"{shown} was frozen from {', '.join(sources)}, of which nothing is there: a sync "
                "still installs it.",
                path=shown,
                fix=Advice("Bring the source back, or remove the lock."),
            )


def readable(examination: Examination) -> Iterator[Finding]:
    """Locks that cannot be read, conflict markers first of all."""
    for each in examination.locks:
        for problem in each.problems:
            conflicted = problem.code == "lock-conflict-markers"
            kind = codes.LOCK_CONFLICTED if conflicted else codes.LOCK_FAULTY
            shown = examination.display(each.path)
            yield kind(
                _sentence(problem),
                path=problem.path or shown,
                line=problem.line,
                fix=problem.fix or _OVERWRITE,
            )


def staleness(examination: Examination) -> Iterator[Finding]:
    """Every reason why a lock is out of date with its requirements, or at odds with another."""
    for each in examination.locks:
        for problem in each.stale:
            if problem.code in {"folder-missing", _UNHASHED}:
                continue  # VM205 and VM307 say so
            disagree = problem.code in {"lock-disagreement", "lock-pins-twice"}
            yield (codes.LOCKS_DISAGREE if disagree else codes.LOCK_STALE)(
                _sentence(problem),
                path=problem.path or examination.display(each.path),
                line=problem.line,
                fix=problem.fix or _FREEZE,
            )
    for problem in examination.selection_problems:
        yield codes.LOCKS_DISAGREE(
            _sentence(problem), path=problem.path, line=problem.line, fix=problem.fix or _FREEZE
        )


def tool(examination: Examination) -> Iterator[Finding]:
    """A lock that another tool makes: synced as it is."""
    for each in examination.locks:
        header = each.lock.header if each.lock is not None else None
        if header is None or header.tool is None or header.is_frozen_here:
            continue
        shown = examination.display(each.path)
        by = f"`{header.command}`" if header.command else header.tool
        yield codes.LOCK_OF_ANOTHER_TOOL(
            f"{shown} is made by {by}, and venvman cannot freeze it.", path=shown, fix=header.rerun
        )


def hashes(examination: Examination) -> Iterator[Finding]:
    """Pins that any file of that name and version satisfies."""
    for each in examination.locks:
        entries = each.lock.entries if each.lock is not None else ()
        bare = sum(entry.source.is_index and not entry.hashes for entry in entries)
        if not bare:
            continue
        shown = examination.display(each.path)
        pins = "One pin is" if bare == 1 else f"{bare} pins are"
        yield codes.LOCK_WITHOUT_HASHES(
            f"{pins} in {shown} without hashes: whatever an index serves under that name and "
            "version is installed.",
            path=shown,
            # Of a lock that is to have them, sync takes none.
            severity=Severity.ERROR if _UNHASHED in {one.code for one in each.stale} else None,
            fix=_with_hashes(each),
        )


def _with_hashes(each: ExaminedLock) -> Command | None:
    """The command that gives every pin its hashes; None where another tool makes the lock."""
    header = each.lock.header if each.lock is not None else None
    here = header is None or header.tool is None or header.is_frozen_here
    return Command.venvman("freeze", "--hashes") if here else None


def machine_paths(examination: Examination) -> Iterator[Finding]:
    """Places of this machine: nobody else can install from them."""
    root = str(examination.project.root)
    for each in examination.locks:
        shown = examination.display(each.path)
        if each.lock is None:
            continue
        options = [(line, _ABSOLUTE.search(line), None) for line in each.lock.options]
        pins = [(entry.name, _place_of(entry.source), entry.origin) for entry in each.lock.entries]
        for what, found, origin in (*options, *pins):
            if found is not None and not each.problems:
                yield codes.LOCK_OF_ONE_MACHINE(
                    f"{redact(what)} in {shown} is taken from a path of one machine.",
                    path=shown,
                    line=origin.line if origin else None,
                    fix=Advice(f"Write the path relative to {root} in the source, then freeze."),
                )


_ABSOLUTE = re.compile(r"(?:[=\s]|file://)(/[^\s]*)")


def _place_of(source: Source) -> str | None:
    """The absolute path in ``source``; those below the project are written relative to it."""
    if isinstance(source, DirectorySource):
        return source.path if source.path.startswith("/") else None
    if isinstance(source, ArchiveSource):
        return source.url if source.url.startswith("file:///") else None
    return None


def reasons(examination: Examination) -> Iterator[Finding]:
    """Pins whose ``via`` names a package that does not need them, as it is installed.

    Whatever the extra or marker: a lock may be for other systems, too.
    """
    installed = {each.name: each for each in examination.distributions if each.damage is None}
    needed: dict[NormalizedName, set[str]] = {}
    for each in examination.locks:
        entries = each.lock.entries if each.lock is not None else ()
        pinned = {(entry.name, entry.version) for entry in entries}
        for entry, name in _because(entries):
            parent = installed.get(name)
            if parent is None or parent.version is None or (name, parent.version) not in pinned:
                continue
            if name not in needed:
                metadata = examination.metadata(parent)
                requires = metadata.requires if metadata is not None else ()
                asked = {canonical(_REQUIRED.split(line, 1)[0]) for line in requires}
                instead = (examination.overrides.get(one, ()) for one in asked)
                needed[name] = asked | {other.name for others in instead for other in others}
            if entry.name not in needed[name] | {name}:
                yield codes.VIA_UNTRUE(
                    f"{entry.name} is said to be locked because of {name}, which does not need it.",
                    package=entry.name,
                    path=examination.display(each.path),
                    line=entry.origin.line if entry.origin else None,
                    fix=_with_hashes(each),
                )


def _because(entries: Iterable[LockEntry]) -> Iterator[tuple[LockEntry, NormalizedName]]:
    """The pins, each with the packages that ``via`` names."""
    for entry in entries:
        for via in entry.via:
            yield entry, canonical(re.split(r"[ \[]", via)[0])


_REQUIRED = re.compile(r"[^A-Za-z0-9._-]")


def wrong_hashes(examination: Examination) -> Iterator[Finding]:
    """Pins with other hashes than those of the release that is installed."""
    installed = {each.name: each for each in examination.distributions}
    for entry in examination.entries or ():
        found = installed.get(entry.name)
        if found is None or not entry.hashes or found.version != entry.version:
            continue
        if examination.unlisted(entry, found):
            yield codes.HASHES_WRONG(
                f"{entry.name} {entry.version} is installed from a file of that release of which "
                "the lock has not the hash.",
                package=entry.name,
                at=entry.origin,
                fix=Command.venvman("upgrade", entry.name),
            )


def targets(examination: Examination) -> Iterator[Finding]:
    """A lock that was not resolved for the environment's system or Python."""
    for each in examination.locks:
        for note in each.notes:
            if note.code in {"lock-of-other-targets", "lock-of-another-python"}:
                other_python = note.code == "lock-of-another-python"
                yield codes.LOCK_OF_OTHER_TARGETS(
                    f"{note.message} What only this one needs is not in it.",
                    path=examination.display(each.path),
                    severity=Severity.NOTE if other_python else None,
                    fix=note.fix or Advice("Freeze it with this Python, or sync with that one."),
                )


def _sentence(problem: Problem) -> str:
    return f"{problem.message} {problem.why}" if problem.why else problem.message
