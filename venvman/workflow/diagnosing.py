"""``doctor``: the facts that its checks look at, and what they find; nothing is changed."""

from __future__ import annotations

import os.path
from contextlib import closing, suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from venvman.doctor.diagnosis import Diagnosis
from venvman.doctor.diagnosis import diagnose as find
from venvman.doctor.examination import Audit, Examination, LockTracking
from venvman.doctor.repository import tracking_of
from venvman.doctor.table import Selection
from venvman.environment.ledger import Ledger, read_ledger
from venvman.environment.record import parse_record
from venvman.githooks.status import HooksReport, hooks_status
from venvman.index.advisories import SERVICE, advisories_in, asked
from venvman.model.errors import FileLine, GitError, Problem, VenvmanError
from venvman.model.sources import IndexFile, IndexSource
from venvman.requirements.file import exposed_lines
from venvman.requirements.header import read_header
from venvman.requirements.includes import resolve
from venvman.system import records
from venvman.system.files import make_private_folder
from venvman.system.git import try_git
from venvman.system.reading import read_regular, text_of
from venvman.system.secrets import REFERENCE
from venvman.workflow.checking import look, overrides
from venvman.workflow.inputs import limits_of, open_scan, sync_options
from venvman.workflow.requests import GroupChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from venvman.environment.inventory import Installed, Inventory
    from venvman.environment.neighbours import Neighbour
    from venvman.index.client import Index
    from venvman.lock.file import LockEntry
    from venvman.model.names import NormalizedName
    from venvman.model.options import IndexOptions
    from venvman.project.scan import Scan
    from venvman.workflow.context import Context

_VERIFIED = "verified 2"


def diagnose(
    context: Context,
    selection: Selection | None = None,
    groups: GroupChoice | None = None,
    *,
    verify_files: bool = False,
    deep: bool = False,
    audit: bool = False,
    advisories: str | None = None,
    with_packages: bool = False,
) -> Diagnosis:
    """Runs every check of ``selection``, and of the project's own, over the project.

    ``verify_files`` hashes every file that changed since it was right, with ``deep`` every one,
    ``audit`` asks what is known to be vulnerable, of a service
    or the copy of its database that ``advisories`` names.

    Raises:
        ConfigurationError: ``groups`` or the project's settings name what there is not.
    """
    chosen = (selection or Selection()).over(context.settings.doctor.value)
    examination = examine_project(context, groups, verify_files=verify_files)
    if audit:
        locks = [each.lock for each in examination.locks if each.lock is not None]
        options = sync_options(context, open_scan(context), locks)
        entries, inventory = examination.entries or (), examination.inventory
        asked = known_vulnerable(context, options, entries, inventory, advisories)
        examination = replace(examination, audit=asked)
    if not verify_files:
        return find(examination, chosen, with_packages=with_packages)
    path = context.directories.project_state(context.project.root) / "verified.json"
    # What was seen to be right, and the fact by which it is known again; see ``Examination``.
    before: dict[str, str] = records.load(path, _VERIFIED) or {}
    verified = {} if deep else dict(before)
    examination = replace(examination, verified=verified)
    diagnosis = find(examination, chosen, with_packages=with_packages)
    if verified != before:
        with suppress(OSError):
            make_private_folder(path.parent)
            records.save(path, _VERIFIED, verified)
    return diagnosis


def examine_project(
    context: Context, groups: GroupChoice | None = None, *, verify_files: bool = False
) -> Examination:
    """The facts that doctor's checks look at, where ``groups`` are installed."""
    context = context.looking()
    seen = look(context, groups or GroupChoice())
    paths = [each.path for each in seen.locks]
    tracking: Mapping[Path, LockTracking] = {}
    with suppress(GitError):  # where git is missing
        tracking = tracking_of(paths, root=context.project.root, variables=context.variables)
    ledger = cache(partial(read_ledger, seen.path))
    there = os.path.lexists(seen.path)
    return Examination(
        project=context.project,
        root=seen.path,
        condition=seen.condition,
        unfinished=seen.unfinished,
        active=context.variables.get("VIRTUAL_ENV") or None,
        python_conflict=seen.python_conflict,
        python_fix=seen.python_fix,
        has_sources=bool(seen.scan.sources),
        files=tuple(file.parsed for file in seen.scan.files if file.parsed is not None),
        requirements=seen.requirements,
        unused=tuple(_unused(context, seen.scan)),
        strayed=tuple(_strayed(context, seen.scan)),
        unset=tuple(_unset(context, seen.scan)),
        scan_problems=seen.requirement_problems or seen.scan.problems,
        locks=tuple(
            # Lines with credentials are there though the lock may not be readable.
            replace(each, tracking=tracking.get(each.path), exposed=exposed_lines(text, path=shown))
            for each in seen.locks
            for text, shown in ((text_of(each.path), context.project.display(each.path)),)
        ),
        entries=seen.entries,
        selection_problems=seen.selection_problems,
        inventory=seen.inventory,
        drift=seen.drift,
        keep=frozenset(seen.keep),
        target=seen.interpreter.target if seen.interpreter else None,
        overrides=overrides(context, seen.interpreter),
        hooks=_hooks(context),
        tracked=tuple(_rows(context, "ls-files", "-z", "--", str(seen.path))) if there else (),
        moved=_moved(context, seen.scan),
        verify_files=verify_files,
        library_folders=tuple(context.variables.get("LD_LIBRARY_PATH", "").split(":")),
        edited=partial(_edited, context, ledger),
        unlisted=partial(_unlisted, context, ledger),
        sharing=partial(_sharing, context),
    )


