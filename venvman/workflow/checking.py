"""``status`` and ``doctor``: everything looked at, nothing changed, broken parts no obstacle."""

from __future__ import annotations

import json
import os.path
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from venvman.answers import LockState, StatusReport
from venvman.errors import (
    Command,
    EnvironmentUnusable,
    Fix,
    GitError,
    LockError,
    RequirementsError,
    Severity,
    VenvmanError,
)
from venvman.files import make_private_folder, write_atomically
from venvman.frozen import dataclass
from venvman.names import canonical
from venvman.reading import read_regular
from venvman.workflow.chosen import recall
from venvman.workflow.inputs import (
    choose_groups,
    limits_of,
    load_requirements,
    none_chosen,
    open_scan,
    overridden,
    sync_options,
)
from venvman.workflow.location import unfinished
from venvman.workflow.locks import check_locks, read_group_lock
from venvman.workflow.own import with_own
from venvman.workflow.requests import GroupChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from venvman.doctor.diagnosis import Diagnosis
    from venvman.doctor.examination import Audit, Examination, ExaminedLock, LockTracking
    from venvman.doctor.table import Selection
    from venvman.drift import Drift
    from venvman.environment.inspection import Condition
    from venvman.environment.inventory import Installed, Inventory
    from venvman.environment.neighbours import Neighbour
    from venvman.errors import FileLine, Problem
    from venvman.githooks import HooksReport
    from venvman.lock.file import Lock, LockEntry
    from venvman.lock.freshness import Freshness
    from venvman.names import NormalizedName
    from venvman.python.interpreters import Interpreter
    from venvman.requirements.groups import RequirementSet
    from venvman.scan import Scan, SourceFile
    from venvman.workflow.context import Context

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _LockLook:
    """One lock as far as it can be known: ``problems`` say why it could not be read."""

    source: SourceFile
    lock: Lock | None
    freshness: Freshness | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Everything both verbs start from. ``wanted`` are the groups that ``sync`` would install."""

    scan: Scan
    requirements: RequirementSet | None
    requirement_problems: tuple[Problem, ...]
    path: Path
    unfinished: Problem | None
    condition: Condition
    interpreter: Interpreter | None
    python_conflict: str | None
    python_fix: Fix
    locks: tuple[_LockLook, ...]
    wanted: tuple[str, ...]
    entries: tuple[LockEntry, ...] | None
    selection_problems: tuple[Problem, ...]
    inventory: Inventory | None
    drift: Drift | None
    keep: Mapping[NormalizedName, NormalizedName | None]


def status(context: Context, groups: GroupChoice | None = None) -> StatusReport:
    """One screen's worth: requirements, locks, environment, and what ``sync`` would change.

    Raises:
        ConfigurationError: ``groups`` names one that the project does not have.
    """
    from venvman.environment.history import History
    from venvman.plan import make_plan
    from venvman.workflow.recording import is_on_disk

    context = context.looking()
    look = _look(context, groups or GroupChoice())
    stated = look.requirements.groups if look.requirements else ()
    unasked = (
        (*look.requirements.left_out, *look.requirements.unreached) if look.requirements else ()
    )
    last = History(look.path).newest()
    return StatusReport(
        project=context.project,
        requirements=len({line.origin for group in stated for line in group.requirements}),
        locks=tuple(_lock_state(each, look.wanted) for each in look.locks),
        environment=look.path,
        inspection=_of_another_python(look),
        interpreter=look.interpreter,
        drift=look.drift,
        plan=None if look.drift is None else make_plan(look.drift, keep=look.keep),
        last=last,
        last_on_disk=last is not None and is_on_disk(context.project, last),
        problems=(
            *((look.unfinished,) if look.unfinished else ()),
            *(each for each in look.requirement_problems if each not in unasked),
            *(replace(each, severity=Severity.WARNING) for each in unasked),
            *(problem for each in look.locks for problem in each.problems),
            *look.selection_problems,
            *none_chosen(look.scan, look.wanted),
        ),
    )


def _of_another_python(look: _Look) -> Condition:
    """The environment's condition; one of another Python than is asked for is no use, either."""
    if look.python_conflict is None:
        return look.condition
    from venvman.environment.inspection import Broken

    return Broken(
        path=look.path, reason=look.python_conflict, code="other-python", fix=look.python_fix
    )


