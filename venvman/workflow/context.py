"""What every command starts from: the project, its settings, and the world it may touch."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.index.memo import Evidence
from venvman.model.errors import (
    Advice,
    Command,
    ConfigurationError,
    EnvironmentUnusable,
    Problem,
    Severity,
    VenvmanError,
)
from venvman.model.frozen import dataclass
from venvman.model.names import NormalizedName, canonical, is_name
from venvman.project.settings import Origin, Settings, read_settings, user_file
from venvman.system.directories import Directories

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from venvman.environment.inspection import Condition, Environment
    from venvman.environment.inventory import Seen
    from venvman.index.client import Index
    from venvman.lock.file import Lock
    from venvman.model.events import Reporter
    from venvman.model.options import ConstraintsFile, FileOptions, IndexOptions
    from venvman.project.project import Project
    from venvman.python.request import PythonRequest
    from venvman.store.store import Store

_PATIENCE = 5.0
"""Seconds that a server with a requirements file has to answer: many commands ask it first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a verb needs besides its own request; nothing in it is global.

    ``variables`` is the process environment, ``cwd`` the absolute working directory. ``parsed`` are
    the locks that the verb has read so far with the bytes they were, by path: parsing a large one
    takes longer than comparing an environment with it; ``fetched`` is what servers gave, or why
    not. ``seen`` is what it has read of the environment (see
    :func:`venvman.environment.inventory.take_inventory`), ``evidence`` the index pages it used.
    ``looks`` says that the verb changes nothing: what a killed command left is told of, not
    settled, and nothing of the project is started (trust.md). ``walked`` are the folders among
    which the project was found, where it is one of a workspace; ``several`` of it are worked on.
    """

    project: Project
    settings: Settings
    directories: Directories
    variables: Mapping[str, str]
    cwd: Path
    reporter: Reporter
    looks: bool = False
    walked: tuple[Path, ...] = ()
    several: bool = False
    parsed: dict[tuple[Path, tuple[str, ...] | None], tuple[bytes, Lock]] = field(
        default_factory=dict, compare=False, repr=False
    )
    fetched: dict[str, bytes | VenvmanError] = field(
        default_factory=dict, compare=False, repr=False
    )
    seen: Seen = field(default_factory=dict, compare=False, repr=False)
    evidence: Evidence = field(default_factory=Evidence, compare=False, repr=False)

    def looking(self) -> Context:
        """The same for a verb that changes nothing."""
        return replace(self, looks=True, directories=replace(self.directories, looks=True))

    @property
    def home(self) -> Path:
        """The user's home folder, as the variables say."""
        return home_of(self.variables)

    @property
    def environment_path(self) -> Path:
        """Where the environment is, or is to be."""
        from venvman.environment.lifecycle import locate

        return locate(self.project, self.settings)

    @property
    def python_request(self) -> PythonRequest:
        """Which Python is asked for, by a flag, a variable, or a file."""
        from venvman.project.python import request_of

        return request_of(self.project, self.settings, cwd=self.cwd)

    def inspect(self) -> Condition:
        """What is at :attr:`environment_path`."""
        from venvman.environment.inspection import inspect

        return inspect(self.environment_path, directories=self.directories)

    def environment(self) -> Environment | None:
        """The environment, None where there is none yet.

        Raises:
            EnvironmentUnusable: it is broken, or something else is there.
        """
        from venvman.environment.inspection import usable

        return usable(self.environment_path, directories=self.directories)

    def require_environment(self, what: str = "yet") -> Environment:
        """The environment, where there has to be one: ``what`` ends the sentence otherwise.

        Raises:
            EnvironmentUnusable: there is none, or as :meth:`environment` raises.
        """
        found = self.environment()
        if found is None:
            shown = self.project.display(self.environment_path)
            raise EnvironmentUnusable(
                f"There is no environment {shown} {what}.",
                code="environment-absent",
                path=shown,
                fix=Command.venvman("sync"),
            )
        return found

    def sound_environment(self) -> Environment | None:
        """The environment, None where there is none, or a broken one."""
        from venvman.environment.inspection import Environment

        found = self.inspect()
        return found if isinstance(found, Environment) else None

    @property
    def fresh_locks(self) -> Path:
        """Where it is remembered that the project's locks were found fresh."""
        return self.directories.project_state(self.project.root) / "verdicts.json"

    def open_store(self) -> Store:
        """The machine-wide store of unpacked wheels; close it."""
        from venvman.store.store import Store

        return Store(self.directories.cache, reporter=self.reporter)

    def open_index(self, options: IndexOptions) -> Index:
        """A client for all of ``options``' indexes and what the settings bind to one; close it."""
        from venvman.index.client import Index

        if options.offline:
            self.evidence.mark_uncacheable()  # another time there may be more at hand
        return Index(
            options,
            directories=self.directories,
            variables=self.variables,
            reporter=self.reporter,
            evidence=self.evidence,
        )

    def index_options(self, files: tuple[FileOptions, ...] = ()) -> IndexOptions:
        """This machine's pip configuration with the options of ``files`` on top."""
        from venvman.model.options import layer
        from venvman.project.pipconfig import read_pip_configuration

        base = read_pip_configuration(self.variables, home=self.home)
        return replace(
            layer(base, files),
            offline=self.settings.offline.value,
            sources=self.settings.sources.value,
            preferred=tuple(map(self._located_index, self.settings.prefer_indexes.value)),
        )

    def _located_index(self, location: str) -> str:
        """A folder counts from the project."""
        return location if "://" in location else str(self.project.root / location)

    @property
    def constraint_files(self) -> tuple[ConstraintsFile, ...]:
        """What limits every group besides its files: the setting, then pip's own configuration."""
        from venvman.model.options import ConstraintsFile

        setting = self.settings.constraints
        own = [ConstraintsFile(each, setting.where) for each in setting.value]
        folder = self.cwd if setting.origin is Origin.FLAG else self.project.root
        if setting.origin is Origin.USER and (own_file := user_file(self.variables)) is not None:
            folder = own_file.parent
        return (*_located(own, folder), *self._of_workspace, *self._of_pip("constraint"))

    @property
    def _of_workspace(self) -> tuple[ConstraintsFile, ...]:
        """What the workspace that the project is a member of limits all of them to."""
        from venvman.model.options import ConstraintsFile

        for file in workspace_files(self.project, self.home):
            folder = file.parent
            try:
                found = read_settings(folder, variables={}).workspace.value
            except ConfigurationError:  # told where it is a project's
                continue
            inside = self.project.root.relative_to(folder)
            member = not found.members or any(inside.match(each) for each in found.members)
            if found.constraints and (member or folder == self.project.root):
                where = "[tool.venvman.workspace] constraints"
                own = [ConstraintsFile(each, where) for each in found.constraints]
                return _located(own, folder)
        return ()

    @property
    def overrides(self) -> tuple[str, ...]:
        """What stands for others (see ``parse_override``), by all settings."""
        replaced = [f"{name} -> {instead}" for name, instead in self.settings.replace.value]
        left_out = [f"{each} ->" for each in self.settings.exclude.value if is_name(each)]
        return (*self.settings.overrides.value, *replaced, *left_out)

    @property
    def extra_build_requires(self) -> Mapping[NormalizedName, tuple[str, ...]]:
        """What builds of a name have besides what it states."""
        return {canonical(name): each for name, each in self.settings.extra_build_requires.value}

    @property
    def build_constraints(self) -> tuple[str, ...]:
        """The setting, then the lines of the files that pip is configured to use.

        Raises:
            RequirementsError: one of them cannot be read.
        """
        from venvman.project.groups import read_constraints

        files = self._of_pip("build-constraint")
        lines = read_constraints(self.project, files, variables=self.variables, fetch=self.fetch)
        return (*self.settings.build_constraints.value, *(each.raw for each in lines))

    def fetch(self, url: str) -> bytes:
        """A requirements file on a server, asked for once, and not waited for as for an index.

        Raises:
            VenvmanError: it cannot be had.
        """
        known = self.fetched.get(url)
        if known is None:
            options = self.index_options()
            options = replace(options, retries=0, timeout=min(options.timeout, _PATIENCE))
            try:
                with closing(self.open_index(options)) as index:
                    known = index.read(url)
            except VenvmanError as error:
                known = error
            self.fetched[url] = known
        if isinstance(known, VenvmanError):
            raise known
        return known

    def _of_pip(self, key: str) -> tuple[ConstraintsFile, ...]:
        from venvman.project.pipconfig import pip_files

        return _located(pip_files(self.variables, home=self.home, key=key), self.cwd)


