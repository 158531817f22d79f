"""Journal: the steps that turn the old environment into the new one, and what carries them out.

While a transaction runs, all that is new and all that is old lies in one folder on the
environment's own filesystem, ``.venvman/stage``. A step moves something out of the environment
into a slot of that folder (``take``) or out of a slot into the environment (``put``), or makes or
removes an empty folder. Slots are used once, so the disk itself says how far a killed process
came: a ``take`` has begun when its slot is there, a ``put`` has ended when its slot is gone. Steps
run in order; thus after a crash the last one that has begun tells where to go on, and every step
may be repeated.

The commit point is the journal's own rename into place, synced before the first step. From there
on the transaction is finished by whoever comes next; when a step cannot be done, all are undone.
"""

from __future__ import annotations

import errno
import os
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from venvman.environment.record import is_within
from venvman.system import records
from venvman.system.writing import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

STAGE = ".venvman/stage"
JOURNAL = ".venvman/journal.json"
_KIND = "journal 2"
_OCCUPIED = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EXDEV, errno.EISDIR, errno.ENOTDIR})


class Kind(str, Enum):
    """What a step does; ``slot`` is empty for the last two."""

    TAKE = "take"
    PUT = "put"
    MAKE = "mkdir"
    DROP = "rmdir"


class Step(NamedTuple):
    """``path`` is relative to the environment's root, ``slot`` to :data:`STAGE`."""

    kind: Kind
    path: str
    slot: str = ""


def write_journal(root: str, steps: Sequence[Step]) -> None:
    """The commit point: when this returns, the transaction will be finished whatever happens.

    Raises:
        OSError: it could not be written; then nothing was committed.
    """
    content = records.sealed(root, "journal.json", _KIND, steps)
    replace(f"{root}/{JOURNAL}", content, synced=True, alone=True)


def read_journal(root: str) -> tuple[Step, ...] | None:
    """The steps of an unfinished transaction, or None where there is none.

    Raises:
        InstallError: there is one that this user did not write here, that is damaged, or in a
            format that this version does not know (``journal-unreadable``).
    """
    path = f"{root}/{JOURNAL}"
    if not os.path.lexists(path):
        return None
    try:
        found = records.read(root, "journal.json", _KIND)
        if found is None:
            raise ValueError("it is damaged, or venvman did not write it here")
        steps = tuple(Step(Kind(kind), path, slot) for kind, path, slot in found)
        _check(steps, root)
        return steps
    except ValueError as error:
        from venvman.model.errors import Command, InstallError

        raise InstallError(
            f"An unfinished sync left a journal that cannot be read: {error}.",
            code="journal-unreadable",
            path=path,
            why="Nothing of it is carried out. What it would have finished nobody knows.",
            fix=Command.venvman("sync", "--recreate"),
        ) from error


def _check(steps: Iterable[Step], root: str) -> None:
    seen: dict[str, bool] = {}
    for step in steps:
        moves = step.kind in (Kind.TAKE, Kind.PUT)
        # A ``put`` of a whole slot goes to the root itself.
        inside = step.path == "" and step.kind is Kind.PUT
        if not (inside or is_within(step.path, root, seen=seen)):
            raise ValueError(f"{step.path!r} lies outside of the environment")
        if moves and not is_within(step.slot, f"{root}/{STAGE}"):
            raise ValueError(f"{step.slot!r} lies outside of the stage")


def apply(root: str, steps: Sequence[Step], *, observe: Callable[[str], None]) -> tuple[str, ...]:
    """Carries out ``steps`` from where an earlier attempt stopped, and drops their journal.

    Returns what should be in place now and is not (paths relative to ``root``). ``observe`` is told
    once at the start, then before each step. Any exception that is not an :class:`OSError`, Ctrl-C
    for one, is raised only after the rest has been done.

    Raises:
        OSError: a step could not be done; the environment is as it was, all steps undone.
        InstallError: nor could the steps be undone (``transaction-stuck``); the journal stays, and
            the next attempt may.
    """
    number = _begun(root, steps)
    try:
        observe("committed")
        while number < len(steps):
            observe(f"step {number}: {steps[number].kind.value} {steps[number].path}")
            _do(root, steps[number])
            number += 1
    except OSError as error:
        # Folders show no sign of an earlier attempt, which may have come that much further.
        while number + 1 < len(steps) and not steps[number + 1].slot:
            number += 1
        _undo_all(root, steps[: number + 1], error)
        os.unlink(f"{root}/{JOURNAL}")
        raise
    except BaseException:
        apply(root, steps, observe=unobserved)
        raise
    final = {step.path: step.kind in (Kind.PUT, Kind.MAKE) for step in steps}
    missing = (path for path in final if final[path] and not os.path.lexists(f"{root}/{path}"))
    found = tuple(missing)
    os.unlink(f"{root}/{JOURNAL}")
    return found


