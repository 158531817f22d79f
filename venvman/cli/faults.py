"""What goes wrong and is no error that venvman raises on purpose, in words."""

from __future__ import annotations

import errno
import sys

from venvman.cli.streams import write
from venvman.cli.usage import NAME
from venvman.errors import Advice, ExitCode, VenvmanError
from venvman.secrets import redact

__all__ = ["Interrupted", "told_of"]


_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE}
    | {errno.EACCES, errno.EPERM, errno.EBADF}
)


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
