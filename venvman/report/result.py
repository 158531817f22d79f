"""Result: what a command hands to a renderer; exit code, data and problems in one value."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any

from venvman.model.errors import ExitCode, Fix, Problem, VenvmanError
from venvman.model.frozen import dataclass
from venvman.report.changes import fitting
from venvman.report.drawing import Drawing, Group
from venvman.report.fixes import AT_ROOT, Standing

if TYPE_CHECKING:
    from collections.abc import Callable


SCHEMA_VERSION = 1


class Status(str, Enum):
    """The envelope's ``status``."""

    OK = "ok"
    DRIFT = "drift"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a result is drawn for: whole lists with ``verbose``, else ``height`` lines.

    Without a ``height`` nobody looks at a screen. With ``quiet`` what is fine is left out of
    several projects; ``beside`` says that it is one of them. Commands are written for who stands
    ``here``.
    """

    verbose: bool = False
    quiet: bool = False
    beside: bool = False
    height: int | None = None
    here: Standing = AT_ROOT

    def fitting(self, *, used: int) -> int | None:
        """How many rows of a list to show below ``used`` lines; None: all of them."""
        return None if self.verbose else fitting(self.height, used=used)


def _nothing(_: Screen) -> Drawing:
    return Group()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One command's outcome.

    ``data`` is JSON-ready and follows the command's published schema. ``draw`` makes
    the same a drawing for a screen.
    ``verbatim`` is text for programs (a graph in DOT, say): printed as it is instead of drawn.
    ``answers`` says that the text is what was asked for (``scan``, ``status``), not a summary of
    work done: ``--quiet`` does not silence it. ``next`` is what the text ends with. ``tells`` says
    that the drawing names the problems: nothing else has to, but JSON.
    """

    command: str
    status: Status = Status.OK
    exit_code: ExitCode = ExitCode.OK
    data: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    draw: Callable[[Screen], Drawing] = _nothing
    answers: bool = False
    tells: bool = False
    verbatim: str | None = None
    next: Fix | None = None

    @property
    def of_one(self) -> bool:
        """Whether it is about one project, or about none."""
        return "projects" not in self.data

    @classmethod
    def of_error(cls, error: VenvmanError, *, command: str) -> Result:
        """What is told of ``error``: no data, its problems, its exit code."""
        drift = error.exit_code is ExitCode.DRIFT
        return cls(
            command=command,
            status=Status.DRIFT if drift else Status.ERROR,
            exit_code=error.exit_code,
            problems=error.problems,
        )
