"""What ``cache`` looks at in a project: its attic, and the key under which a CI keeps the cache."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.outcomes import AtticReport
from venvman.system.reading import read_regular
from venvman.workflow.inputs import scan_projects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.store.care import Freed
    from venvman.workflow.context import Context


def attic_of(context: Context) -> AtticReport | None:
    """What the environment's attic keeps; None where there is no environment.

    Raises:
        EnvironmentUnusable: something that is no environment is at its path.
    """
    from venvman.install.attic import Attic, AtticLimit

    environment = context.environment()
    if environment is None:
        return None
    setting = context.settings.attic.value
    return AtticReport(
        project=context.project,
        environment=environment.root,
        entries=tuple(Attic(os.path.realpath(environment.root)).entries()),
        limit=AtticLimit.parse(setting),
        setting=setting,
    )


def clear_attic(context: Context) -> tuple[Path, Freed]:
    """Empties the attic, under the environment's lock; its folder, and what was in it.

    Raises:
        EnvironmentUnusable: something that is no environment is at its path.
        InstallError: a transaction that was stopped there can neither be finished nor reverted.
    """
    from venvman.install.attic import ATTIC
    from venvman.install.environmentlock import locked
    from venvman.install.journal import STAGE
    from venvman.install.transaction import recover
    from venvman.store.care import Freed, held

    location = context.environment_path
    if context.environment() is None:
        return location / ATTIC, Freed()
    with locked(location, context.directories, reporter=context.reporter):
        recover(location, directories=None)
        freed = held(location / ATTIC)
        # Through the stage, which the next command clears if this one is killed on the way.
        stage = location / STAGE
        with suppress(FileNotFoundError):
            stage.mkdir(parents=True, exist_ok=True)
            (location / ATTIC).rename(stage / "attic")
        shutil.rmtree(stage, ignore_errors=True)
    return location / ATTIC, freed


_LAYOUT = 1  # to be raised when a new version can make nothing of an old one's cache


def cache_key(contexts: Sequence[Context]) -> str:
    """``venvman-1-linux-x86_64-<digest>`` of the locks' contents, of sources where none is there.

    What stands before the digest finds a cache of other locks, most of whose wheels are the same.

    Raises:
        OSError: a lock cannot be read.
    """
    digest = hashlib.sha256()
    for scan, _ in scan_projects(contexts):
        inputs: list[Path] = []
        for source in scan.sources:
            there = source.lock.is_file()
            inputs += [source.lock] if there else filter(Path.is_file, source.paths)
        for path in sorted(inputs):
            content = read_regular(str(path)).replace(b"\r\n", b"\n")
            digest.update(hashlib.sha256(content).digest())
    system = f"{sys.platform}-{platform.machine()}".lower()
    return f"venvman-{_LAYOUT}-{system}-{digest.hexdigest()[:20]}"
