"""What a program inside an environment gets: its path and its variables. Imports nothing of weight.

``run`` is remembered: where nothing has changed, the program starts before anything else is known.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn


def activated(variables: Mapping[str, str], root: str, scripts: str) -> dict[str, str]:
    """``variables`` as the ``activate`` script of the environment ``root`` would leave them."""
    path = variables.get("PATH", "")
    return {
        **undisturbed(variables),
        "PATH": f"{scripts}{os.pathsep}{path}" if path else scripts,
        "VIRTUAL_ENV": root,
        "VIRTUAL_ENV_PROMPT": os.path.basename(root),
    }


def undisturbed(variables: Mapping[str, str]) -> dict[str, str]:
    """Less what would make the environment's Python another one.

    ``PYTHONPATH`` stays, as it does when a script activates: it is the user's to set.
    """
    return {
        name: value
        for name, value in variables.items()
        if name not in {"PYTHONHOME", "__PYVENV_LAUNCHER__"}
    }


def program(command: str, path: str, scripts: str) -> str | None:
    """The program that a shell with this ``path`` would start, never a Python outside ``scripts``.

    None where there is none: such a Python would see none of the environment's packages.
    """
    if os.path.dirname(command):
        return command if _is_program(command) else None
    for folder in path.split(os.pathsep):
        found = os.path.join(folder, command)
        if command and _is_program(found):
            # `python`, `python3`, `python3.11`
            end = command.removeprefix("python")
            is_python = end != command and all(each.isdigit() for each in end.split(".") if each)
            return None if is_python and folder != scripts else found
    return None


def become(argv: Sequence[str], variables: Mapping[str, str]) -> NoReturn:
    """This process becomes the program ``argv``, so that signals and job control just work. POSIX.

    Raises:
        OSError: it cannot be started.
    """
    import signal

    # Python ignores these two; a program inherits that, and `yes | head` would complain.
    for name in ("SIGPIPE", "SIGXFSZ"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_DFL)
    os.execvpe(argv[0], list(argv), dict(variables))  # noqa: S606 - no shell is the point


def _is_program(path: str) -> bool:
    return os.access(path, os.X_OK) and os.path.isfile(path)
