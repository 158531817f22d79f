"""What the operating system refused, said so that a person knows what to do."""

from __future__ import annotations

import errno

from venvman.errors import InstallError

__all__ = ["explained"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def explained(error: OSError, *, doing: str, root: str) -> InstallError:
    """``error`` met while ``doing`` (a clause, "staging the new distributions"), nothing changed.

    The code is ``disk-full``, ``permission-denied`` or ``install-failed``.
    """
    place = str(error.filename2 or error.filename or root)
    if error.errno in _FULL:
        code, fix = "disk-full", "venvman cache prune"
        why = f"Free some space on the disk that holds {root}, then run venvman sync again."
    elif error.errno in _FORBIDDEN:
        code, fix = "permission-denied", f"chmod -R u+rwX {root}"
        why = "Another user may have made it, or it is on a read-only filesystem."
    else:
        code, fix, why = "install-failed", "venvman sync", None
    return InstallError(
        f"{doing[0].upper()}{doing[1:]} failed: {error.strerror or error} ({place})."
        " The environment is as it was.",
        code=code,
        path=place,
        why=why,
        fix=fix,
    )
