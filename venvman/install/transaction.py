"""The transaction: an environment goes from one state to the next as a whole, or stays as it was.

Everything is staged on the environment's own filesystem, the moves are written to a journal and
synced (the commit point), the moves are made, and the journal is dropped. What a killed process
left is finished by :func:`recover`, or else undone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import threading
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.install.attic import ATTIC, Attic, AtticEntry, AtticLimit
from venvman.install.environmentlock import locked
from venvman.install.journal import JOURNAL, STAGE, apply, read_journal, unobserved, write_journal
from venvman.install.layout import site_of
from venvman.install.staging import Prepared, Request, prepare
from venvman.model.errors import AGAIN, Advice, InstallError
from venvman.model.events import Reporter
from venvman.model.frozen import dataclass
from venvman.plan import Add, Remove
from venvman.system import seal
from venvman.system.files import permit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from venvman.environment.inspection import Environment
    from venvman.model.errors import Fix
    from venvman.model.names import NormalizedName
    from venvman.system.directories import Directories

__all__ = ["Outcome", "Recovery", "Request", "commit", "recover"]

DEFAULT_LIMIT = AtticLimit(size=2 * 1024**3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A distribution that came or went; ``source`` as the text of a source (``model.sources``)."""

    name: NormalizedName
    version: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A distribution that was replaced; ``before`` is None where the version was unreadable."""

    name: NormalizedName
    before: str | None
    after: str | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a transaction did, each part in the order of the plan.

    ``restored`` came back from the attic without being fetched or linked.
    """

    installed: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    changed: tuple[Changed, ...] = ()
    unchanged: int = 0
    restored: tuple[NormalizedName, ...] = ()


class Recovery(Enum):
    """What :func:`recover` found and did."""

    NOTHING = "nothing"
    DISCARDED = "discarded"
    """A transaction that was stopped before its commit point; only its stage was left."""
    FINISHED = "finished"
    REVERTED = "reverted"
    """A step could not be made, so all of them were undone."""


def commit(
    request: Request,
    environment: Environment,
    *,
    attic: AtticLimit = DEFAULT_LIMIT,
    reporter: Reporter | None = None,
    observe: Callable[[str], None] = unobserved,
) -> Outcome:
    """Carries out ``request`` in ``environment``, whose lock the caller holds: all, or nothing.

    ``observe`` is told of each step.

    Ctrl-C before the commit point changes nothing; after it the transaction ends first and counts
    as done.

    Raises:
        StoreDamaged, AtticGone: wheels must be obtained again; nothing was changed.
        InstallError: it cannot be done; nothing was changed, unless the code is
            ``transaction-stuck``: then the next command finishes or reverts it.
    """
    root = os.path.realpath(environment.root)
    try:
        seal.own(root)
    except OSError as error:
        raise explained(error, doing="changing the environment", root=root) from error
    _recover(root)
    if not request.plan:
        return Outcome(unchanged=request.plan.unchanged)
    keep = attic.size != 0 and attic.entries != 0
    try:
        observe("staging")
        site = site_of(environment)
        prepared = prepare(request, site, keep=keep, reporter=reporter or Reporter())
        observe("staged")
        with _finishing():
            write_journal(root, prepared.moves)
            missing = apply(root, prepared.moves, observe=observe)
        if missing:
            raise InstallError(
                f"{missing[0]} vanished while it was being installed.",
                code="install-disturbed",
                path=f"{root}/{missing[0]}",
                why="Another program changes the same environment.",
                fix=AGAIN,
            )
    except BaseException as error:
        if not os.path.lexists(f"{root}/{JOURNAL}"):
            _clear(root)
        if isinstance(error, OSError):
            raise explained(error, doing="changing the environment", root=root) from error
        raise
    _prune(root, attic, keep=prepared.kept)
    _clear(root)
    return _outcome(request, prepared)


