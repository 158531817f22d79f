"""``venvman cache dir | key | size | prune | verify | clean``; key and attic need a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.cli.faults import UsageFault
from venvman.model.errors import Problem, ProjectNotFound, Severity

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from venvman.cli.session import Session
    from venvman.cli.table import CacheClean, CachePrune, Common, Scan
    from venvman.report.result import Result


def cache_dir(session: Session, _given: Common) -> Result:
    from venvman.report.cache import cache_dir_result

    return cache_dir_result(session.directories.cache)


def cache_key(session: Session, given: Scan) -> Result:
    from venvman.report.cache import cache_key_result
    from venvman.workflow import caching

    contexts = session.contexts(workspace=given.all_projects)
    return cache_key_result(caching.cache_key([each.looking() for each in contexts]))


def cache_size(session: Session, _given: Common) -> Result:
    from venvman.report.cache import cache_size_result
    from venvman.store.care import measure
    from venvman.workflow.caching import attic_of

    folder = session.directories.cache
    # The project's, where there is one: most of the cache is nobody's in particular.
    try:
        context = session.context()
    except ProjectNotFound:
        if session.named is not None:
            raise
        context = None
    attic = None if context is None else attic_of(context)
    return cache_size_result(folder, measure(folder), attic)


def cache_prune(session: Session, given: CachePrune) -> Result:
    import time

    from venvman.report.cache import cache_freed_result
    from venvman.store.care import prune

    folder = session.directories.cache
    age = None if given.older_than is None else _seconds(given.older_than)
    limit = None if given.max_size is None else _bytes(given.max_size)
    with _alone(session):
        freed = prune(folder, now=time.time(), older_than=age, max_size=limit)
    return cache_freed_result(folder, freed, command="cache prune")


def cache_verify(session: Session, _given: Common) -> Result:
    from venvman.report.cache import cache_verified_result
    from venvman.store.care import discard, verify

    folder = session.directories.cache
    found = verify(folder, state=session.directories.state)
    if found.damaged:
        with _alone(session):
            return cache_verified_result(folder, found, discard(folder, found.damaged))
    return cache_verified_result(folder, found, ())


def cache_clean(session: Session, given: CacheClean) -> Result:
    from venvman.report.cache import cache_freed_result
    from venvman.store.care import clear
    from venvman.workflow.caching import clear_attic

    if given.attic:
        folder, freed = clear_attic(session.context())
        return cache_freed_result(folder, freed, command="cache clean")
    folder = session.directories.cache
    with _alone(session):
        freed = clear(folder)
    return cache_freed_result(folder, freed, command="cache clean")


def _alone(session: Session) -> AbstractContextManager[None]:
    from venvman.system.locks import using

    def waiting() -> None:
        session.reporter.problem(
            Problem(
                code="cache-in-use",
                message="Waiting for the commands that use the cache at this moment.",
                severity=Severity.NOTE,
            )
        )

    return using(session.directories.cache, alone=True, waiting=waiting)


def _seconds(text: str) -> float:
    """``30d``, ``2 weeks``, ``12h``.

    Raises:
        UsageFault: it is no age.
    """
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
    words = r"(seconds?|s|minutes?|min|m|hours?|h|days?|d|weeks?|w)"
    match = re.fullmatch(rf"(\d+)\s*{words}", text.strip().lower())
    if match is None:
        raise UsageFault(f"--older-than is an age such as 30d or 12h, not {text!r}.")
    return float(match[1]) * units[match[2][0]]


def _bytes(text: str) -> int:
    """``5GiB``, ``500 MB``, ``0B``.

    Raises:
        UsageFault: it is no size.
    """
    from venvman.install.attic import AtticLimit

    try:
        size = AtticLimit.parse(text).size
    except ValueError:
        size = None
    if size is None:
        raise UsageFault(f"--max-size is a size such as 5GiB or 500MB, not {text!r}.")
    return size
