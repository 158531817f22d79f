"""Finding: one thing that doctor found, where, and the command that fixes it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from venvman.model.frozen import dataclass
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from venvman.model.errors import FileLine, Fix, Severity
    from venvman.model.names import NormalizedName

_LOOKS_AT = {
    "VM0": "doctor itself",
    "VM1": "the environment as a whole",
    "VM2": "requirements files",
    "VM3": "locks",
    "VM4": "metadata of what is installed, and what it needs",
    "VM5": "installed files",
    "VM6": "hooks, and what git tracks",
    "VM7": "lines of requirements files and locks",
}


class ByFix(str, Enum):
    """What ``doctor --fix`` does about findings of a kind."""

    YES = "yes"
    FREEZE = "freeze"
    """It moves pins, so that it needs ``--freeze``."""
    ASKS = "asks"
    """It removes what somebody may want, or changes what git is told: it needs a yes."""
    NO = "no"

    @property
    def sentence(self) -> str:
        """How an explanation ends; empty where only people can help."""
        return _BY_FIX[self.value]


_BY_FIX = {
    "yes": "`--fix` does it.",
    "freeze": "`--fix --freeze` does it.",
    "asks": "`--fix` asks first, `--fix --yes` does it.",
    "no": "",
}


class Cause(NamedTuple):
    """The finding that another follows from: fixing it fixes both."""

    code: str
    package: NormalizedName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row of doctor's report (json-output.md).

    ``code`` (``VM401``) and ``name`` (``distribution-missing``) are stable. ``message`` is a
    sentence that says what and why. ``path`` is as people see it, ``line`` 1-based. ``fix`` is what
    to do about it, ``cause`` what it follows from.
    """

    code: str
    name: str
    severity: Severity
    message: str
    package: NormalizedName | None = None
    path: str | None = None
    line: int | None = None
    fix: Fix | None = None
    cause: Cause | None = None

    @property
    def as_cause(self) -> Cause:
        """How others name it that follow from it."""
        return Cause(self.code, self.package)


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding. ``docs/reference/doctor.md`` has one entry for each, with these texts.

    ``wrong`` is what is wrong, ``why`` is why that matters: sentences. ``fix`` ends one that
    begins with "Fix:". Whatever ``by_fix`` is, a fix that freezes needs ``--freeze``, and one that
    makes the environment again a yes.
    """

    code: str
    name: str
    severity: Severity
    wrong: str
    why: str
    fix: str
    by_fix: ByFix = ByFix.NO

    @property
    def looks_at(self) -> str:
        """What is looked at: the same for all codes of a family."""
        return _LOOKS_AT[self.code[:3]]

    def __call__(
        self,
        message: str,
        *,
        package: NormalizedName | None = None,
        path: str | None = None,
        line: int | None = None,
        at: FileLine | None = None,
        fix: Fix | None = None,
        severity: Severity | None = None,
        cause: Cause | None = None,
    ) -> Finding:
        """A finding of this kind, ``at`` a line of a file; ``message`` shows no credentials."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            message=redact(message),
            package=package,
            path=path if at is None else at.path,
            line=line if at is None else at.line,
            fix=fix,
            cause=cause,
        )
