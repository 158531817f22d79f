"""VM1: is there an environment, is it whole, is it of the Python that is asked for."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from venvman.doctor import codes
from venvman.environment.inspection import (
    Absent,
    Broken,
    Environment,
    NotAnEnvironment,
    out_of_the_way,
)
from venvman.model.cases import assert_never
from venvman.model.errors import Advice, Command
from venvman.system.files import permit
from venvman.system.reading import read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from venvman.doctor.examination import Examination
    from venvman.doctor.finding import Code, Finding

_BROKEN: dict[str, Code] = {
    "moved": codes.ENVIRONMENT_MOVED,
    "system-site-packages": codes.SYSTEM_SITE_PACKAGES,
}


def condition(examination: Examination) -> Iterator[Finding]:
    """What is wrong with the environment as a whole."""
    shown = examination.display(examination.root)
    match examination.condition:
        case Absent():
            yield codes.ENVIRONMENT_ABSENT(
                f"There is no environment at {shown}.", path=shown, fix=Command.venvman("sync")
            )
        case NotAnEnvironment(reason=reason):
            yield codes.NOT_AN_ENVIRONMENT(
                f"{shown} is not a virtual environment. {reason}",
                path=shown,
                fix=out_of_the_way(examination.root),
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
    """Activate scripts that are cut off or of another path; all makers write ``bin/activate``."""
    there = examination.environment
    if there is None or not os.path.lexists(there.paths.scripts / "python"):
        return  # a greater fault than this
    folder, ours = there.paths.scripts, there.made_by_venvman
    for name, endings in _ENDINGS.items():
        what = _ill(folder / name, endings, there.root)
        if what is None or (what == _MISSING and name != "activate" and not ours):
            continue
        shown = examination.display(folder / name)
        yield codes.ACTIVATE_BROKEN(
            f"{shown} {what}: the environment cannot be activated.",
            path=shown,
            fix=_written_again(there),
        )


def _ill(path: Path, endings: tuple[str, ...], root: Path) -> str | None:
    """What is wrong with an activate script: a clause."""
    try:
        text = read_regular(path).decode("utf-8", "replace")
    except FileNotFoundError:
        return _MISSING
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if not any(each in text.rstrip()[-80:] for each in endings):
        return "is cut off"
    named = _NAMED.search(text)
    if named is None or os.path.realpath(named[1]) == os.path.realpath(root):
        return None
    return f"is for {named[1]}"


def _written_again(there: Environment) -> Command:
    """What writes the scripts and links that venv makes; those of other makers differ."""
    if not there.made_by_venvman:
        return _RECREATE
    return Command.of(there.interpreter.path, "-I", "-m", "venv", "--without-pip", there.root)


def pip(examination: Examination) -> Iterator[Finding]:
    """An environment that venvman made, which had a pip, without it."""
    there = examination.environment
    if there is None or not there.made_by_venvman or examination.inventory is None:
        return
    if all(each.name != "pip" for each in examination.distributions):
        minor = "python{}.{}".format(*there.interpreter.minor)
        bundled = (there.interpreter.prefix / "lib" / minor / "ensurepip").is_dir()
        yield codes.PIP_MISSING(
            f"{examination.display(there.root)} has no pip any more.",
            path=examination.display(there.root),
            fix=Command.of(there.python, "-I", "-m", "ensurepip") if bundled else _RECREATE,
        )


_RECREATE = Command.venvman("sync", "--recreate")
_MISSING = "is missing"
# How those of venv (3.8 to 3.13), virtualenv and uv end.
_ENDINGS = {
    "activate": ("hash -r",),
    "activate.fish": ("\nend",),
    "activate.csh": ("rehash", "alias pydoc"),
    "Activate.ps1": ("PathSeparator)$Env:PATH", "# SIG # End"),
}
# In fish and csh; a path that needs quotes inside quotes is not judged.
_NAMED = re.compile(r"^\s*(?:set -gx|setenv) VIRTUAL_ENV ['\"]?(/[\w./-]+)['\"]?\s*$", re.MULTILINE)


def interpreters(examination: Examination) -> Iterator[Finding]:
    """Names of the interpreter that lead to different programs."""
    there = examination.environment
    if there is None:
        return
    own = there.python
    if os.path.lexists(own) and not os.path.lexists(own.with_name("python3")):
        shown = examination.display(own.with_name("python3"))
        yield codes.INTERPRETERS_DISAGREE(
            f"{shown} is missing: what asks for it gets another Python.",
            path=shown,
            fix=_written_again(there),
        )
    for path in sorted(own.parent.glob("python*")):
        if _PYTHON.fullmatch(path.name) and not _is_same_program(path, own):
            shown = examination.display(path)
            yield codes.INTERPRETERS_DISAGREE(
                f"{shown} is not the same Python as {examination.display(own)}.",
                path=shown,
                fix=_RECREATE,
            )


_PYTHON = re.compile(r"python[23]?(?:\.\d+)?")


def _is_same_program(one: Path, other: Path) -> bool:
    """Whether both are one file, or files of one size, as copies are."""
    try:
        return one.samefile(other) or one.stat().st_size == other.stat().st_size
    except OSError:
        return False


def writable(examination: Examination) -> Iterator[Finding]:
    """Folders of the environment into which its owner may not write."""
    there = examination.environment
    if there is None:
        return
    for folder in (there.root, there.paths.scripts, *there.site_folders):
        if folder.exists() and not (
            folder.stat().st_mode & stat.S_IWUSR and os.access(folder, os.W_OK)
        ):
            shown = examination.display(folder)
            yield codes.NOT_WRITABLE(
                f"{shown} cannot be written into: no sync can change it.",
                path=shown,
                fix=permit("u+w", there.root, below=True),
            )
            return


def active(examination: Examination) -> Iterator[Finding]:
    """Another environment is the one that the shell has activated."""
    if examination.active is None or examination.environment is None:
        return
    if os.path.realpath(examination.active) != os.path.realpath(examination.root):
        shown = examination.display(examination.root)
        yield codes.OTHER_ACTIVE(
            f"The shell has {examination.active} activated: `python` there is not that of {shown}.",
            path=shown,
            fix=Advice("Deactivate it, and run programs with `venvman run`."),
        )


def python(examination: Examination) -> Iterator[Finding]:
    """Another Python than the one that is asked for."""
    if examination.python_conflict is not None:
        yield codes.OTHER_PYTHON(
            examination.python_conflict,
            path=examination.display(examination.root),
            fix=examination.python_fix or Command.venvman("sync", "--recreate"),
        )
