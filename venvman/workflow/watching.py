"""What a command's answer rests on: the facts that the memo compares the next time."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.environment.history import History, LinkSettings, Wanted
from venvman.environment.inspection import FILLING, Environment
from venvman.environment.ledger import read_ledger
from venvman.githooks.status import hook_files
from venvman.index.memo import PAGES, entry_path
from venvman.install import states
from venvman.install.layout import Site, site_of
from venvman.model.frozen import dataclass
from venvman.model.sources import DirectorySource
from venvman.project.localproject import inputs_of
from venvman.project.pipconfig import configuration_files
from venvman.project.project import git_root_of, requirement_names
from venvman.project.settings import user_file
from venvman.requirements.includes import local_path
from venvman.requirements.naming import FOLDER
from venvman.system import memo
from venvman.system.reading import read_regular, text_of
from venvman.system.seal import OWNER, STATE
from venvman.workflow.context import Context, workspace_files
from venvman.workflow.inputs import choice_file, limits_of, open_scan
from venvman.workflow.location import OF_PROJECT, freezing_interpreter
from venvman.workflow.planning import own_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from venvman.outcomes import Observation
    from venvman.project.scan import Scan
    from venvman.system.memo import Watch

_VARIABLE = re.compile(rb"\$\{([A-Z0-9_]+)\}")
_ROOT_FILES = ("pyproject.toml", ".python-version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an answer rests on: files and folders, and variables that requirements files mention."""

    watched: tuple[Watch, ...]
    names: frozenset[str]


def facts_of_sync(
    context: Context,
    looked: Observation,
    *,
    flags: str,
    said: tuple[str, str, str],
    locked: int,
    only_look: bool = False,
) -> Facts | None:
    """What the answer that there is nothing to do rests on; None where it cannot be trusted.

    Unless somebody wants ``only_look``, the state is written down too, so that it can be gone back
    to (:mod:`venvman.install.fastpath`): ``flags`` are the options that chose it, ``said`` is the
    sentence for it, ``locked`` counts what the locks name.
    """
    if _rests_on_servers(context, looked.scan):
        return None
    environment = str(looked.environment.root)
    names = _variables_in(looked.scan)
    files = tuple(_files(context, looked.scan, looked.files_ns))
    sites, parts = _environment(looked.environment, looked.environment_ns)
    way = tuple(_way(context, looked.files_ns))
    whole, around = _installed(looked.environment, looked.environment_ns)
    rests_on = Facts(watched=(*files, *way, *sites, *parts, *whole, *around), names=names)
    if only_look:
        return rests_on
    try:
        wanted = _wanted(
            context, looked, flags=flags, names=sorted(names), said=said, locked=locked
        )
        facts = [memo.look(each) for each in (files, sites, parts, whole)]
        if any(each is None for each in facts):
            states.forget_current(environment)
            return None
        # With the setting ``keep`` what stays depends on what is there, as with --inexact.
        if wanted is not None and locked and not context.settings.keep.value:
            key = states.record(environment, wanted._replace(parts=tuple(facts[2] or ())))
            here = states.Current(key, tuple(facts[1] or ()), tuple(facts[3] or ()))
            states.write_current(environment, here)
    except OSError:
        return None
    return rests_on


def _wanted(
    context: Context,
    looked: Observation,
    *,
    flags: str,
    names: list[str],
    said: tuple[str, str, str],
    locked: int,
) -> Wanted | None:
    """What the environment holds, looked at before the facts, which say that it was so."""
    site = site_of(looked.environment)
    found = states.survey(read_ledger(site.root), site.folders)
    if found is None:
        return None
    shared, others = found
    link = context.settings.link.value.value
    return Wanted(
        flags=flags,
        names=tuple(names),
        seen=memo.seen_of(context.variables, names),
        contents=states.contents_of(
            (kind, str(path)) for kind, path, _ in _files(context, looked.scan, looked.files_ns)
        ),
        said=said,
        parts=(),
        folders=site.folders,
        lasting=tuple(sorted(site.lasting)),
        shared=shared,
        others=others,
        locked=locked,
        lock=str(context.directories.environment_lock(looked.environment.root)),
        link_settings=None
        if context.settings.compile.value
        else LinkSettings(str(context.directories.cache), link, asdict(site)),
    )


