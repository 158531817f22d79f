"""VM1: is there an environment, is it whole, is it of the Python that is wished for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from venvman.cases import assert_never
from venvman.doctor import codes
from venvman.environment.inspection import Absent, Broken, Environment, NotAnEnvironment
from venvman.errors import Command
from venvman.files import aside
from venvman.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Code, Finding

__all__ = ["activation", "condition", "python", "unfinished"]

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


def activation(examination: Examination) -> Iterator[Finding]:
    """A ``bin/activate`` that is gone or cut off: all that make environments write one."""
    if not isinstance(examination.condition, Environment):
        return
    path = examination.condition.paths.scripts / "activate"
    if not os.path.lexists(path.with_name("python")):
        return  # a greater fault than this
    shown = examination.display(path)
    try:
        text = read_regular(path).decode("utf-8", "replace")
    except FileNotFoundError:
        what = "is missing"
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
    else:
        # The last command of those of venv (3.8 to 3.13), virtualenv and uv.
        if "hash -r" in text.rstrip()[-80:]:
            return
        what = "is cut off"
    yield codes.ACTIVATE_BROKEN(
        f"{shown} {what}: the environment cannot be activated.",
        path=shown,
        fix=Command.venvman("sync", "--recreate"),
    )


def python(examination: Examination) -> Iterator[Finding]:
    """Another Python than the one that is wished for."""
    if examination.python_conflict is not None:
        yield codes.OTHER_PYTHON(
            examination.python_conflict,
            path=examination.display(examination.place),
            fix=examination.python_fix or Command.venvman("sync", "--recreate"),
        )
