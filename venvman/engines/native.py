"""The native engine: what is known already, else solved by :mod:`venvman.engines.solving`.

Nothing that solving needs is imported here: a known answer comes back before that would be loaded.

The question is a digest over everything that the answer depends on but the pages, which
:mod:`venvman.index.memo` looks after. It must name too much rather than too little: what is left
out here would be answered wrongly, what is superfluous only more slowly. What cannot be named
(folders, repositories, archives, find-links, an age that counts back from now, a named upgrade) has
no question, and is solved every time.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.engines import Resolution, UpgradeAll, UpgradeSome
from venvman.index import memo
from venvman.lock.parse import parse_lock
from venvman.lock.render import render_lock
from venvman.model.events import Relay, Reporter, Stage
from venvman.model.options import layer
from venvman.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from venvman.engines import FreezeRequest
    from venvman.lock.file import Lock
    from venvman.model.errors import Problem
    from venvman.model.events import Reporter
    from venvman.model.options import IndexOptions
    from venvman.project.groups import Group
    from venvman.project.project import Project


def freeze(request: FreezeRequest, reporter: Reporter) -> Resolution:
    """See :data:`venvman.engines.Engine`; of several targets, a conflict names those it is on.

    An answer that came with something to tell the user is not kept, so that it is told again.
    """
    kind = "native-targets" if request.targets else "native"
    question = question_of(kind, request)
    cache = str(request.directories.cache)
    if question is not None:
        found = memo.recall(cache, question, offline=request.index.offline)
        if found is not None and found[0].keys() == {group.name for group in request.groups}:
            locks: dict[str, Lock] = {}
            for group in request.groups:
                locks[group.name] = parse_lock(found[0][group.name], path=group.lock.name)
                reporter.advanced(Stage.FREEZE, item=group.name)
            return Resolution(locks=locks, pages=found[1])
    listener = _Listener(reporter)
    resolution = _solve(request, listener)
    if question is None or listener.heard:
        return replace(resolution, pages=None)
    if resolution.pages:
        texts = {name: render_lock(lock) for name, lock in resolution.locks.items()}
        memo.keep(cache, question, texts, resolution.pages)
    return resolution


def _solve(request: FreezeRequest, reporter: Reporter) -> Resolution:
    from venvman.engines.portable import pin_repositories
    from venvman.engines.solving import freeze_from, open_index

    with closing(open_index(request, reporter)) as index:
        if request.targets:
            from venvman.engines.manytargets import ManyTargets

            resolution = ManyTargets(request, index, reporter).run()
        else:
            pinned = pin_repositories(request)
            resolution = freeze_from(index, request, reporter, pinned=pinned, computed={})
        return replace(resolution, pages=index.evidence.pages)


VERSION = 2
"""Counted up whenever the same question may get another answer: pins, order, text of locks."""


def question_of(kind: str, request: FreezeRequest) -> str | None:
    """The digest (64 hex digits) of what ``request`` asks; None where that cannot be named.

    Two checkouts of one project ask the same: paths count from the project's root.
    """
    options = layer(
        request.index, tuple(each for group in request.groups for each in group.options)
    )
    if (
        isinstance(request.upgrade, UpgradeSome)
        or options.find_links
        or not all(line.source.is_index for line in request.lines)
        or _counts_from_now(request.exclude_newer)
    ):
        return None
    try:
        facts = tuple(_facts(kind, request, options))
    except OSError:
        return None
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()


def _counts_from_now(exclude_newer: str | None) -> bool:
    """Whether the moment is another one whenever it is asked for."""
    if exclude_newer is None:
        return False
    from venvman.model.options import cutoff

    now = datetime.now(timezone.utc)
    try:
        return cutoff(exclude_newer, now=now) != cutoff(exclude_newer, now=now - timedelta(days=1))
    except ValueError:
        return True  # the engine says what is wrong


def _facts(kind: str, request: FreezeRequest, options: IndexOptions) -> Iterator[object]:
    """Plain values whose :func:`repr` tells any two different questions apart."""
    import packaging

    # What works the answer out: an upgrade of any of it changes its folder.
    site = Path(packaging.__file__).parents[1]
    yield VERSION, __version__, packaging.__version__, site.stat().st_mtime_ns
    yield kind
    yield request.hashes, request.exclude_newer, request.overrides, request.build_constraints
    yield sorted(request.extra_build_requires.items()), sorted(request.unisolated)
    yield isinstance(request.upgrade, UpgradeAll)
    yield [(entry.name, str(entry.version)) for entry in request.installed]
    yield sorted(sorted(names) for names in request.conflicts), request.parts
    values = [getattr(options, each.name) for each in fields(options) if each.compare]
    yield [sorted(value) if isinstance(value, frozenset) else value for value in values]
    yield list(_credentials(request))
    yield str(request.python)
    for target in (request.target, request.built_on, *request.targets):
        yield None if target is None else (target.python, target.markers, target.tags)
    for group in request.groups:
        yield from _group(group, request.project)
        lock = request.locks.get(group.name)
        yield None if lock is None else (lock.header.text, render_lock(lock))
    for path, beside in request.beside.items():
        yield os.path.relpath(path, request.project.root), render_lock(beside)


def _credentials(request: FreezeRequest) -> Iterator[object]:
    """The files that credentials come from, which decide what an index shows."""
    told = request.variables.get("NETRC")
    home = request.variables.get("HOME") or request.variables.get("USERPROFILE") or ""
    for path in [Path(told)] if told else [Path(home, leaf) for leaf in (".netrc", "_netrc")]:
        try:
            info = path.expanduser().stat()
        except (OSError, RuntimeError):
            yield str(path), None
        else:
            yield str(path), info.st_mtime_ns, info.st_size


def _group(group: Group, project: Project) -> Iterator[object]:
    root = project.root
    sources = tuple(os.path.relpath(path, root) for path in group.sources)
    lock = os.path.relpath(group.lock, root)
    yield group.name, sources, lock, group.header and group.header.command
    for path in group.files:
        yield os.path.relpath(path, root), project.read(path)
    for line in (*group.requirements, *group.constraints):
        yield (
            line.name, line.spelled, sorted(line.extras), str(line.specifier), str(line.marker),
            line.hashes, line.config_settings, line.constraint, line.raw,
            line.origin.path, line.origin.line, line.origin.text,
        )  # fmt: skip


class _Listener(Relay):
    """Passes everything on, and notes whether there was something to tell."""

    def __init__(self, reporter: Reporter) -> None:
        downloads = ("download_started", "download_advanced", "download_finished")
        super().__init__(reporter, "advanced", *downloads, "build_finished")
        self.heard = False

    def build_started(self, label: str) -> None:
        """See :class:`Reporter`."""
        self.heard = True
        self._reporter.build_started(label)

    def detail(self, text: str) -> None:
        """See :class:`Reporter`."""
        self.heard = True
        self._reporter.detail(text)

    def problem(self, problem: Problem) -> None:
        """See :class:`Reporter`."""
        self.heard = True
        self._reporter.problem(problem)
