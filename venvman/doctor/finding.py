"""Finding: one thing that doctor found, where, and the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from venvman.frozen import dataclass
from venvman.secrets import redact

if TYPE_CHECKING:
    from venvman.errors import Fix, Severity
    from venvman.names import NormalizedName

__all__ = ["Code", "Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A row of doctor's report (DESIGN 4.3).

    ``code`` (``VM401``) and ``name`` (``distribution-missing``) are stable. ``message`` is a
    sentence that says what and why. ``path`` is as people see it, ``line`` 1-based. ``fix`` is what
    to do about it.
    """

    code: str
    name: str
    severity: Severity
    message: str
    package: NormalizedName | None = None
    path: str | None = None
    line: int | None = None
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding. ``docs/reference/doctor.md`` has one entry for each."""

    code: str
    name: str
    severity: Severity

    def __call__(
        self,
        message: str,
        *,
        package: NormalizedName | None = None,
        path: str | None = None,
        line: int | None = None,
        fix: Fix | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this kind; credentials in ``message`` are hidden."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            message=redact(message),
            package=package,
            path=path,
            line=line,
            fix=fix,
        )
