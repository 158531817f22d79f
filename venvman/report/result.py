"""Result: what a command hands to a renderer; exit code, data and problems in one value."""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any

from venvman.errors import ExitCode
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from venvman.errors import Fix, Problem, VenvmanError

__all__ = ["SCHEMA_VERSION", "Result", "Status"]

SCHEMA_VERSION = 1


class Status(str, Enum):
    """The envelope's ``status`` (DESIGN 4.3)."""

    OK = "ok"
    DRIFT = "drift"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One command's outcome.

    ``data`` is JSON-ready and follows the command's published schema. ``view`` is the stage value
    the text renderer draws (an Outcome, a Drift, ...); the JSON renderer never looks at it.
    ``verbatim`` is text for programs (a graph in DOT, say): printed as it is instead of drawn.
    ``answers`` says that the text is what was asked for (``scan``, ``status``), not a summary of
    work done: ``--quiet`` does not silence it. ``next`` is what the text ends with.
    """

    command: str
    status: Status
    exit_code: ExitCode
    data: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    view: object = None
    answers: bool = False
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
