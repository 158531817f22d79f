"""Leaving a stamp after a sync, so that the next one is answered by :mod:`venvman.stamp` alone."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from venvman import freshstamp, stamp
from venvman.environment.ledger import read_ledger
from venvman.frozen import dataclass
from venvman.install import states
from venvman.install.layout import site_of
from venvman.pipconfig import configuration_files
from venvman.reading import read_regular
from venvman.requirements.includes import local_path
from venvman.workflow.wishes import limits_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from venvman.environment.inspection import Environment
    from venvman.install.layout import Site
    from venvman.scan import Scan
    from venvman.workflow.context import Context

__all__ = ["Looked", "leave_fresh_stamp", "leave_stamp"]

_VARIABLE = re.compile(rb"\$\{([A-Z0-9_]+)\}")
_ROOT_FILES = ("pyproject.toml", ".python-version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What a sync looked at, and when (nanoseconds since the epoch).

    ``files_ns`` is when the requirements files and locks began to be read, ``environment_ns`` when
    the environment was last compared with the lock and nothing was to be done. ``groups`` are those
    whose locks were chosen.
    """

    scan: Scan
    groups: tuple[str, ...]
    environment: Environment
    files_ns: int
    environment_ns: int


def leave_stamp(
    context: Context, looked: Looked, arguments: Sequence[str], *, text: str, locked: int
) -> bool:
    """Stamps the environment as in accordance with the locks; whether that can be trusted.

    ``arguments`` are the command line's, ``text`` what is printed when nothing is to be done,
    ``locked`` counts what the locks name. The state is written down too, so that it can be gone
    back to (:mod:`venvman.install.switch`). No stamp is left for a command line that none could
    answer, or where something changed after it was looked at, or just before.
    """
    if not stamp.is_answerable(arguments):
        return False
    if _rests_on_servers(context, looked.scan):
        return False
    environment = str(looked.environment.root)
    names = sorted(_variables_in(looked.scan))
    try:
        state = _state(context, looked, arguments, names=names, text=text, locked=locked)
        facts = stamp.look((*_files(context, looked.scan, looked.files_ns), *_environment(looked)))
        if facts is None:
            stamp.remove(environment)
            return False
    except OSError:
        return False
    parts = tuple(each for each in facts if each[0] == stamp.PART)
    key = ""
    # With the setting ``keep`` what stays depends on what is there, as with --inexact.
    if locked and not context.settings.keep.value:
        key = states.record(environment, state._replace(parts=parts))
    return stamp.write(
        environment,
        flags=state.flags,
        names=names,
        seen=state.seen,
        state=key,
        text=text,
        facts=facts,
    )


def _state(
    context: Context,
    looked: Looked,
    arguments: Sequence[str],
    *,
    names: Sequence[str],
    text: str,
    locked: int,
) -> states.State:
    """What the environment holds, looked at before the stamp's facts, which say that it was so."""
    site = site_of(looked.environment)
    before = states.newest(str(looked.environment.root))
    held, others = states.survey(
        site.root,
        site.folders,
        read_ledger(site.root),
        before=before.held if before is not None and before.folders == site.folders else None,
    )
    return states.State(
        flags=stamp.flags_of(arguments),
        names=tuple(names),
        seen=stamp.seen_of(context.variables, names),
        contents=states.contents_of(
            (kind, path) for kind, path, _ in _files(context, looked.scan, looked.files_ns)
        ),
        text=text,
        parts=(),
        folders=site.folders,
        lasting=tuple(sorted(site.lasting)),
        held=held,
        others=others,
        locked=locked,
        lock=str(context.directories.environment_lock(looked.environment.root)),
        manner=_manner(context, site),
    )


def _manner(context: Context, site: Site) -> states.Manner | None:
    if context.settings.compile.value:
        return None
    link = context.settings.link.value.value
    return states.Manner(str(context.directories.cache), link, asdict(site))


def leave_fresh_stamp(
    context: Context, arguments: Sequence[str], *, since_ns: int, text: str
) -> bool:
    """Keeps that a freeze with ``arguments`` had nothing to do; whether that can be trusted.

    ``since_ns`` is when it began to look: what changed later is not trusted, so looking at the
    files' names once more finds the same.
    """
    from venvman.environment.lifecycle import locate
    from venvman.workflow.places import freezing_interpreter
    from venvman.workflow.wishes import open_scan

    if not freshstamp.is_answerable(arguments):
        return False
    scan = open_scan(context)
    if _rests_on_servers(context, scan):
        return False
    place = locate(context.project, context.settings)
    python = freezing_interpreter(context).path
    watched = [(stamp.FILE, str(path), since_ns) for path in (place / "pyvenv.cfg", python)]
    try:
        facts = stamp.look((*_files(context, scan, since_ns), *watched))
    except OSError:
        return False
    if facts is None:
        return False
    return freshstamp.write(
        str(context.project.root),
        arguments,
        context.variables,
        names=_variables_in(scan),
        text=text,
        facts=facts,
    )


def _files(context: Context, scan: Scan, files_ns: int) -> Iterator[stamp.Watched]:
    root = context.project.root
    for folder in (root, root / "requirements"):
        yield stamp.NAMES, str(folder), files_ns
    paths = {file.path for file in scan.files}
    paths |= {source.lock for source in scan.sources}
    paths |= {root / name for name in _ROOT_FILES}
    if context.project.git_root is not None:
        above = (each for each in root.parents if each.is_relative_to(context.project.git_root))
        paths |= {folder / ".python-version" for folder in above}
    paths |= set(_project_files(scan, root))
    paths |= {Path(limit) for each in limits_of(context) if (limit := local_path(each)) is not None}
    paths |= set(configuration_files(context.variables, home=context.home))
    for path in sorted(paths):
        yield stamp.FILE, str(path), files_ns


def _project_files(scan: Scan, root: Path) -> Iterator[Path]:
    """The build metadata of local projects, which decides whether a lock is fresh."""
    from venvman.localproject import inputs_of
    from venvman.sources import DirectorySource

    for file in scan.files:
        for line in file.parsed.requirements if file.parsed else ():
            if isinstance(line.requirement.source, DirectorySource):
                source = line.requirement.source
                folder = Path(root, source.path, source.subdirectory or "")
                yield from (folder / name for name in inputs_of(folder))


def _environment(looked: Looked) -> Iterator[stamp.Watched]:
    environment, when = looked.environment, looked.environment_ns
    for folder in environment.site_folders:
        yield stamp.SITE, str(folder), when
    paths = [
        environment.root / "pyvenv.cfg",
        environment.python,
        environment.interpreter.path,
        environment.state / "journal.json",
        environment.state / "stage",
    ]
    for path in paths:
        yield stamp.PART, str(path), when


def _rests_on_servers(context: Context, scan: Scan) -> bool:
    return any(local_path(each) is None for each in limits_of(context)) or any(
        _is_remote(scan, file.path) for file in scan.files
    )


def _is_remote(scan: Scan, path: Path) -> bool:
    """Whether a file includes one from a server, whose content nobody watches."""
    file = scan.file(path)
    if file is None or file.parsed is None:
        return False
    return any("://" in line.target for line in file.parsed.includes)


def _variables_in(scan: Scan) -> frozenset[str]:
    """The ``${NAME}`` of all requirements files."""
    found: set[bytes] = set()
    for file in scan.files:
        try:
            content = read_regular(file.path)
        except OSError:
            continue
        if b"${" in content:
            found.update(_VARIABLE.findall(content))
    return frozenset(os.fsdecode(name) for name in found)
