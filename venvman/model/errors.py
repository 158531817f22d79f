"""Everything that can go wrong, as facts first and words last.

A :class:`Problem` is one fact with its location and its fix; the same value is an error's detail, a
warning in a report and a row of the JSON envelope's ``problems``. A :class:`VenvmanError` carries
at least one. One place (``cli/app.py``) turns them into text and an exit code.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, TypeAlias

from venvman.model.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from typing_extensions import Self


class ExitCode(IntEnum):
    """What the shell sees (docs/reference/exit-codes.md)."""

    OK = 0
    DRIFT = 1
    """Drift, findings, or a ``--check`` that failed."""
    ERROR = 2
    """Cannot proceed: usage, configuration, unreadable input, no solution, network."""
    COMMAND_NOT_RUNNABLE = 126
    """``run`` found a file that is no program: the code that shells give."""
    COMMAND_NOT_FOUND = 127
    """``run`` found nothing: the code that shells give."""
    INTERRUPTED = 130


class Severity(str, Enum):
    """How much a problem or finding matters; a note changes no exit code unless it is asked to."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Command:
    """Command lines that fix something, one after the other; ``always``: even if one fails.

    A word that is a :class:`~pathlib.Path` is a file: absolute, or relative to ``root``, the folder
    of the project that the command is for. Without ``root`` that is the project that the running
    command works on. :func:`venvman.report.fixes.shell_line` writes it for where the user stands.
    """

    steps: tuple[tuple[str | Path, ...], ...]
    root: Path | None = None
    always: bool = False

    @classmethod
    def of(cls, *words: str | Path) -> Command:
        """One command line."""
        return cls((words,))

    @classmethod
    def venvman(cls, *words: str | Path) -> Command:
        """One of our own."""
        return cls((("venvman", *words),))

    def then(self, *words: str | Path) -> Command:
        """The same, and afterwards one more of our own."""
        return replace(self, steps=(*self.steps, ("venvman", *words)))

    def __str__(self) -> str:
        """As a shell takes it in the project's own folder."""
        import shlex

        return ("; " if self.always else " && ").join(
            shlex.join(map(str, step)) for step in self.steps if step[0] != "cd"
        )


@dataclass(frozen=True, slots=True)
class Advice:
    """What only people can do: a sentence, with a capital and a full stop."""

    text: str

    def __str__(self) -> str:
        """The sentence."""
        return self.text


def other_version(name: str) -> Advice:
    """For a release of ``name`` that cannot be used: whether there is a better one nobody knows."""
    return Advice(f"Ask for another version of {name}, and tell those who publish this one.")


Fix: TypeAlias = Command | Advice

AGAIN = Advice("Run the command again.")
"""What somebody else disturbed, or what a second look settles."""


def at(fix: Fix | None, root: Path) -> Fix | None:
    """``fix`` for the project in ``root``, unless it is for another."""
    return replace(fix, root=root) if isinstance(fix, Command) and fix.root is None else fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong: what, where, why, and what fixes it.

    ``code`` is stable and kebab-case, ``message`` one sentence that starts with a capital and ends
    with a full stop. ``path`` is as people see it (see :mod:`venvman.model.errors`), ``line``
    1-based, ``text`` the offending line itself. ``why`` is the reason, ``fix`` what to do next.
    No field ever holds a secret.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    path: str | None = None
    line: int | None = None
    text: str | None = None
    why: str | None = None
    fix: Fix | None = None

    def at(self, root: Path) -> Problem:
        """The same problem of the project in ``root``."""
        return replace(self, fix=at(self.fix, root))


class VenvmanError(Exception):
    """The root of all errors that venvman raises on purpose.

    Args are keyword-only facts. ``problems`` lists every fault of the input at once; without it the
    error is its own single problem.
    """

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(
        self,
        message: str,
        *,
        code: str,
        path: str | None = None,
        line: int | None = None,
        text: str | None = None,
        why: str | None = None,
        fix: Fix | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        own = Problem(code=code, message=message, path=path, line=line, text=text, why=why, fix=fix)
        self.why = why
        self.fix = fix
        self.problems: tuple[Problem, ...] = tuple(problems) or (own,)

    @classmethod
    def of(cls, problems: Sequence[Problem], *, code: str | None = None) -> Self:
        """All of ``problems`` in one error, which says what the first does."""
        return cls(problems[0].message, code=code or problems[0].code, problems=problems)

    def at(self, root: Path) -> VenvmanError:
        """The same error, its commands for the project in ``root``."""
        self.fix = at(self.fix, root)
        self.problems = tuple(each.at(root) for each in self.problems)
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickled with its facts, since worker processes raise errors too."""
        # Copying needs no more than this: a class to make anew without its __init__, and its facts.
        return Exception.__new__, (type(self), *self.args), self.__dict__


class ConfigurationError(VenvmanError):
    """A flag, variable or ``[tool.venvman]`` value that cannot be used."""


class OutputFault(VenvmanError):
    """What a command has to say cannot be written: stdout is closed, or its disk is full."""


class ProjectNotFound(VenvmanError):
    """No requirements file or ``[tool.venvman]`` table on the way up."""


class RequirementsError(VenvmanError):
    """Requirements files that cannot be read; one problem per faulty line."""


class LockError(VenvmanError):
    """A lock that cannot be read or must not be written."""


class LockStale(LockError):
    """``--locked`` or ``--check`` met a lock that is out of date with its requirements."""

    exit_code = ExitCode.DRIFT


class IndexFault(VenvmanError):
    """An index or download that did not answer, or answered wrongly."""


class UnsatisfiableError(VenvmanError):
    """No set of versions satisfies the requirements; the problems are the conflicting chain."""


class FreezeError(VenvmanError):
    """A freeze engine failed for a reason other than an unsatisfiable set."""


class EnvironmentUnusable(VenvmanError):
    """The environment or its interpreter cannot be used as it is."""


class InstallError(VenvmanError):
    """An artifact that could not be verified, built, unpacked or installed."""


class DriftLeft(InstallError):
    """A sync did all that it had planned, and the environment is not what the lock says."""

    exit_code = ExitCode.DRIFT


class GitError(VenvmanError):
    """Git is missing, the folder is no repository, or a git command failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One logical line of a file: ``line`` is 1-based, ``text`` is the line as written.

    What stands in no file has the line 0, and ``path`` says where it is from.
    """

    path: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path