def facts_of_freeze(context: Context, *, since_ns: int) -> Facts | None:
    """The same of a freeze that changed nothing and began to look at ``since_ns``."""
    scan = open_scan(context)
    if _rests_on_servers(context, scan):
        return None
    location = context.environment_path
    python = freezing_interpreter(context).path
    watched = [(memo.FILE, str(path), since_ns) for path in (location / "pyvenv.cfg", python)]
    files = _files(context, scan, since_ns)
    way = _way(context, since_ns)
    return Facts(watched=(*files, *way, *watched), names=_variables_in(scan))


def facts_of_run(context: Context, environment: Environment, *, since_ns: int) -> Facts | None:
    """What it rests on that programs are run in ``environment``, as found since ``since_ns``."""
    scan = open_scan(context)
    if context.evidence.pages != ():
        return None
    _, parts = _environment(environment, since_ns)
    files = _files(context, scan, since_ns)
    return Facts(watched=(*files, *_way(context, since_ns), *parts), names=frozenset())


def facts_of_location(
    folder: Path, environments: Iterable[Path], variables: Mapping[str, str], since_ns: int
) -> Facts:
    """What it rests on which of ``environments``, if any, belongs to ``folder``."""
    above = (folder, *folder.parents)
    folders = [each / name for each in above for name in ("", FOLDER)]
    files = [each / name for each in above for name in (*_OF_PROJECTS, *requirement_names(each))]
    files += [each / name for each in environments for name in ("", *_OF_ENVIRONMENTS)]
    files += filter(None, [user_file(variables)])
    joined = "\0".join(["/", *(str(each).removeprefix("/") for each in files)])
    names = tuple((memo.NAMES, str(each), since_ns) for each in folders)
    return Facts(watched=(*names, (memo.MANY, joined, since_ns)), names=frozenset())


_OF_PROJECTS = ("pyproject.toml", FOLDER, ".git/HEAD", ".venv", ".venv/pyvenv.cfg")
_OF_ENVIRONMENTS = ("pyvenv.cfg", "bin/python", f"{STATE}/{OWNER}", f"{STATE}/{OF_PROJECT}")


class Reach(str, Enum):
    """How far a command looks: into the project's files, the environment, or every file there."""

    FILES = "files"
    ENVIRONMENT = "environment"
    INSTALLED = "installed"


def facts_of_look(context: Context, *, since_ns: int, reach: Reach) -> Facts | None:
    """What the answer of a command rests on that looks, and began to at ``since_ns``.

    That is everything that any of them looks at as far as ``reach``. None where there is more to
    it: servers, or an environment that is not what it should be.
    """
    scan = open_scan(context)
    project = context.project
    git = _git_files(project.root, project.git_root, context.variables, context.home)
    around = None if reach is Reach.FILES else _around(context, since_ns, reach)
    pages = _pages(context)
    if pages is None or git is None or _rests_on_servers(context, scan):
        return None
    if around is None and reach is not Reach.FILES:
        return None
    root = context.project.root
    listed = (folder / name for folder in (root, root / "requirements") for name in _listed(folder))
    return Facts(
        watched=(
            *_files(context, scan, since_ns),
            *_way(context, since_ns),
            *((memo.FILE, str(path), since_ns) for path in dict.fromkeys((*listed, *git))),
            *(around or ()),
            *pages,
        ),
        names=_variables_in(scan) | {"VIRTUAL_ENV"},
    )


def facts_of_hooks(
    root: Path, folder: Path, *, variables: Mapping[str, str], home: Path, since_ns: int
) -> Facts | None:
    """What is said of git's hooks rests on, for the project at ``root``, seen from ``folder``."""
    top = git_root_of(root)
    git = _git_files(root, top, variables, home)
    if top is None or git is None:
        return None
    walked = [each for each in (folder, *folder.parents) if each.is_relative_to(top)]
    listed = [each / name for each in walked for name in ("", *_OF_FOLDERS)]
    return Facts(
        watched=tuple((memo.FILE, str(path), since_ns) for path in (*listed, *git)),
        names=frozenset(),
    )


