"""What the operating system refused, said so that a person knows what to do."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.errors import AGAIN, Advice, InstallError
from venvman.files import permit

if TYPE_CHECKING:
    from venvman.errors import Fix

__all__ = ["explained"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explained(error: OSError, *, doing: str, root: str) -> InstallError:
    """``error`` met while ``doing`` (a clause, "staging the new distributions"), nothing changed.

    The code is ``disk-full``, ``permission-denied`` or ``install-failed``.
    """
    fix: Fix
    place = str(error.filename2 or error.filename or root)
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
        path=place,
        why=why,
        fix=fix,
    )