def open_context(
    *,
    project: Path | None,
    flags: Mapping[str, object],
    variables: Mapping[str, str],
    cwd: Path,
    reporter: Reporter,
) -> Context:
    """Finds the project from ``project`` or ``cwd`` and reads its settings.

    Raises:
        ProjectNotFound: no requirements file on the way up.
        ConfigurationError: a flag, a variable or ``[tool.venvman]`` cannot be used.
    """
    from venvman.project.find import find_project

    found = find_project(cwd, home=home_of(variables), explicit=project)
    return context_of(
        found,
        flags=flags,
        variables=variables,
        cwd=cwd,
        reporter=reporter,
        directories=Directories.of(variables),
    )


def context_of(
    project: Project,
    *,
    flags: Mapping[str, object],
    variables: Mapping[str, str],
    cwd: Path,
    reporter: Reporter,
    directories: Directories,
    walked: tuple[Path, ...] = (),
    several: bool = False,
) -> Context:
    """The context of a project that is already found (one of a workspace, say)."""
    from venvman.system.files import make_cache_folder

    # Whatever puts the first thing there finds the folder private and tagged; where it cannot be
    # made, each part of the cache does without in its own way.
    for folder, why in directories.refused:
        reporter.problem(
            Problem(
                code="folder-not-private",
                message=f"{folder} is not used: {why[0].lower()}{why[1:]}",
                severity=Severity.WARNING,
                path=str(folder),
                why="Others could put there what would be installed. "
                "A temporary folder takes its place.",
                fix=Advice("Remove it, or name another in VENVMAN_CACHE_DIR or VENVMAN_STATE_DIR."),
            )
        )
    directories = replace(
        directories, strangers=_strangers(project, home_of(variables)), refused=()
    )
    with suppress(OSError):
        make_cache_folder(directories.cache)
    return Context(
        project=project,
        settings=read_settings(project.root, variables=variables, flags=flags),
        directories=directories,
        variables=variables,
        cwd=cwd,
        reporter=reporter,
        walked=walked,
        several=several,
    )


def workspace_files(project: Project, home: Path) -> Iterator[Path]:
    """Where a workspace of ``project`` may be declared, the nearest first, up to the git root."""
    for folder in (project.root, *project.root.parents):
        if folder.parent == folder:
            return
        yield folder / "pyproject.toml"
        if folder in (project.git_root, home):
            return


def _located(files: Iterable[ConstraintsFile], folder: Path) -> tuple[ConstraintsFile, ...]:
    """``files``, those that are no URLs absolute: seen from ``folder``."""
    return tuple(
        each if "://" in each.location else replace(each, location=str(folder / each.location))
        for each in files
    )


def _strangers(project: Project, home: Path) -> tuple[Path, ...]:
    """The work tree of the project, whose files may come from anybody.

    Not that of somebody who keeps the whole home folder in git: all that is installed lies there.
    """
    tree = project.git_root
    if tree is None or home.is_relative_to(tree):
        return (project.root,)
    return (tree, project.root)


def home_of(variables: Mapping[str, str]) -> Path:
    """The user's folder, as ``variables`` have it."""
    named = variables.get("HOME") or variables.get("USERPROFILE")
    return Path(named) if named else Path.home()
