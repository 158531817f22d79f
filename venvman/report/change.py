"""A change as every report shows it; imports next to nothing."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

__all__ = ["Change", "ChangeKind"]


class ChangeKind(str, Enum):
    """Seen from the environment or lock as it was before."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


class Change(NamedTuple):
    """One distribution that comes, goes, or is replaced.

    ``before`` and ``after`` are versions, or sources where only those differ; None where there is
    nothing, or a version that is known only after building. ``source`` is where it comes from, or
    came from when it goes. ``because`` is a short reason, empty where the kind says it all.
    """

    kind: ChangeKind
    name: str
    before: str | None
    after: str | None
    source: str
    because: str = ""

    @classmethod
    def between(cls, name: str, before: str | None, after: str | None) -> Change:
        """The change from one version, or none, to another, or none; both from an index."""
        kind = ChangeKind.CHANGED if before and after else ChangeKind.ADDED
        kind = kind if after else ChangeKind.REMOVED
        return cls(kind=kind, name=name, before=before, after=after, source="index")