def diagnose(
    context: Context,
    selection: Selection | None = None,
    groups: GroupChoice | None = None,
    *,
    verify_files: bool = False,
    audit: bool = False,
    advisories: str | None = None,
) -> Diagnosis:
    """Runs every check of ``selection``, and of the project's own, over the project.

    ``verify_files`` hashes every file, ``audit`` asks what is known to be vulnerable, of a service
    or the copy of its database that ``advisories`` names.

    Raises:
        ConfigurationError: ``groups`` or the project's settings name what there is not.
    """
    from venvman.doctor.diagnosis import diagnose as find
    from venvman.doctor.table import Selection

    chosen = (selection or Selection()).over(context.settings.doctor.value)
    examination = examine_project(context, groups, verify_files=verify_files)
    if audit:
        examination = replace(examination, audit=_audited(context, examination, advisories))
    if not verify_files:
        return find(examination, chosen)
    path = context.directories.project_state(context.project.root) / "verified.json"
    verified = _read_verified(path)
    before = dict(verified)
    diagnosis = find(replace(examination, verified=verified), chosen)
    if verified != before:
        with suppress(OSError):
            make_private_folder(path.parent)
            write_atomically(path, json.dumps(verified).encode())
    return diagnosis


def _read_verified(path: Path) -> dict[str, str]:
    """What was seen to be right, and the fact by which it is known again; see ``Examination``."""
    try:
        found = json.loads(read_regular(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _audited(context: Context, examination: Examination, advisories: str | None) -> Audit:
    from venvman.workflow.auditing import audit

    locks = [each.lock for each in examination.locks if each.lock is not None]
    options = sync_options(context, open_scan(context), locks)
    return audit(context, options, examination.entries or (), examination.inventory, advisories)


def examine_project(
    context: Context, groups: GroupChoice | None = None, *, verify_files: bool = False
) -> Examination:
    """The facts that doctor's checks look at, where ``groups`` are installed."""
    from functools import partial

    from venvman.doctor.examination import Examination

    context = context.looking()
    look = _look(context, groups or GroupChoice())
    tracking = _tracking(context, [each.source.lock for each in look.locks])
    return Examination(
        project=context.project,
        place=look.path,
        condition=look.condition,
        unfinished=look.unfinished,
        active=context.variables.get("VIRTUAL_ENV") or None,
        python_conflict=look.python_conflict,
        python_fix=look.python_fix,
        has_sources=bool(look.scan.sources),
        files=tuple(file.parsed for file in look.scan.files if file.parsed is not None),
        requirements=look.requirements,
        unused=tuple(_unused(context, look.scan)),
        unset=tuple(_unset(context, look.scan)),
        scan_problems=look.requirement_problems or look.scan.problems,
        locks=tuple(
            _examined(context, each, tracking.get(each.source.lock)) for each in look.locks
        ),
        entries=look.entries,
        selection_problems=look.selection_problems,
        inventory=look.inventory,
        drift=look.drift,
        keep=frozenset(look.keep),
        target=look.interpreter.target if look.interpreter else None,
        overrides=_overridden(context, look.interpreter),
        hooks=_hooks(context),
        tracked=_tracked(context, look.path),
        moved=_moved(context, look.scan),
        verify_files=verify_files,
        library_folders=tuple(context.variables.get("LD_LIBRARY_PATH", "").split(":")),
        edited=partial(_edited, context, look.path),
        sharing=partial(_sharing, context),
    )


def _edited(context: Context, root: Path, installed: Installed) -> str | None:
    """A file whose hash in RECORD is not that of the wheel that venvman installed.

    A RECORD that is as it was written is not read, nor that of a wheel the store has no more.
    """
    from venvman.environment.ledger import read_ledger
    from venvman.environment.record import parse_record
    from venvman.store.manifest import ManifestInvalid, read_manifest
    from venvman.store.store import location_of

    real = os.path.realpath(root)
    info = os.path.relpath(os.path.realpath(installed.metadata), real).replace(os.sep, "/")
    ledger = read_ledger(real)
    row = ledger.distributions.get(info)
    if row is None or installed.installer != "venvman" or ledger.known(real, info) is not None:
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


def _sharing(context: Context, files: Iterable[Path]) -> Mapping[Path, tuple[Neighbour, ...]]:
    """The environments with the same files; what they hold no answer of ours is watched for."""
    from venvman.environment.neighbours import sharing

    context.evidence.mark_uncacheable()
    return sharing(context.directories.state, files)


def _unset(context: Context, scan: Scan) -> Iterator[tuple[str, FileLine]]:
    """The variables that lines name and that are not set, or are empty."""
    from venvman.secrets import REFERENCE

    for file in scan.files:
        for line in file.parsed.lines if file.parsed else ():
            for name in dict.fromkeys(REFERENCE.findall(line.origin.text.partition(" #")[0])):
                if not context.variables.get(name):
                    yield name, line.origin


def _unused(context: Context, scan: Scan) -> Iterator[Path]:
    """The files that are constraints by their name, and that nothing uses."""
    from venvman.requirements.includes import resolve
    from venvman.roles import Role

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


def _overridden(
    context: Context, interpreter: Interpreter | None
) -> Mapping[NormalizedName, tuple[str, ...]]:
    """Empty where the setting cannot be read, which is told elsewhere."""
    if interpreter is None:
        return {}
    found, _ = _or_problems(lambda: overridden(context, interpreter.target), RequirementsError)
    return found or {}


def _look(context: Context, groups: GroupChoice) -> _Look:
    groups = recall(context, groups)
    scan = open_scan(context, groups)
    wanted = choose_groups(scan, groups, configured=context.settings.groups.value)
    requirements, problems = _or_problems(
        lambda: load_requirements(context, scan, wanted), RequirementsError
    )
    problems += (*requirements.left_out, *requirements.unreached) if requirements else ()
    path, condition, interpreter, clash = _environment(context)
    locks = _locks(context, scan, requirements, interpreter, wanted)
    entries, selection_problems = _entries(context, scan, locks, wanted, interpreter)
    told = {reason.message for reason in _stale(locks)}  # a lock that has to give way says so
    selection_problems = tuple(each for each in selection_problems if each.message not in told)
    inventory = _inventory(condition)
    drift = None
    keep: Mapping[NormalizedName, NormalizedName | None]
    keep = dict.fromkeys(map(canonical, context.settings.keep.value))
    if entries is not None and inventory is not None and interpreter is not None:
        from venvman.drift import compare
        from venvman.plan import kept

        drift = compare(entries, inventory, root=context.project.root)
        keep = kept(
            drift,
            inventory,
            keep,
            interpreter.target,
            locked=[entry.name for entry in entries],
            overridden=_overridden(context, interpreter),
        )
    return _Look(
        scan=scan,
        requirements=requirements,
        requirement_problems=problems,
        path=path,
        unfinished=_unfinished(context, path),
        condition=condition,
        interpreter=interpreter,
        python_conflict=clash,
        python_fix=_python_fix(context) if clash else _RECREATE,
        locks=locks,
        wanted=wanted,
        entries=entries,
        selection_problems=selection_problems,
        inventory=inventory,
        drift=drift,
        keep=keep,
    )


def _unfinished(context: Context, path: Path) -> Problem | None:
    """What a killed command left; also that nobody may see whether one left something."""
    from venvman.errors import Problem
    from venvman.files import permit
    from venvman.seal import STATE

    state = path / STATE
    if not os.path.lexists(state) or os.access(state, os.R_OK | os.X_OK):
        return unfinished(context, path)
    shown = context.project.display(state)
    return Problem(
        code="state-unreadable",
        message=f"{shown} cannot be read, so that nobody knows whether a command was stopped.",
        path=shown,
        fix=permit("u+rwX", state, below=True),
    )


_RECREATE = Command.venvman("sync", "--recreate")


def _python_fix(context: Context) -> Fix:
    """A new environment, or first the Python that is asked for, where it is not here."""
    from venvman.workflow.location import interpreter_to_be

    _, problems = _or_problems(lambda: interpreter_to_be(context), EnvironmentUnusable)
    return next((each.fix for each in problems if each.fix), _RECREATE)


def _stale(locks: tuple[_LockLook, ...]) -> tuple[Problem, ...]:
    from venvman.lock.freshness import Stale

    return tuple(
        reason
        for each in locks
        if isinstance(each.freshness, Stale)
        for reason in each.freshness.reasons
    )


def _or_problems(
    work: Callable[[], T], *errors: type[VenvmanError]
) -> tuple[T | None, tuple[Problem, ...]]:
    """What ``work`` gives, or the problems of the error that stopped it."""
    try:
        return work(), ()
    except errors as error:
        return None, error.problems


def _environment(context: Context) -> tuple[Path, Condition, Interpreter | None, str | None]:
    """Where the environment is, its condition, its interpreter or the one it would get."""
    from venvman.environment.inspection import Environment, conflict, inspect
    from venvman.environment.lifecycle import locate
    from venvman.python.interpreters import request_of
    from venvman.workflow.location import interpreter_to_be

    path = locate(context.project, context.settings)
    condition = inspect(path, directories=context.directories)
    wanted = request_of(context.project, context.settings, cwd=context.cwd)
    if isinstance(condition, Environment):
        clash, faults = _or_problems(
            lambda: conflict(condition, wanted, directories=context.directories),
            EnvironmentUnusable,
        )
        clash = faults[0].message if faults else clash
        return path, condition, condition.interpreter, clash
    chosen, faults = _or_problems(lambda: interpreter_to_be(context), VenvmanError)
    untrusted = [each.message for each in faults if each.code == "interpreter-untrusted"]
    return path, condition, chosen, untrusted[0] if untrusted else None


def _locks(
    context: Context,
    scan: Scan,
    requirements: RequirementSet | None,
    interpreter: Interpreter | None,
    wanted: tuple[str, ...],
) -> tuple[_LockLook, ...]:
    freshness_by_group = _freshness(context, requirements, interpreter, wanted)
    return tuple(
        _lock(context, source, freshness_by_group.get(source.group))
        for source in scan.sources
        if source.group in wanted or source.lock.exists()  # no lock is made of others unasked
    )


def _freshness(
    context: Context,
    requirements: RequirementSet | None,
    interpreter: Interpreter | None,
    wanted: tuple[str, ...],
) -> Mapping[str, Freshness]:
    """By group; empty where the requirements or a lock cannot be read, which is told elsewhere."""
    if requirements is None or interpreter is None:
        return {}
    checked, _ = _or_problems(
        lambda: check_locks(context, requirements, interpreter.target, together=wanted),
        LockError,
    )
    return {each.group.name: each.freshness for each in checked or ()}


def _lock(context: Context, source: SourceFile, freshness: Freshness | None) -> _LockLook:
    lock, problems = _or_problems(lambda: read_group_lock(context, source.lock), LockError)
    return _LockLook(source=source, lock=lock, freshness=freshness, problems=problems)


def _entries(
    context: Context,
    scan: Scan,
    locks: tuple[_LockLook, ...],
    wanted: tuple[str, ...],
    interpreter: Interpreter | None,
) -> tuple[tuple[LockEntry, ...] | None, tuple[Problem, ...]]:
    """What this interpreter should hold; None where a wanted lock is missing or unreadable."""
    from venvman.lock.selection import select

    if interpreter is None:
        return None, ()
    chosen = []
    for each in locks:
        if each.source.group not in wanted:
            continue
        if each.lock is None:
            return None, ()
        chosen.append((context.project.display(each.source.lock), each.lock))
    return _or_problems(
        lambda: with_own(context, scan, wanted, select(chosen, interpreter.target)), LockError
    )


def _inventory(condition: Condition) -> Inventory | None:
    from venvman.environment.inspection import Environment
    from venvman.environment.inventory import take_inventory

    return take_inventory(condition) if isinstance(condition, Environment) else None


def _lock_state(each: _LockLook, wanted: Sequence[str]) -> LockState:
    return LockState(
        group=each.source.group,
        sources=each.source.paths,
        path=each.source.lock,
        pins=len(each.lock.entries) if each.lock else 0,
        freshness=each.freshness,
        synced=each.source.group in wanted,
    )


def _examined(context: Context, each: _LockLook, tracking: LockTracking | None) -> ExaminedLock:
    from venvman.doctor.examination import ExaminedLock
    from venvman.lock.freshness import Fresh, Stale

    stale = each.freshness.reasons if isinstance(each.freshness, Stale) else ()
    return ExaminedLock(
        group=each.source.group,
        path=each.source.lock,
        sources=each.source.paths,
        lock=each.lock,
        problems=each.problems,
        stale=stale if each.lock is not None else (),
        notes=each.freshness.notes if isinstance(each.freshness, Fresh) else (),
        tracking=tracking,
        exposed=_exposed(context, each.source.lock),
    )


def _exposed(context: Context, lock: Path) -> tuple[FileLine, ...]:
    """The lines of ``lock`` with credentials; they are there though it may not be readable."""
    from venvman.requirements.file import exposed_lines

    try:
        text = read_regular(lock).decode("utf-8", "replace")
    except OSError:
        return ()
    return exposed_lines(text, path=context.project.display(lock))


def _tracking(context: Context, locks: Sequence[Path]) -> Mapping[Path, LockTracking]:
    """Empty outside git, or where git is missing."""
    from venvman.doctor.tracking import tracking_of

    found, _ = _or_problems(
        lambda: tracking_of(locks, root=context.project.root, variables=context.variables),
        GitError,
    )
    return found or {}


def _tracked(context: Context, environment: Path) -> tuple[str, ...]:
    """What git tracks of ``environment``, relative to the root."""
    from venvman.git import try_git

    root = context.project.root
    if context.project.git_root is None or not os.path.lexists(environment):
        return ()
    words = ("ls-files", "-z", "--", str(environment))
    found, _ = _or_problems(
        lambda: try_git(*words, cwd=root, variables=context.variables), GitError
    )
    return tuple(filter(None, found.stdout.split("\0"))) if found and found.ok else ()


def _moved(context: Context, scan: Scan) -> Mapping[Path, str]:
    """What git says of the files that changed since the last commit: two letters for each."""
    from venvman.git import try_git

    top = context.project.git_root
    paths = [path for source in scan.sources for path in (source.lock, *source.paths)]
    if top is None or not paths:
        return {}
    words = ("status", "--porcelain", "-z", "--no-renames", "--", *map(str, paths))
    found, _ = _or_problems(
        lambda: try_git("--no-optional-locks", *words, cwd=top, variables=context.variables),
        GitError,
    )
    rows = found.stdout.split("\0") if found is not None and found.ok else ()
    return {top / row[3:]: row[:2] for row in rows if row}


def _hooks(context: Context) -> HooksReport | None:
    """None outside git, or where git is missing."""
    from venvman.githooks import hooks_status

    if context.project.git_root is None:
        return None
    found, _ = _or_problems(
        lambda: hooks_status(context.project.root, variables=context.variables), GitError
    )
    return found