def recover(
    environment_root: Path,
    *,
    directories: Directories | None,
    reporter: Reporter | None = None,
) -> Recovery:
    """Finishes or reverts what a killed transaction left in ``environment_root``.

    For the beginning of every command that reads or changes an environment; costs two system calls
    where there is nothing to do. Without ``directories`` the caller holds the environment's lock;
    else a transaction that is at work is waited for.

    Raises:
        InstallError: it can neither be finished nor reverted at the moment.
    """
    root = os.path.realpath(environment_root)
    if not (os.path.lexists(f"{root}/{JOURNAL}") or os.path.lexists(f"{root}/{STAGE}")):
        return Recovery.NOTHING
    if not seal.is_own(root):
        return Recovery.NOTHING  # it came with a clone, or an archive: nothing of it is ours
    with locked(environment_root, directories, reporter=reporter or Reporter()):
        return _recover(root)


def _recover(root: str) -> Recovery:
    moves = read_journal(root)
    if moves is None:
        if not os.path.lexists(f"{root}/{STAGE}"):
            return Recovery.NOTHING
        _clear(root)
        return Recovery.DISCARDED
    result = Recovery.FINISHED
    with _finishing():
        try:
            apply(root, moves, observe=unobserved)
        except OSError:
            result = Recovery.REVERTED
    _clear(root)
    return result


def _prune(root: str, limit: AtticLimit, *, keep: frozenset[str]) -> None:
    """Takes what is beyond ``limit`` out of the attic: whole entries, the oldest first."""
    if not (keep or limit.size == 0 or limit.entries == 0):
        return
    for number, key in enumerate(Attic(root).surplus(limit, keep=keep)):
        with contextlib.suppress(OSError):
            os.rename(f"{root}/{ATTIC}/{key}", f"{root}/{STAGE}/pruned-{number}")


def _clear(root: str) -> None:
    """Deletes the stage; what cannot be deleted now is by the next command."""
    shutil.rmtree(f"{root}/{STAGE}", ignore_errors=True)


@contextlib.contextmanager
def _finishing() -> Iterator[None]:
    """Holds Ctrl-C back: what is inside ends first."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is None:
        yield
        return
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _outcome(request: Request, prepared: Prepared) -> Outcome:
    installed, removed, changed = [], [], []
    for step in request.plan.steps:
        old = () if isinstance(step, Add) else step.installed
        before = next((str(each.version) for each in old if each.version), None)
        if isinstance(step, Remove):
            source = str(step.installed[0].source)
            removed.append(Change(name=step.name, version=before, source=source))
            continue
        wheel, source = request.wheels[step.name], str(step.entry.source)
        found = wheel.version if isinstance(wheel, AtticEntry) else wheel.manifest.version
        version = str(step.entry.version or found)
        if isinstance(step, Add):
            installed.append(Change(name=step.name, version=version, source=source))
        else:
            change = Changed(name=step.name, before=before, after=version, source=source)
            changed.append(change)
    return Outcome(
        installed=tuple(installed),
        removed=tuple(removed),
        changed=tuple(changed),
        unchanged=request.plan.unchanged,
        restored=prepared.restored,
    )


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explained(error: OSError, *, doing: str, root: str) -> InstallError:
    """``error`` met while ``doing`` (a clause, "staging the new distributions"), nothing changed.

    The code is ``disk-full``, ``permission-denied`` or ``install-failed``.
    """
    fix: Fix
    path = str(error.filename2 or error.filename or root)
    if error.errno in _FULL:
        code, fix = "disk-full", Advice("Free some space there, then sync again.")
        why = f"The disk that holds {root} is full."
    elif error.errno in _FORBIDDEN:
        code, fix = "permission-denied", permit("u+rwX", Path(root), below=True)
        why = "Another user may have made it, or it is on a read-only filesystem."
    else:
        code, fix, why = "install-failed", AGAIN, None
    return InstallError(
        f"{doing[0].upper()}{doing[1:]} failed: {error.strerror or error}."
        " The environment is as it was.",
        code=code,
        path=path,
        why=why,
        fix=fix,
    )
