"""What the operating system refused, said so that a person knows what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from venvman.errors import Command, InstallError
from venvman.install.attic import ATTIC

__all__ = ["explained"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explained(error: OSError, *, doing: str, root: str, store: str | None = None) -> InstallError:
    """``error`` met while ``doing`` (a clause, "staging the new distributions"), nothing changed.

    ``store`` is a folder of the store, where anything comes from it. The code is ``disk-full``,
    ``permission-denied`` or ``install-failed``.
    """
    place = str(error.filename2 or error.filename or root)
    if error.errno in _FULL:
        code, fix = "disk-full", _making_room(root, store)
        why = f"The disk that holds {root} is full: free some space there, then sync again."
    elif error.errno in _FORBIDDEN:
        code, fix = "permission-denied", Command.of("chmod", "-R", "u+rwX", Path(root))
        why = "Another user may have made it, or it is on a read-only filesystem."
    else:
        code, fix, why = "install-failed", Command.venvman("sync"), None
    return InstallError(
        f"{doing[0].upper()}{doing[1:]} failed: {error.strerror or error}."
        " The environment is as it was.",
        code=code,
        path=place,
        why=why,
        fix=fix,
    )


def _making_room(root: str, store: str | None) -> Command:
    """The command that frees space on the environment's disk; the store may lie on another one."""
    attic = Path(root, ATTIC)
    try:
        if store is None or Path(store).stat().st_dev == Path(root).stat().st_dev:
            return Command.venvman("cache", "prune")
        held = next(attic.iterdir(), None) is not None
        return Command.venvman(*(("cache", "clean", "--attic") if held else ("sync",)))
    except OSError:
        return Command.venvman("sync")