def _edited(context: Context, ledger_of: Callable[[], Ledger], installed: Installed) -> str | None:
    """A file whose hash in RECORD is not that of the wheel that venvman installed.

    A RECORD that is as it was written is not read, nor that of a wheel the store has no more.
    """
    from venvman.store.manifest import ManifestInvalid, read_manifest
    from venvman.store.store import location_of

    ledger = ledger_of()
    info = ledger.info_of(installed.metadata)
    row = ledger.distributions.get(info)
    if row is None or installed.installer != "venvman" or ledger.known(info) is not None:
        return None
    entry = location_of(context.directories.cache, row.sha256)
    try:
        manifest = read_manifest(read_regular(entry / "manifest.json"))
        text = read_regular(installed.metadata / "RECORD").decode("utf-8", "replace")
    except (OSError, ManifestInvalid):
        return None
    hashes = dict(zip(manifest.paths, manifest.hashes, strict=True))
    changed = (each.path for each in parse_record(text).rows if each.hash != hashes.get(each.path))
    return min((path for path in changed if path in hashes), default=None)


def _unlisted(
    context: Context, ledger_of: Callable[[], Ledger], entry: LockEntry, installed: Installed
) -> bool:
    """Whether the wheel that was installed is one of the release, and not one of ``entry``'s.

    What was built here from an sdist has a hash of its own; pages that are kept know.
    """
    ledger = ledger_of()
    known = ledger.known(ledger.info_of(installed.metadata))
    if known is None or known.direct or f"sha256:{known.sha256}" in entry.hashes:
        return False
    context.evidence.mark_uncacheable()
    index = context.open_index(replace(sync_options(context, open_scan(context), ()), offline=True))
    with closing(index), suppress(VenvmanError):
        files = _files_of(index, entry.name, entry.version)
        return any(f"sha256:{known.sha256}" in each.hashes for each in files)
    return False


