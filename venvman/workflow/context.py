"""What every command starts from: the project, its settings, and the world it may touch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.directories import Directories

if TYPE_CHECKING:
    from collections.abc import Mapping

    from venvman.events import Reporter
    from venvman.options import FileOptions, IndexOptions
    from venvman.project import Project
    from venvman.settings import Settings
    from venvman.store import Store

__all__ = ["Context", "open_context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a verb needs besides its own request; nothing in it is global.

    ``variables`` is the process environment, ``cwd`` the absolute working directory.
    """

    project: Project
    settings: Settings
    directories: Directories
    variables: Mapping[str, str]
    cwd: Path
    reporter: Reporter

    @property
    def home(self) -> Path:
        """The user's home folder, as the variables say."""
        named = self.variables.get("HOME") or self.variables.get("USERPROFILE")
        return Path(named) if named else Path.home()

    @property
    def store(self) -> Store:
        """The machine-wide store of unpacked wheels."""
        from venvman.store import Store

        return Store(self.directories.cache)

    def index_options(self, files: tuple[FileOptions, ...] = ()) -> IndexOptions:
        """This machine's pip configuration with the options of ``files`` on top."""
        from venvman.options import layer
        from venvman.pipconfig import read_pip_configuration

        base = read_pip_configuration(self.variables, home=self.home)
        return replace(layer(base, files), offline=self.settings.offline.value)


def open_context(
    *,
    project: Path | None,
    flags: Mapping[str, object],
    variables: Mapping[str, str],
    cwd: Path,
    reporter: Reporter,
    cache_dir: Path | None = None,
) -> Context:
    """Finds the project from ``project`` or ``cwd`` and reads its settings.

    Raises:
        ProjectNotFound: no requirements file on the way up.
        ConfigurationError: a flag, a variable or ``[tool.venvman]`` cannot be used.
    """
    from venvman.project import find_project

    home = variables.get("HOME") or variables.get("USERPROFILE")
    found = find_project(cwd, home=Path(home) if home else Path.home(), explicit=project)
    return context_of(
        found,
        flags=flags,
        variables=variables,
        cwd=cwd,
        reporter=reporter,
        directories=Directories.of(variables, cache=cache_dir),
    )


def context_of(
    project: Project,
    *,
    flags: Mapping[str, object],
    variables: Mapping[str, str],
    cwd: Path,
    reporter: Reporter,
    directories: Directories,
) -> Context:
    """The context of a project that is already found (one of a workspace, say)."""
    from venvman.settings import read_settings

    return Context(
        project=project,
        settings=read_settings(project.root, variables=variables, flags=flags),
        directories=directories,
        variables=variables,
        cwd=cwd,
        reporter=reporter,
    )
