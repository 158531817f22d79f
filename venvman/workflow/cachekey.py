"""The key under which a CI keeps the cache: the same as long as the same wheels are needed."""

from __future__ import annotations

import hashlib
import platform
import sys
from typing import TYPE_CHECKING

from venvman.reading import read_regular
from venvman.workflow.wishes import scan_projects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from venvman.scan import Scan
    from venvman.workflow.context import Context

__all__ = ["cache_key"]

_LAYOUT = 1  # to be raised when a new version can make nothing of an old one's cache


def cache_key(contexts: Sequence[Context]) -> str:
    """``venvman-1-linux-x86_64-<digest>`` of the locks' contents, of sources where none is there.

    What stands before the digest finds a cache of other locks, most of whose wheels are the same.

    Raises:
        OSError: a lock cannot be read.
    """
    digest = hashlib.sha256()
    for scan, _ in scan_projects(contexts):
        for path in sorted(_inputs(scan)):
            content = read_regular(str(path)).replace(b"\r\n", b"\n")
            digest.update(hashlib.sha256(content).digest())
    system = f"{sys.platform}-{platform.machine()}".lower()
    return f"venvman-{_LAYOUT}-{system}-{digest.hexdigest()[:20]}"


def _inputs(scan: Scan) -> Iterator[Path]:
    for source in scan.sources:
        if source.lock.is_file():
            yield source.lock
        else:
            yield from (path for path in source.paths if path.is_file())
