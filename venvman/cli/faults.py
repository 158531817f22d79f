"""What goes wrong before and around the commands, in words: misread lines, the machine, defects."""

from __future__ import annotations

import errno
import sys
from itertools import takewhile
from typing import TYPE_CHECKING

from venvman.cli.streams import write
from venvman.model.errors import Advice, ExitCode, Fix, VenvmanError
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "venvman"
"""What people type."""
_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE}
    | {errno.EACCES, errno.EPERM, errno.EBADF}
)


class UsageFault(VenvmanError):
    """``message`` says what is wrong with the line.

    ``misspelled`` where the command's help shows how it should be; ``fix`` is the line to ask for
    it, which only the one boundary knows (``app``).
    """

    def __init__(self, message: str, *, misspelled: bool = True, fix: Fix | None = None) -> None:
        super().__init__(message, code="usage", fix=fix)
        self.misspelled = misspelled


class Interrupted(VenvmanError):
    """Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED


class Unexpected(VenvmanError):
    """A defect of venvman itself."""


def told_of(fault: Exception, *, verbose: bool) -> VenvmanError:
    """``fault`` as an error: the machine's, or a defect, whose traceback ``verbose`` shows."""
    return _of_machine(fault) or _unexpected(fault, verbose=verbose)


def _of_machine(fault: Exception) -> VenvmanError | None:
    """What the machine has no more of, or refuses: no defect, wherever it was met."""
    if not isinstance(fault, OSError) or fault.errno not in _MACHINE:
        return None
    where = fault.filename if isinstance(fault.filename, str) else None
    return VenvmanError(
        f"{where or 'A file'} could not be used: {fault.strerror}.",
        code="file-unusable",
        path=where,
    )


def _unexpected(fault: Exception, *, verbose: bool) -> VenvmanError:
    if verbose:
        import traceback

        write(sys.stderr, redact("".join(traceback.format_exception(fault))))
    said = redact(f"{type(fault).__name__}: {fault}")
    return Unexpected(
        "This is a defect of venvman: it met something it was not made for.",
        code="unexpected",
        why=f"{said}\nPlease report it{_where_to_report()}.",
        fix=None if verbose else Advice("Run it again with --verbose, for the report."),
    )


def _where_to_report() -> str:
    """`` at <address>``, as the installed package names it; empty where it names none."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        links = metadata(NAME).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    pairs = (link.partition(", ") for link in links)
    return next((f" at {url}" for label, _, url in pairs if label.lower() == "issues"), "")


_ELSEWHERE = {
    "check": "doctor",
    "compile": "freeze",
    "create": "sync",
    "exec": "run",
    "info": "status",
    "install": "sync",
    "list": "tree",
    "new": "sync",
    "show": "tree",
    "uninstall": "remove",
    "update": "upgrade",
    "venv": "sync",
    "version": "--version",
    "virtualenv": "sync",
}
"""What pip, pip-tools, uv, poetry and others call it, and its name here."""
TARGETS = {
    "--active": 'VENVMAN_VENV="$VIRTUAL_ENV" takes the one that is active.',
    "--system": "A Python itself is no target: its packages may be the system's (PEP 668). In an "
    "image VENVMAN_VENV=/opt/venv, with /opt/venv/bin first on PATH, comes to the same.",
}
"""How the environment is chosen that these options mean elsewhere."""
OPTIONS = {
    "--all-extras": "Extras are groups here: --all-groups.",
    "--dev": "dev is installed unless --no-dev is given; --only-group dev leaves the rest out.",
    "--extra": "An extra is a group here: --group NAME.",
    "--only-dev": "Here that is --only-group dev.",
    "--pre": "A line --pre in the requirements file, or PIP_PRE=1, lets pre-releases in.",
    "--requirement": "The requirements files are found: `venvman scan` shows them.",
    "--user": "There is one environment for each project, and no other.",
    "-r": "The requirements files are found: `venvman scan` shows them.",
    "-V": "Here that is --version.",
}
"""What other options elsewhere come to here."""
_UPGRADING = frozenset({"--upgrade", "-U", "--upgrade-package", "-P"})


def said_elsewhere(words: Sequence[str]) -> tuple[str, ...] | None:
    """The line, without the program's name, for what ``words`` ask another tool for."""
    if not words:
        return None
    command, rest = words[0], words[1:]
    # Up to the first option that may take a value.
    named = [word for word in rest if word not in _UPGRADING and word not in ("-y", "--yes")]
    names = tuple(takewhile(lambda word: not word.startswith("-"), named))
    if command == "install" and _UPGRADING.intersection(rest):
        return ("upgrade", *names)
    if command == "install" and names:
        return ("add", *names)
    if command == "pip":
        return said_elsewhere(rest)
    if command == "help":
        return (*names[:1], "--help")
    if command in {"show", "why"} and names:
        return ("why", *names)
    if command == "uninstall":
        return ("remove", *(names or ("--help",)))
    here = _ELSEWHERE.get(command)
    return None if here is None else (here,)
