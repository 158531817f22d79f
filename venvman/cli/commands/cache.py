"""``venvman cache dir | size | prune | clean``: no project is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from venvman.cli.session import Session
    from venvman.report.result import Result

__all__ = ["cache_clean", "cache_dir", "cache_prune", "cache_size"]


def cache_dir(session: Session) -> Result:
    """Show where the cache is."""
    from venvman.report.plain import cache_dir_result

    return cache_dir_result(session.directories.cache)


def cache_size(session: Session) -> Result:
    """Show how much the cache holds, by kind."""
    from venvman.cachecare import measure
    from venvman.report.plain import cache_size_result

    folder = session.directories.cache
    return cache_size_result(folder, measure(folder))


def cache_prune(session: Session) -> Result:
    """Remove wheels that no environment links to, and what is 30 days old."""
    import time

    from venvman.cachecare import prune
    from venvman.report.plain import cache_freed_result

    folder = session.directories.cache
    return cache_freed_result(folder, prune(folder, now=time.time()), command="cache prune")


def cache_clean(session: Session) -> Result:
    """Remove everything in the cache; environments keep their files."""
    from venvman.cachecare import clear
    from venvman.report.plain import cache_freed_result

    folder = session.directories.cache
    return cache_freed_result(folder, clear(folder), command="cache clean")
