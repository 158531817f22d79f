"""The one module that knows where venvman keeps things outside projects."""

from __future__ import annotations

import hashlib
import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.system.privacy import state_folder, temporary_folder, why_not_private

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """``cache`` may vanish at any time, ``state`` (locks, hook records) must not. Both absolute.

    ``state_named`` says that a person chose ``state``, so that no other will do. ``strangers`` are
    the folders in which nothing is started that nobody named on the command line: the project's
    work tree. ``looks`` says that nothing is started either which only files of the project name.
    ``refused`` are folders of the user that are not the user's alone, with the reason; others took
    their place.
    """

    cache: Path
    state: Path
    state_named: bool = field(default=False, compare=False)
    strangers: tuple[Path, ...] = field(default=(), compare=False)
    looks: bool = field(default=False, compare=False)
    refused: tuple[tuple[Path, str], ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, variables: Mapping[str, str], *, cache: Path | None = None) -> Directories:
        """From ``VENVMAN_CACHE_DIR`` and ``VENVMAN_STATE_DIR``, else the platform's folders."""
        import platformdirs

        chosen = cache or variables.get("VENVMAN_CACHE_DIR")
        folders = (
            Path(chosen).absolute() if chosen else platformdirs.user_cache_path("venvman"),
            Path(state_folder(variables)),
        )
        faults = [(folder, why_not_private(str(folder))) for folder in folders]
        used = [
            folder if why is None else Path(temporary_folder(), name)
            for (folder, why), name in zip(faults, ("cache", "state"), strict=True)
        ]
        return cls(
            cache=used[0],
            state=used[1],
            state_named=bool(variables.get("VENVMAN_STATE_DIR")),
            refused=tuple((folder, why) for folder, why in faults if why is not None),
        )

    def holds_stranger(self, path: Path) -> bool:
        """Whether ``path``, or what it is a link to, lies in the work tree of the project."""
        named, real = os.path.abspath(path), os.path.realpath(path)  # noqa: PTH100 - links are kept
        return any(
            each == folder or each.startswith(f"{folder}{os.sep}")
            for stranger in self.strangers
            for folder in {str(stranger), os.path.realpath(stranger)}
            for each in (named, real)
        )

    def environment_lock(self, environment: Path) -> Path:
        """The lock file of ``environment``: outside it, so that a rebuild keeps it."""
        return self.state / "locks" / f"{_key(environment)}.lock"

    def project_state(self, root: Path) -> Path:
        """The folder for what is remembered of the project at ``root``; may vanish at any time."""
        return self.state / "projects" / _key(root)


def _key(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:32]
