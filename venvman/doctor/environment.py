"""VM1: is there an environment, is it whole, is it of the Python that is wished for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.cases import assert_never
from venvman.doctor import codes
from venvman.environment.inspection import Absent, Broken, Environment, NotAnEnvironment
from venvman.errors import Command
from venvman.files import aside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Code, Finding

__all__ = ["condition", "python", "unfinished"]

_BROKEN: dict[str, Code] = {
    "moved": codes.ENVIRONMENT_MOVED,
    "system-site-packages": codes.SYSTEM_SITE_PACKAGES,
}


def condition(examination: Examination) -> Iterator[Finding]:
    """What is wrong with the environment as a whole."""
    shown = examination.display(examination.place)
    match examination.condition:
        case Absent():
            yield codes.ENVIRONMENT_ABSENT(
                f"There is no environment at {shown}.", path=shown, fix=Command.venvman("sync")
            )
        case NotAnEnvironment(reason=reason):
            yield codes.NOT_AN_ENVIRONMENT(
                f"{shown} is not a virtual environment. {reason}",
                path=shown,
                fix=aside(examination.place),
            )
        case Broken(reason=reason, code=code, fix=fix):
            kind = _BROKEN.get(code, codes.ENVIRONMENT_BROKEN)
            yield kind(f"The environment {shown} is unusable. {reason}", path=shown, fix=fix)
        case Environment():
            return
        case _ as never:
            assert_never(never)


def unfinished(examination: Examination) -> Iterator[Finding]:
    """A transaction that a killed command left: whoever changes the environment next settles it."""
    left = examination.unfinished
    if left is not None:
        yield codes.UNFINISHED(left.message, path=left.path, fix=left.fix)


def python(examination: Examination) -> Iterator[Finding]:
    """Another Python than the one that is wished for."""
    if examination.python_conflict is not None:
        yield codes.OTHER_PYTHON(
            examination.python_conflict,
            path=examination.display(examination.place),
            fix=examination.python_fix or Command.venvman("sync", "--recreate"),
        )
