"""The one module that knows where venvman keeps things outside projects."""

from __future__ import annotations

import hashlib
import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Directories"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """``cache`` may vanish at any time, ``state`` (locks, hook records) must not. Both absolute.

    ``state_named`` says that a person chose ``state``, so that no other will do.
    """

    cache: Path
    state: Path
    state_named: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, variables: Mapping[str, str], *, cache: Path | None = None) -> Directories:
        """From ``VENVMAN_CACHE_DIR`` and ``VENVMAN_STATE_DIR``, else the platform's folders."""
        import platformdirs

        chosen = cache or variables.get("VENVMAN_CACHE_DIR")
        state = variables.get("VENVMAN_STATE_DIR")
        return cls(
            cache=Path(chosen).absolute() if chosen else platformdirs.user_cache_path("venvman"),
            state=Path(state).absolute() if state else platformdirs.user_state_path("venvman"),
            state_named=bool(state),
        )

    def environment_lock(self, environment: Path) -> Path:
        """The lock file of ``environment``: outside it, so that a rebuild keeps it."""
        return self.state / "locks" / f"{_key(environment)}.lock"

    def project_state(self, root: Path) -> Path:
        """The folder for what is remembered of the project at ``root``; may vanish at any time."""
        return self.state / "projects" / _key(root)


def _key(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
