"""VM5: are the files still there that each RECORD lists, and (if asked) still what they were.

That they are there is always looked at: one system call for a file. Their contents are read only
for ``Examination.verify_files``.
"""

from __future__ import annotations

import os
import time
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.doctor.recorded import RECREATE, Looked, Read, Recorded, as_recorded, look_at, verify
from venvman.model.errors import Command
from venvman.system.files import permit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Finding
    from venvman.environment.neighbours import Neighbour
    from venvman.model.names import NormalizedName

_RECREATE_VERIFIED = replace(
    Command.venvman("cache", "verify").then("sync", "--recreate"), always=True
)


def state(examination: Examination) -> Iterator[Finding]:
    """What is wrong with the files that each RECORD lists."""
    everything = examination.recorded
    looked = [look_at(each) for each in everything]
    yield from _presence(examination, everything, looked)
    if examination.verify_files:
        yield from _contents(examination, everything, looked)


def _presence(
    examination: Examination, everything: Sequence[Recorded], looked: Sequence[Looked]
) -> Iterator[Finding]:
    """Files that a RECORD lists and that are gone, cannot be used, or lie where none may reach."""
    yield from _elsewhere(examination, everything)
    links = {
        site: _links_in(site) for site in {each.installed.metadata.parent for each in everything}
    }
    shrunk: list[tuple[Recorded, list[str]]] = []
    writable: list[str] = []
    for each, found in zip(everything, looked, strict=True):
        name = each.installed.name
        record = examination.display(each.installed.metadata / "RECORD")
        if found.missing:
            yield codes.FILE_MISSING(
                f"{len(found.missing)} of the {found.total} files of {name} "
                f"{('is' if len(found.missing) == 1 else 'are')} missing, first "
                f"{examination.display(Path(found.missing[0]))}.",
                package=name,
                path=examination.display(Path(found.missing[0])),
                fix=again(examination, name),
            )
        for link in (*found.links, *_linked_tops(each, links[each.installed.metadata.parent])):
            # Some installers link all, metadata too.
            linked = each.is_elsewhere or (each.installed.metadata / "METADATA").is_symlink()
            if not linked and not os.path.realpath(link).startswith(f"{each.root}/"):
                shown = examination.display(Path(link))
                yield codes.FILE_CHANGED(
                    f"{shown} of {name} is a link to {os.path.realpath(link)}, outside the "
                    "environment.",
                    package=name,
                    path=shown,
                    fix=RECREATE,
                )
        for path, what, fix in found.unusable:
            shown = examination.display(Path(path))
            yield codes.FILE_CHANGED(
                f"{shown} of {name} {what}.", package=name, path=shown, fix=fix
            )
        if found.outside and not each.is_elsewhere:
            yield codes.FILE_OUTSIDE(
                f"The RECORD of {name} lists {found.outside[0]}, which lies outside the "
                "environment; venvman will never touch it.",
                package=name,
                path=record,
                fix=RECREATE,
            )
        edited = examination.edited(each.installed)
        if edited is not None and found.fault is None:
            yield codes.RECORD_FAULTY(
                f"The RECORD of {name} was changed after the installation: it has another hash of "
                f"{edited} than the wheel.",
                package=name,
                path=record,
                fix=again(examination, name),
            )
        if found.fault is not None:
            yield codes.RECORD_FAULTY(
                f"The RECORD of {name} {found.fault}.", package=name, path=record, fix=RECREATE
            )
        writable += found.writable
        if found.shrunk and not examination.verify_files:
            shrunk.append((each, found.shrunk))
    # Files that every user of the machine may change, all in one finding.
    if writable:
        first = examination.display(Path(writable[0]))
        yield codes.FILE_WRITABLE(
            f"{len(writable)} installed file{'s' if len(writable) > 1 else ''} can be changed by "
            f"every user of this machine, first {first}.",
            path=first,
            fix=permit("o-w", examination.root, below=True),
        )
    yield from _changed_files(examination, everything, shrunk)


def _elsewhere(examination: Examination, everything: Iterable[Recorded]) -> Iterator[Finding]:
    """Folders for packages that are links to somewhere else: nothing in them is this one's."""
    for folder in dict.fromkeys(
        each.installed.metadata.parent for each in everything if each.is_elsewhere
    ):
        shown = examination.display(folder)
        yield codes.FILE_OUTSIDE(
            f"{shown} leads to {os.path.realpath(folder)}, outside the environment.",
            path=shown,
            fix=RECREATE,
        )