def _pages(context: Context) -> list[Watch] | None:
    """The index pages that were used, for as long as they are fresh; None where it was more."""
    pages = context.evidence.pages
    if not pages:
        return None if pages is None else []
    now = time.time_ns()
    until = min(modified + fresh_for * 1_000_000_000 for _, _, fresh_for, modified, _, _ in pages)
    found = [(memo.UNTIL, str(until), now)]
    for key, _, _, *before in pages:
        path = context.directories.cache / PAGES / entry_path(key)
        there = path.stat()
        if [there.st_mtime_ns, there.st_size, there.st_ino] != before:
            return None
        found.append((memo.FILE, str(path), now))
    return found if now < until else None


def _way(context: Context, since_ns: int) -> Iterator[Watch]:
    """The folders that were looked at to find the project, at ``since_ns`` or later."""
    root = context.project.root
    for folder in (context.cwd, *context.cwd.parents):
        if root in folder.parents:
            yield memo.FILE, str(folder), since_ns
    for folder in context.walked:
        for name in ("", *_OF_FOLDERS):
            yield memo.FILE, str(folder / name), since_ns


_OF_FOLDERS = (".gitignore", "pyproject.toml", "requirements")
"""What says whether a folder holds a project, and which of those in it do."""


def _around(context: Context, since_ns: int, reach: Reach) -> Sequence[Watch] | None:
    """The environment and what is remembered of it; None where it is not what it should be."""
    there = context.sound_environment()
    if there is None:
        return None
    whole = reach is Reach.INSTALLED
    sites, parts = _environment(there, since_ns)
    root = str(there.root)
    fresh_locks = (memo.FILE, str(context.fresh_locks), since_ns)
    # Below the root, where all but what is in the store lies, by their shorter names.
    found = _environment_files(context, there, whole=whole)
    paths = {each.removeprefix(f"{root}/") for each in found}
    near = [str(each).removeprefix(f"{root}/") for each in there.site_folders]
    many = memo.many(root, paths, near)
    if whole:
        site = site_of(there)  # its root may be another name of the environment's
        many += memo.many(site.root, _recorded(site) - paths, site.folders)
    return (*sites, *parts, fresh_locks, *((memo.MANY, each, since_ns) for each in many))


def _installed(environment: Environment, when: int) -> tuple[list[Watch], list[Watch]]:
    """Every installed file, where they are few enough; and their folders, where they are more.

    The folders tell of what is gone from them.
    """
    site = site_of(environment)
    files = states.installed(site.root, site.folders, most=None) or set()
    few = len(files) <= states.FEW
    paths = files if few else {each.rpartition("/")[0] for each in files}
    watched = [(memo.MANY, each, when) for each in memo.many(site.root, paths, site.folders)]
    return (watched, []) if few else ([], watched)


def _listed(folder: Path) -> list[str]:
    """The files of ``folder`` that may be requirements files, whatever they are taken for."""
    try:
        return sorted(each.name for each in folder.iterdir() if each.name.endswith(memo.ENDINGS))
    except OSError:
        return []


def _environment_files(context: Context, environment: Environment, *, whole: bool) -> Iterator[str]:
    """The metadata of what is installed, scripts, records; with ``whole`` what may be beside it."""
    from venvman.doctor.built import called_files
    from venvman.store.store import location_of

    site = site_of(environment)
    yield from (str(environment.root), *_below(environment.paths.scripts, 0))
    yield from _below(environment.state, 2)
    if whole:
        yield from _modules_of(context.project.root)
    for folder in environment.site_folders if whole else ():
        yield from _below(folder, 0)  # a file more in one that packages share
    for info in states.metadata(site.root, site.folders):
        yield from _below(Path(site.root, info), 0)
        if whole:
            yield from map(str, called_files(Path(site.root, info)))
    # The sha256 of every wheel that a state of ``environment`` holds: it may be in the store.
    held = (each for state in History(environment.root).states() for each in state.held)
    for sha256 in {each.wheel for each in held if each.wheel is not None}:
        yield str(location_of(context.directories.cache, sha256))


def _recorded(site: Site) -> set[str]:
    """Every installed file, and the folders that they lie in; relative to the environment."""
    files: set[str] = set()
    for info in states.metadata(site.root, site.folders):
        files |= states.recorded(site.root, info)
    return files | _with_those_above({file.rpartition("/")[0] for file in files})


def _with_those_above(folders: set[str]) -> set[str]:
    above = {each.rpartition("/")[0] for each in folders} - folders - {""}
    return _with_those_above(folders | above) if above else folders