def move(source: str, target: str) -> None:
    """Renames ``source`` to ``target``, and ends what an interrupted call began.

    A folder that cannot be renamed as one, because the target is there or because it lies in a
    lower layer of an overlay filesystem (EXDEV), is moved entry by entry. Without ``source``
    nothing is done where ``target`` exists.

    Raises:
        OSError: neither is there, or the filesystem refuses.
    """
    try:
        os.rename(source, target)
    except FileNotFoundError:
        if os.path.lexists(source) or not os.path.lexists(target):
            raise
    except OSError as error:
        if error.errno not in _OCCUPIED:
            raise
        if os.path.isdir(source) and not os.path.islink(source):
            _merge(source, target)
        elif error.errno == errno.EXDEV:
            _carry(source, target)
        else:
            raise


def _merge(source: str, target: str) -> None:
    if not os.path.isdir(target):
        import shutil

        os.mkdir(target)
        shutil.copystat(source, target)
    for name in sorted(os.listdir(source)):
        move(f"{source}/{name}", f"{target}/{name}")
    os.rmdir(source)


def _carry(source: str, target: str) -> None:
    """Moves one file to another filesystem; the target is whole or absent."""
    import shutil

    beside = f"{target}.venvman-part"
    shutil.copy2(source, beside, follow_symlinks=False)
    os.replace(beside, target)
    os.unlink(source)


def _begun(root: str, steps: Sequence[Step]) -> int:
    """The last step that has begun, 0 for none; all before it have ended."""
    for number in range(len(steps) - 1, -1, -1):
        if _has_begun(f"{root}/{STAGE}", steps[number]):
            return number
    return 0


def _has_begun(stage: str, step: Step) -> bool:
    """Whether the disk shows that ``step`` has; folders made or removed leave no such sign."""
    if step.kind is Kind.TAKE:
        return os.path.lexists(f"{stage}/{step.slot}")
    if step.kind is not Kind.PUT or os.path.lexists(f"{stage}/{step.slot}"):
        return False
    # A part of what an earlier step is to take out is not there before that step either.
    top = step.slot.partition("/")[0]
    return top == step.slot or os.path.lexists(f"{stage}/{top}")


def _do(root: str, step: Step) -> None:
    path = f"{root}/{step.path}"
    if step.kind is Kind.TAKE:
        # What somebody else has removed by now need not be taken.
        if os.path.lexists(path):
            move(path, _slot(root, step))
    elif step.kind is Kind.PUT:
        move(_slot(root, step), path)
    elif step.kind is Kind.MAKE:
        _make(path)
    else:
        _drop(path)


def _undo_all(root: str, steps: Sequence[Step], cause: OSError) -> None:
    try:
        for step in reversed(steps):
            _undo(root, step)
    except OSError as error:
        from venvman.model.errors import Advice, InstallError

        raise InstallError(
            f"The environment is between two states: {cause.strerror}, and then, on the way back,"
            f" {error.strerror}.",
            code="transaction-stuck",
            path=root,
            text=str(error.filename or cause.filename or ""),
            why="Its journal is kept: the next command finishes or reverts the rest by itself.",
            fix=Advice("Fix what the system says, then run the command again."),
        ) from cause


def _undo(root: str, step: Step) -> None:
    path, slot = f"{root}/{step.path}", _slot(root, step)
    if step.kind is Kind.TAKE:
        if os.path.lexists(slot):
            move(slot, path)
    elif step.kind is Kind.PUT:
        if os.path.lexists(path):
            move(path, slot)
    elif step.kind is Kind.MAKE:
        _drop(path)
    else:
        _make(path)


def _slot(root: str, step: Step) -> str:
    return f"{root}/{STAGE}/{step.slot}"


def _make(path: str) -> None:
    if not os.path.isdir(path):
        os.mkdir(path)


def _drop(path: str) -> None:
    # A folder that is gone, or that somebody has just written into, is no fault.
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def unobserved(_step: str) -> None:
    """For whoever watches no step."""
