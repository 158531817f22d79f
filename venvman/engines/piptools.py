"""The pip-tools engine: pip-compile, run for the target, its files and words turned into ours.

The reference: slow, and right. Every run happens in a private picture of the project
(:mod:`venvman.engines.pipcompile`). Several groups are first resolved together; the pins found
there are then what each group's own run starts from: locks agree, and each holds its closure.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.engines import FreezeRequest, Resolution, UpgradeSome
from venvman.engines.conflicts import resolved_apart
from venvman.engines.given import (
    command_of,
    first_of_each,
    kept_entries,
    ordered,
    read_sources,
)
from venvman.engines.pipcompile import Finisher, Mirror, compiler, pip_environment
from venvman.engines.piperrors import explain
from venvman.engines.portable import REFERENCE, pin_repositories
from venvman.lock.direct import reference_text
from venvman.lock.file import Lock, LockEntry, located
from venvman.lock.match import matches_source
from venvman.lock.render import render_lock
from venvman.model.errors import Advice, FreezeError
from venvman.model.events import Reporter, Stage
from venvman.model.sources import DirectorySource
from venvman.requirements.header import LockHeader
from venvman.system.process import stream
from venvman.system.secrets import redact

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.model.names import NormalizedName
    from venvman.project.groups import Group

_COMBINED = ".venvman-combined.txt"
_LIMITS = ".venvman-limits.txt"


def freeze(request: FreezeRequest, reporter: Reporter) -> Resolution:
    """pip-compile as a freeze engine; see :data:`venvman.engines.Engine`."""
    with tempfile.TemporaryDirectory(prefix="venvman-") as folder:
        run = _Freeze(request, reporter, Path(folder))
        return resolved_apart(request, reporter, run.resolve)


class _Freeze:
    """One freeze, from start to end."""

    def __init__(self, request: FreezeRequest, reporter: Reporter, folder: Path) -> None:
        self._request = request
        self._reporter = reporter
        self._root = request.project.root
        self._environment = pip_environment(
            request.variables, request.index, cache=request.directories.cache
        )
        self._compiler = compiler(
            request.python,
            request.target,
            directories=request.directories,
            environment=self._environment,
            reporter=reporter,
        )
        self._environment |= _within(request.build_constraints, folder)
        self._mirror = Mirror(folder, self._root)
        self._sources = {
            group.name: read_sources(group, request.project) for group in request.groups
        }
        self._pinned = pin_repositories(request)
        self._finisher = Finisher(request, self._mirror, self._pinned)
        # Copies every source file into the picture, repositories at their commits.
        for sources in self._sources.values():
            for path, text in sources.texts.items():
                self._mirror.write(path, REFERENCE.sub(self._at_commit, text))
        for path, lock in request.beside.items():
            self._mirror.write(path, render_lock(lock))
        for group in request.groups:
            for requirement in group.requirements:
                if isinstance(requirement.source, DirectorySource):
                    self._mirror.link(Path(requirement.source.path))
            for options in group.options:
                for link in options.find_links:
                    if Path(link).is_absolute():
                        self._mirror.link(Path(link))

    def resolve(self, apart: set[str]) -> Resolution:
        groups = self._request.groups
        together = [group for group in groups if group.name not in apart]
        common = self._combined(together) if len(groups) > 1 and together else ()
        locks: dict[str, Lock] = {}
        for group in ordered(groups, self._sources):
            separate = group.name in apart
            locks[group.name] = self._single(group, common, separate=separate)
            self._reporter.advanced(Stage.FREEZE, item=group.name)
        return Resolution(locks={group.name: locks[group.name] for group in groups})

    # ---- one run -------------------------------------------------------------------------

    def _combined(self, groups: Sequence[Group]) -> tuple[LockEntry, ...]:
        """The pins of all ``groups`` together."""
        for group in self._request.groups:
            self._mirror.write(group.lock, "")  # stands for its source, which is here itself
        output = self._root / _COMBINED
        kept = first_of_each(
            entry
            for group in groups
            for entry in kept_entries(self._request, group)
            if entry.source.is_index
        )
        self._mirror.write(output, _seed(kept))
        sources = [os.path.relpath(path, self._root) for group in groups for path in group.sources]
        limits = _limits(self._beside(), self._root) + self._outside(groups)
        options = ("--allow-unsafe", "--strip-extras", f"--output-file={_COMBINED}")
        arguments = (*self._limited_by(limits), *options, *sources)
        text = self._compile(arguments, self._mirror.root, output, groups)
        return self._finisher.entries(text, groups)

    def _single(self, group: Group, common: Sequence[LockEntry], *, separate: bool) -> Lock:
        """The lock of one group; its pins are those of ``common`` where that has them."""
        command = command_of(self._request, group)
        hashes = {entry.name: entry for entry in kept_entries(self._request, group)}
        known = [
            replace(entry, hashes=hashes[entry.name].hashes)
            if entry.source.is_index
            and entry.name in hashes
            and hashes[entry.name].version == entry.version
            else entry
            for entry in common
        ]
        seed = [*known, *(entry for entry in hashes.values() if not common or separate)]
        self._mirror.write(
            group.lock, _seed(entry for entry in first_of_each(seed) if entry.source.is_index)
        )
        limits = [
            entry
            for entry in common
            if (separate or not entry.source.is_index) and self._may_limit(entry, group)
        ]
        named = {entry.name for entry in limits}
        limits += [
            entry
            for entry in self._beside()
            if entry.name not in named and self._may_limit(entry, group)
        ]
        text = _limits(limits, self._root) + self._outside([group])
        arguments = (*self._limited_by(text), *command.arguments)
        text = self._compile(arguments, self._mirror.of(command.folder), group.lock, [group])
        lock = self._finisher.lock(
            text,
            group,
            self._sources[group.name],
            command=command,
            limited=bool(limits) and not separate and not self._request.beside,
            common=common,
        )
        self._mirror.write(group.lock, text)
        if not separate:
            _agree(lock, common)
        return lock

    def _compile(
        self, arguments: Sequence[str], cwd: Path, output: Path, groups: Sequence[Group]
    ) -> str:
        no_config = () if any(word.startswith("--config") for word in arguments) else NO_CONFIG
        words = (*self._compiler, "--verbose", *no_config, *arguments)
        done = stream(words, cwd=cwd, env=self._environment, on_line=self._say)
        if not done.ok:
            raise explain(self._mirror.original(done.stdout), groups)
        return self._mirror.of(output).read_text(encoding="utf-8")

    def _say(self, line: str) -> None:
        text = redact(self._mirror.original(line)).rstrip()
        if text:
            self._reporter.detail(text)

    def _limited_by(self, text: str) -> tuple[str, ...]:
        """What makes pip-compile take the lines of ``text`` for constraints."""
        return (f"--constraint={self._mirror.write(self._root / _LIMITS, text)}",) if text else ()

    def _outside(self, groups: Iterable[Group]) -> str:
        """The constraints that no file names: those of pip's configuration and of an upgrade."""
        lines = dict.fromkeys(requirement.raw for group in groups for requirement in group.outside)
        upgrade = self._request.upgrade
        if isinstance(upgrade, UpgradeSome):
            lines |= dict.fromkeys(requirement.raw for requirement in upgrade.within)
        return "".join(f"{line}\n" for line in lines)

    # ---- what a run starts from ----------------------------------------------------------

    def _at_commit(self, match: re.Match[str]) -> str:
        source = self._pinned.get(match[0])
        if source is None:
            return match[0]
        _, hash_sign, fragment = match[0].partition("#")
        return f"git+{source.url}@{source.commit}{hash_sign}{fragment}"

    def _beside(self) -> list[LockEntry]:
        """The pins of the locks beside the groups that apply here."""
        target = self._request.target
        return first_of_each(
            entry
            for lock in self._request.beside.values()
            for entry in lock.entries
            if target.applies(entry.marker) and not entry.source.editable
        )

    def _may_limit(self, entry: LockEntry, group: Group) -> bool:
        """Pip refuses editables as constraints, and what the group itself names needs none."""
        if entry.source.editable:
            return False
        return not any(matches_source(each, entry, root=self._root) for each in group.requirements)