def _contents(
    examination: Examination, everything: Sequence[Recorded], looked: Sequence[Looked]
) -> Iterator[Finding]:
    """Files whose bytes are no longer those that were installed.

    What was seen to be right and has had the same inodes, sizes and times since is not read again.
    """
    known = examination.verified
    # The same as long as RECORD, and inode, size and times of every file in it, are.
    facts = {
        str(each.installed.metadata): f"{crc} {hash(tuple(found.facts))}"
        for each, found in zip(everything, looked, strict=True)
        for crc in (zlib.crc32(each.text.encode("utf-8", "surrogateescape")),)
    }
    youngest = {
        str(each.installed.metadata): max((*found.facts[2::4], *found.facts[3::4]), default=0)
        for each, found in zip(everything, looked, strict=True)
    }
    unread = [
        each
        for each in everything
        if known.get(path := str(each.installed.metadata)) != facts[path]
    ]
    damaged: list[tuple[Recorded, list[str]]] = []
    settled = time.time_ns() - _YOUNG_NS
    for each, changed, problems in _read(unread):
        for problem in problems:
            yield codes.RECORD_FAULTY(
                f"The RECORD of {each.installed.name} cannot be trusted. {problem.message}",
                package=each.installed.name,
                path=examination.display(each.installed.metadata / "RECORD"),
                line=problem.line,
                fix=RECREATE,
            )
        if changed:
            damaged.append((each, changed))
        elif not problems and youngest[str(each.installed.metadata)] < settled:
            known[str(each.installed.metadata)] = facts[str(each.installed.metadata)]
    yield from _changed_files(examination, everything, damaged)


def _read(unread: Sequence[Recorded]) -> Iterator[Read]:
    """What reading the files of each shows."""
    if unread:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            yield from pool.map(verify, unread)


# In the grain of a file system's clock, which may be two seconds, a change leaves no trace.
_YOUNG_NS = 2_000_000_000


def _changed_files(
    examination: Examination,
    everything: Iterable[Recorded],
    damaged: list[tuple[Recorded, list[str]]],
) -> Iterator[Finding]:
    """A finding for each of ``damaged``, but for files that are those of another owner."""
    if not damaged:
        return
    files = {file for _, changed in damaged for file in changed}
    owned = {file for each in everything for file in as_recorded(each, files)}
    damaged = [(each, [file for file in changed if file not in owned]) for each, changed in damaged]
    sharing = examination.sharing(Path(file) for _, changed in damaged for file in changed)
    for each, changed in damaged:
        if changed:
            others = [other for file in changed for other in sharing.get(Path(file), ())]
            yield _changed(examination, each, changed, others)


def _changed(
    examination: Examination, each: Recorded, changed: list[str], sharing: list[Neighbour]
) -> Finding:
    name, first = each.installed.name, examination.display(Path(changed[0]))
    others = sorted({str(other.path) for other in sharing} - {each.root})
    return codes.FILE_CHANGED(
        f"{len(changed)} of the files of {name} {'was' if len(changed) == 1 else 'were'} changed "
        f"after the installation, first {first}.{_also_in(others)}",
        package=name,
        path=first,
        fix=_RECREATE_VERIFIED if _looks_untouched(changed, each) else again(examination, name),
    )


def again(examination: Examination, name: NormalizedName) -> Command:
    """Installs ``name`` again; all of the environment where no lock names it."""
    if any(entry.name == name for entry in examination.entries or ()):
        return Command.venvman("sync", "--reinstall", name)
    return RECREATE


def _also_in(others: list[str]) -> str:
    """A sentence more where the file is other environments', too."""
    if not others:
        return ""
    count = "another environment" if len(others) == 1 else f"{len(others)} other environments"
    return f" Hard links make it the same in {count}, to be fixed, too: {', '.join(others)}."


def _looks_untouched(files: list[str], each: Recorded) -> bool:
    """Whether a file that the store may share has the time of the installation, in spite of all.

    Then linking it again would not notice anything.
    """
    try:
        installed = (each.installed.metadata / "METADATA").lstat().st_mtime_ns
        found = [os.lstat(file) for file in files]
    except OSError:
        return False
    return any(each.st_nlink > 1 and each.st_mtime_ns == installed for each in found)


def _linked_tops(each: Recorded, links: set[str]) -> set[str]:
    """The folders of ``each`` in site-packages that are among its ``links``."""
    site = each.installed.metadata.parent
    tops = {path.partition("/")[0] for path, _ in each.rows} if links else set()
    return {f"{site}/{top}" for top in tops & links}


def _links_in(folder: Path) -> set[str]:
    with os.scandir(folder) as entries:
        return {entry.name for entry in entries if entry.is_symlink() and entry.is_dir()}
