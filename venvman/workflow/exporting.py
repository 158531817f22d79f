"""``export``: the locks as a file for others, on stdout or where somebody says."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from functools import reduce
from typing import TYPE_CHECKING

from packaging.markers import Marker

from venvman.lock.file import Lock, LockEntry, select, sort_key
from venvman.lock.pylock import render_pylock
from venvman.lock.render import render_lock
from venvman.model.errors import Advice, LockError, Problem, Severity
from venvman.outcomes import ExportOutcome
from venvman.requirements.header import EXPORTED, LockHeader
from venvman.system.files import write_atomically
from venvman.system.reading import text_of
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


def export(
    context: Context,
    form: ExportFormat,
    groups: GroupChoice,
    *,
    output: Path | None = None,
    hashes: bool = True,
    yes: bool = False,
) -> ExportOutcome:
    """The locks of ``groups`` as one text; written to ``output`` (absolute) where that is given.

    ``yes`` replaces what lies there.

    Raises:
        LockError: a lock is missing or cannot be read, two disagree, or something else is in the
            way (``export-in-the-way``).
    """
    context = context.looking()
    scan = open_scan(context, groups)
    names = choose_groups(context, scan, groups)
    locked = read_locked(context, names)
    problems = list(locked.problems)
    paths = {each.group: context.project.display(each.lock) for each in scan.sources}
    select([(paths[each.name], each.lock) for each in locked.groups], locked.target)
    lock = _united([each.lock for each in locked.groups])
    if form is ExportFormat.PYLOCK:
        lock = with_own_header(lock)
        header = replace(lock.header, command=f"{_COMMAND} --format pylock")
        text = render_pylock(
            filled(context, replace(lock, header=header)),
            path=output.name if output else "pylock.toml",
            root=output.parent if output else context.project.root,
        )
    else:
        if form is ExportFormat.CONSTRAINTS:
            lock, left = _limits(lock)
            problems += left
        command = f"{_COMMAND} --format {form.value}{'' if hashes else ' --no-hashes'}"
        entries = lock.entries
        if not hashes:
            entries = tuple(replace(each, hashes=()) for each in entries)
        header = LockHeader(text=f"{EXPORTED} by `{command}`.", tool="venvman")
        text = render_lock(replace(lock, entries=entries, header=header))
    if output is not None:
        _require_free(output, context, yes=yes)
        write_atomically(output, text.encode())
    return ExportOutcome(
        project=context.project,
        form=form.value,
        path=output,
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


def _require_free(path: Path, context: Context, *, yes: bool) -> None:
    """Nothing that ``export`` did not write is replaced unasked.

    Raises:
        LockError: ``export-in-the-way``.
    """
    text = text_of(path)
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