NO_CONFIG = ("--no-config",)


def _within(build_constraints: Sequence[str], folder: Path) -> dict[str, str]:
    """Variables by which what builds need keeps within ``build_constraints``."""
    if not build_constraints:
        return {}
    file = folder / "build-constraints.txt"
    file.write_text("".join(f"{line}\n" for line in build_constraints), encoding="utf-8")
    # Older pips know one variable for both; pip-compile itself takes no constraints from it.
    return {"PIP_CONSTRAINT": file.as_uri(), "PIP_BUILD_CONSTRAINT": file.as_uri()}


def _seed(entries: Iterable[LockEntry]) -> str:
    """A lock for pip-compile to take its preferences from: pins and hashes, nothing else."""
    bare = [replace(entry, extras=frozenset(), marker=None, via=()) for entry in entries]
    text = render_lock(Lock(entries=tuple(bare), header=LockHeader(text="")))
    return text if bare else ""


def _limits(entries: Iterable[LockEntry], root: Path) -> str:
    """Constraints, one for each entry; pip wants each to begin with its name."""
    lines = []
    for entry in entries:
        source = located(entry.source, root)
        if source.is_index:
            lines.append(f"{entry.name}=={entry.version}")
        else:
            url = reference_text(source)
            prefix = "file://" if isinstance(source, DirectorySource) else ""
            lines.append(f"{entry.name} @ {prefix}{url}")
    return "".join(f"{line}\n" for line in lines)


def _agree(lock: Lock, common: Sequence[LockEntry]) -> None:
    pins: Mapping[NormalizedName, LockEntry] = {entry.name: entry for entry in common}
    for entry in lock.entries:
        pin = pins.get(entry.name)
        if pin is not None and pin.version != entry.version:
            raise FreezeError(
                f"The groups disagree about {entry.name}: {pin.version} and {entry.version}.",
                code="groups-disagree",
                why="pip-compile could not keep the version that all groups together need.",
                fix=Advice("Freeze with --upgrade, so that every pin may move."),
            )
