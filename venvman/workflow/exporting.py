"""``export``: the locks as a file for others, on stdout or where somebody says."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING

from venvman.answers import ExportOutcome
from venvman.lock.file import Lock, LockEntry, sort_key
from venvman.lock.selection import select
from venvman.model.errors import Advice, LockError, Problem, Severity
from venvman.model.frozen import dataclass
from venvman.requirements.header import EXPORTED, LockHeader
from venvman.system.files import write_atomically
from venvman.system.reading import read_regular
from venvman.workflow.filling import filled, with_own_header
from venvman.workflow.graphing import read_locked
from venvman.workflow.inputs import choose_groups, open_scan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from venvman.workflow.context import Context
    from venvman.workflow.requests import GroupChoice


_COMMAND = "venvman export"


class ExportFormat(str, Enum):
    """What is written: what pip installs, what PEP 751 has, or what limits others."""

    REQUIREMENTS = "requirements"
    PYLOCK = "pylock"
    CONSTRAINTS = "constraints"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """``output`` is absolute, None for nowhere; ``yes`` replaces what lies there."""

    form: ExportFormat = ExportFormat.REQUIREMENTS
    output: Path | None = None
    groups: GroupChoice
    hashes: bool = True
    yes: bool = False


def export(context: Context, request: ExportRequest) -> ExportOutcome:
    """The locks of the groups as one text; written where ``output`` says.

    Raises:
        LockError: a lock is missing or cannot be read, two disagree, or something else is in the
            way (``export-in-the-way``).
    """
    context = context.looking()
    scan = open_scan(context, request.groups)
    names = choose_groups(scan, request.groups, configured=context.settings.groups.value)
    locked = read_locked(context, names)
    problems = list(locked.problems)
    paths = {each.group: context.project.display(each.lock) for each in scan.sources}
    select([(paths[each.name], each.lock) for each in locked.groups], locked.target)
    lock = _united([each.lock for each in locked.groups])
    if request.form is ExportFormat.PYLOCK:
        from venvman.lock.pylock import render_pylock

        lock = with_own_header(lock)
        header = replace(lock.header, command=f"{_COMMAND} --format pylock")
        text = render_pylock(
            filled(context, replace(lock, header=header)),
            path=request.output.name if request.output else "pylock.toml",
            root=request.output.parent if request.output else context.project.root,
        )
    else:
        if request.form is ExportFormat.CONSTRAINTS:
            lock, left = _limits(lock)
            problems += left
        text = _as_requirements(lock, request)
    if request.output is not None:
        _require_free(request.output, context, yes=request.yes)
        write_atomically(request.output, text.encode())
    return ExportOutcome(
        project=context.project,
        form=request.form.value,
        path=request.output,
        groups=names,
        count=len(lock.entries),
        text=text,
        problems=tuple(problems),
    )


def _united(locks: Sequence[Lock]) -> Lock:
    """The pins of all ``locks``, each pin once, wherever one of them has it."""
    rows: dict[tuple[object, ...], list[LockEntry]] = {}
    for entry in (each for lock in locks for each in lock.entries):
        rows.setdefault((entry.name, entry.version, entry.source), []).append(entry)
    entries = (reduce(_joined, each) for each in rows.values())
    first = next((each for each in locks if each.header.is_complete), locks[0])
    return Lock(
        entries=tuple(sorted(entries, key=sort_key)),
        header=first.header,
        options=tuple(dict.fromkeys(line for lock in locks for line in lock.options)),
    )


def _joined(one: LockEntry, two: LockEntry) -> LockEntry:
    """Two pins that differ in no more than where they count, and for whom."""
    from packaging.markers import Marker

    marker = one.marker
    if one.marker is None or two.marker is None:
        marker = None
    elif one.marker != two.marker:
        marker = Marker(f"({one.marker}) or ({two.marker})")
    return replace(
        one,
        marker=marker,
        extras=one.extras | two.extras,
        hashes=tuple(sorted({*one.hashes, *two.hashes})),
        via=tuple(sorted({*one.via, *two.via})),
        files=one.files or two.files,
    )


def _limits(lock: Lock) -> tuple[Lock, list[Problem]]:
    """What pip takes as constraints: no folders, no extras, no hashes."""
    kept = [each for each in lock.entries if each.source.is_file or not each.source.editable]
    left = [
        Problem(
            code="export-left-out",
            severity=Severity.WARNING,
            message=f"{each} is left out: a constraint cannot be editable.",
        )
        for each in lock.entries
        if each not in kept
    ]
    entries = tuple(replace(each, extras=frozenset(), hashes=()) for each in kept)
    return replace(lock, entries=entries, options=()), left


def _as_requirements(lock: Lock, request: ExportRequest) -> str:
    from venvman.lock.render import render_lock

    command = f"{_COMMAND} --format {request.form.value}"
    command += "" if request.hashes else " --no-hashes"
    entries = lock.entries
    if not request.hashes:
        entries = tuple(replace(each, hashes=()) for each in entries)
    header = LockHeader(text=f"{EXPORTED} by `{command}`.", tool="venvman")
    return render_lock(replace(lock, entries=entries, header=header))


def _require_free(path: Path, context: Context, *, yes: bool) -> None:
    """Nothing that ``export`` did not write is replaced unasked.

    Raises:
        LockError: ``export-in-the-way``.
    """
    try:
        text = read_regular(path).decode("utf-8", errors="replace")
    except OSError:
        return
    own = text.startswith(EXPORTED) or f'\ncommand = "{_COMMAND}' in text
    if yes or own or not text.strip():
        return
    shown = context.project.display(path)
    raise LockError(
        f"{shown} is there, and `venvman export` did not write it.",
        code="export-in-the-way",
        path=shown,
        fix=Advice("Name another file, or add --yes to replace it."),
    )