def _modules_of(root: Path) -> Iterator[str]:
    """What could be imported from ``root``: see :mod:`venvman.doctor.unowned`."""
    yield str(root)
    with suppress(OSError):
        for path in root.iterdir():
            if path.name.isidentifier() and path.is_dir():
                yield str(path / "__init__.py")


def _below(folder: Path, depth: int) -> Iterator[str]:
    """``folder``, what is in it, and in its folders down to ``depth``."""
    yield str(folder)
    try:
        with os.scandir(folder) as entries:
            found = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError:
        return
    for path, is_folder in found:
        if is_folder and depth:
            yield from _below(Path(path), depth - 1)
        else:
            yield path


_GIT_FILES = (
    *("HEAD", "index", "config", "config.worktree", "packed-refs"),
    *("info/exclude", "venvman/program", "venvman/projects.json"),
)


def _git_files(
    root: Path, top: Path | None, variables: Mapping[str, str], home: Path
) -> Iterable[Path] | None:
    """What git's answers rest on; none outside git, None where more than these would matter."""
    if top is None:
        return ()
    folder = top / ".git"
    user = Path(variables.get("XDG_CONFIG_HOME") or home / ".config") / "git"
    named = variables.get("GIT_CONFIG_GLOBAL") or home / ".gitconfig"
    configured = (folder / "config", Path(named), user / "config", _SYSTEM_CONFIG)
    texts = [text_of(path).lower() for path in configured]
    # A work tree of several, a folder of hooks elsewhere, files that are included.
    if (
        (folder / "hooks").is_symlink()
        or not folder.is_dir()
        or any(each in text for text in texts for each in _ELSEWHERE)
    ):
        return None
    ignoring = [each / ".gitignore" for each in (root, *root.parents) if each.is_relative_to(top)]
    refs = [Path(each) for each in _below(folder / "refs", 9)]
    hooks = [Path(each) for path in hook_files(top) for each in _below(path, 1)]
    own = (folder / name for name in _GIT_FILES)
    return (*own, *configured, user / "ignore", *ignoring, *refs, *hooks)


_SYSTEM_CONFIG = Path("/etc/gitconfig")
_ELSEWHERE = ("hookspath", "[include", "excludesfile", "worktreeconfig")


def _files(context: Context, scan: Scan, files_ns: int) -> Iterator[Watch]:
    root = context.project.root
    for folder in (root, root / "requirements"):
        yield memo.NAMES, str(folder), files_ns
    paths = {file.path for file in scan.files}
    paths |= {source.lock for source in scan.sources}
    paths |= {root / name for name in _ROOT_FILES}
    paths.add(choice_file(context))
    paths |= set(workspace_files(context.project, context.home))
    if (own := user_file(context.variables)) is not None:
        paths.add(own)
    if context.project.git_root is not None:
        above = (each for each in root.parents if each.is_relative_to(context.project.git_root))
        paths |= {folder / ".python-version" for folder in above}
    paths |= set(_project_files(scan, root))
    if own_entry(context, scan) is not None:
        paths |= {root / name for name in inputs_of(root)}
    paths |= {Path(limit) for each in limits_of(context) if (limit := local_path(each)) is not None}
    paths |= set(configuration_files(context.variables, home=context.home))
    for path in sorted(paths):
        yield memo.FILE, str(path), files_ns


def _project_files(scan: Scan, root: Path) -> Iterator[Path]:
    """The build metadata of local projects, which decides whether a lock is fresh."""
    for file in scan.files:
        for line in file.parsed.requirements if file.parsed else ():
            if isinstance(line.requirement.source, DirectorySource):
                source = line.requirement.source
                folder = Path(root, source.path, source.subdirectory or "")
                yield from (folder / name for name in inputs_of(folder))


def _environment(
    environment: Environment, when: int
) -> tuple[tuple[Watch, ...], tuple[Watch, ...]]:
    """The folders of packages, and the other parts, of an environment looked at ``when``."""
    sites = tuple((memo.SITE, str(folder), when) for folder in environment.site_folders)
    paths = (
        environment.root / "pyvenv.cfg",
        environment.python,
        environment.interpreter.path,
        environment.state / "journal.json",
        environment.state / FILLING,
        environment.state / "stage",
    )
    return sites, tuple((memo.FILE, str(path), when) for path in paths)


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