def _strayed(context: Context, scan: Scan) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Locks without a role of which a source is gone; copies of other locks have all of theirs."""
    known = {file.path for file in scan.files}
    root = context.project.root
    for folder in (root, root / "requirements"):
        for path in sorted([*folder.glob("*.txt"), *folder.glob("*.lock")]):
            text = "" if path in known else text_of(path)
            header = read_header(text) if "autogenerated" in text[:400] else None
            named = (header.sources or header.noted) if header is not None else ()
            near = {name: (root / name, folder / name) for name in named}
            gone = [name for name in named if not any(each.exists() for each in near[name])]
            if gone:
                yield path, tuple(gone)


def _sharing(context: Context, files: Iterable[Path]) -> Mapping[Path, tuple[Neighbour, ...]]:
    """The environments with the same files; what they hold no answer of ours is watched for."""
    from venvman.environment.neighbours import sharing

    context.evidence.mark_uncacheable()
    return sharing(context.directories.state, files)


def _unset(context: Context, scan: Scan) -> Iterator[tuple[str, FileLine]]:
    """The variables that lines name and that are not set, or are empty."""
    for file in scan.files:
        for line in file.parsed.lines if file.parsed else ():
            for name in dict.fromkeys(REFERENCE.findall(line.origin.text.partition(" #")[0])):
                if not context.variables.get(name):
                    yield name, line.origin


def _unused(context: Context, scan: Scan) -> Iterator[Path]:
    """The files that are constraints by their name, and that nothing uses."""
    from venvman.project.roles import Role

    used = {
        resolve(str(file.path), line.target)
        for file in scan.files
        for line in (file.parsed.includes if file.parsed else ())
    }
    used |= {str(path) for source in scan.sources for path in source.limits}
    used.update(map(os.path.normpath, limits_of(context)))
    for file in scan.files:
        if file.role is Role.CONSTRAINTS and str(file.path) not in used:
            yield file.path


def _moved(context: Context, scan: Scan) -> Mapping[Path, str]:
    """What git says of the files that changed since the last commit: two letters for each."""
    top = context.project.git_root
    paths = [str(path) for source in scan.sources for path in (source.lock, *source.paths)]
    words = ("--no-optional-locks", "status", "--porcelain", "-z", "--no-renames", "--", *paths)
    rows = _rows(context, *words) if paths else ()
    return {top / row[3:]: row[:2] for row in rows if top is not None}


def _rows(context: Context, *words: str) -> list[str]:
    """What git says between NULs; nothing outside a repository, or where git is missing."""
    root, said = context.project.root, ""
    if context.project.git_root is not None:
        with suppress(GitError):
            done = try_git(*words, cwd=root, variables=context.variables)
            said = done.stdout if done.ok else ""
    return [row for row in said.split("\0") if row]


def _hooks(context: Context) -> HooksReport | None:
    """None outside git, or where git is missing."""
    if context.project.git_root is not None:
        with suppress(GitError):
            return hooks_status(context.project.root, variables=context.variables)
    return None


_AT_ONCE = 16


def known_vulnerable(
    context: Context,
    options: IndexOptions,
    entries: Sequence[LockEntry],
    inventory: Inventory | None,
    advisories: str | None,
) -> Audit:
    """Asks the service or reads the copy that ``advisories`` names (None: as configured)."""
    there = inventory.distributions if inventory is not None else ()
    known = [(each.name, each.version, each.source) for each in entries]
    known += [(each.name, each.version, each.source) for each in there]
    pins = sorted(
        {
            (name, version)
            for name, version, source in known
            if version is not None and isinstance(source, IndexSource)
        }
    )
    locked = {each.name for each in entries}
    chosen = context.settings.doctor.value
    where = advisories or chosen.advisories or SERVICE
    faults: list[Problem] = []
    found = {}
    try:
        if "://" in where:
            from venvman.index.session import Session

            with closing(
                Session(
                    options,
                    variables=context.variables,
                    home=context.home,
                    reporter=context.reporter,
                )
            ) as session:
                found = dict(asked(where, pins, session, context.directories.cache))
        else:
            base = context.cwd if advisories else context.project.root
            found = dict(advisories_in(base / Path(where).expanduser(), pins))
    except VenvmanError as error:
        faults += error.problems
    yanked: dict[tuple[NormalizedName, Version], str] = {}
    if not options.offline:
        yanked, more = _yanked(context, options, [pin for pin in pins if pin[0] in locked])
        faults += more
    return Audit(
        advisories=found, yanked=yanked, faults=tuple(faults), accepted=dict(chosen.accepted)
    )


def _yanked(
    context: Context, options: IndexOptions, pins: Sequence[tuple[NormalizedName, Version]]
) -> tuple[dict[tuple[NormalizedName, Version], str], list[Problem]]:
    """The pins all of whose files were yanked, with the reason; and what could not be asked."""
    from concurrent.futures import ThreadPoolExecutor

    with closing(context.open_index(options)) as index, ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = list(pool.map(lambda pin: _reason(index, *pin), pins))
    found = {pin: each for pin, each in zip(pins, asked, strict=True) if isinstance(each, str)}
    faults = {each for each in asked if each is not None and not isinstance(each, str)}
    return found, sorted(faults, key=lambda each: each.message)[:3]


def _files_of(
    index: Index, name: NormalizedName, version: Version | None, *, refresh: bool = False
) -> list[IndexFile]:
    """The files of a release."""
    project = index.project(name, refresh=refresh)
    files: list[IndexFile] = []
    for spelled in project.versions:
        try:
            if Version(spelled) == version:
                files += project.files(spelled)
        except InvalidVersion:
            continue
    return files


def _reason(index: Index, name: NormalizedName, version: Version) -> str | Problem | None:
    try:
        # Pages may count as fresh for minutes.
        files = _files_of(index, name, version, refresh=True)
    except VenvmanError as error:
        return error.problems[0]
    return files[0].yanked if files and all(each.yanked is not None for each in files) else None
