"""Which folders outside of projects are this user's alone; lean, as short answers ask it too.

What others may write to, they may have filled: a cache or a state folder of somebody else is not
used, and one in the folder for temporary files takes its place.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def state_folder(variables: Mapping[str, str]) -> str:
    """Where state is kept: ``VENVMAN_STATE_DIR``, else the platform's folder (absolute)."""
    named = variables.get("VENVMAN_STATE_DIR")
    if named:
        return os.path.abspath(named)
    if str(sys.platform) == "linux":
        # As platformdirs says it, which takes long to import.
        home = variables.get("XDG_STATE_HOME", "").strip()
        home = home or os.path.join(os.path.expanduser("~"), ".local", "state")
        return os.path.join(home, "venvman")
    import platformdirs

    return str(platformdirs.user_state_path("venvman"))


def private(folder: str) -> str:
    """The state folder ``folder`` if it is absent or this user's alone, else one that is.

    Raises:
        OSError: there is no other either.
    """
    if why_not_private(folder) is None:
        return folder
    return os.path.join(temporary_folder(), "state")


def why_not_private(folder: str) -> str | None:
    """Why ``folder`` is not to be used, as a sentence; None where it is absent or all is well."""
    try:
        found = os.stat(folder)
    except OSError:
        return None  # whoever needs it makes it, or says why it cannot
    if found.st_uid != os.getuid():
        return f"It belongs to another user (number {found.st_uid})."
    if found.st_mode & stat.S_IWOTH:
        return "Every user may write to it."
    if found.st_mode & stat.S_IWGRP and not _is_alone(found.st_gid):
        return f"Every member of group {found.st_gid} may write to it."
    return None


def temporary_folder() -> str:
    """A folder for temporary files that is this user's alone; all of its processes find it again.

    Raises:
        OSError: it cannot be made, or somebody else has made it.
    """
    import tempfile

    user = os.getuid()
    folder = os.path.join(tempfile.gettempdir(), f"venvman-{user}")
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(folder)
    # In a folder that all may write to, a name that can be guessed may be somebody else's trap.
    is_private = found.st_uid == user and not found.st_mode & 0o077
    if not stat.S_ISDIR(found.st_mode) or not is_private:
        raise PermissionError(f"{folder} is not private")
    return folder


def _is_alone(group: int) -> bool:
    """Whether ``group`` is this user's own, as most systems make one for each user."""
    import grp
    import pwd

    try:
        user = pwd.getpwuid(os.getuid())
        found = grp.getgrgid(group)
    except KeyError:
        return False
    return user.pw_gid == group and set(found.gr_mem) <= {user.pw_name}
