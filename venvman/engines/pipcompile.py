"""pip-compile apart from the project: its interpreter and environment, a picture to write into.

What it wrote becomes the lock that lockfile.md describes: it writes this machine's paths, expands
variables, turns commits back into branches, and names files that only this engine knows.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from venvman.engines.portable import Portable, finished_lock
from venvman.lock.file import Lock, LockEntry, sort_key
from venvman.lock.parse import parse_lock
from venvman.model.errors import Advice, FreezeError
from venvman.model.names import canonical
from venvman.model.sources import DirectorySource
from venvman.project.localproject import project_name
from venvman.system.files import make_private_folder
from venvman.system.locks import held
from venvman.system.process import ProcessFault, run, stream, without_python_variables
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from venvman.engines import FreezeRequest
    from venvman.engines.given import CompileCommand, SourceTexts
    from venvman.engines.portable import Pinned
    from venvman.model.events import Reporter
    from venvman.model.options import IndexOptions
    from venvman.model.target import Target
    from venvman.project.groups import Group
    from venvman.system.directories import Directories

_LAST_FOR_3_8 = "pip-tools==7.5.2"
_CURRENT = "pip-tools>=7.5"
_COMMAND = ("-m", "piptools", "compile")


def compiler(
    python: Path,
    target: Target,
    *,
    directories: Directories,
    environment: Mapping[str, str],
    reporter: Reporter,
) -> tuple[str, ...]:
    """The words that run pip-compile on an interpreter like ``python``.

    ``environment`` is what pip runs with. Needs the index only when the environment is made.

    Raises:
        FreezeError: it could not be made.
    """
    ours = sys.implementation.name
    implementation = dict(target.markers).get("implementation_name", ours)
    if target.minor == sys.version_info[:2] and implementation == ours:
        return (sys.executable, *_COMMAND)
    minor = ".".join(map(str, target.minor))
    folder = directories.cache / "tools" / f"pip-tools-{minor}"
    executable = folder / "bin/python"
    with held(folder.with_name(f"{folder.name}.lock")):
        if not _works(executable, environment):
            reporter.detail(f"Making a tool environment for Python {minor}.")
            _make(executable, python, target, environment, reporter)
    return (str(executable), *_COMMAND)


def _works(executable: Path, environment: Mapping[str, str]) -> bool:
    """Whether pip-compile would start; an upgrade of the interpreter can have broken it."""
    try:
        return run((executable, "-c", "import piptools, pip"), env=environment).ok
    except ProcessFault:
        return False


def _make(
    executable: Path,
    python: Path,
    target: Target,
    environment: Mapping[str, str],
    reporter: Reporter,
) -> None:
    folder = executable.parents[1]
    make_private_folder(folder.parent)
    if folder.exists():
        shutil.rmtree(folder)
    tools = _LAST_FOR_3_8 if target.minor <= (3, 8) else _CURRENT
    install = ("-m", "pip", "install", "--upgrade", "pip", tools)
    for words in ((python, "-m", "venv", folder), (executable, *install)):
        try:
            done = stream(
                [str(word) for word in words],
                on_line=lambda line: reporter.detail(redact(line)),
                env=environment,
            )
            said = None if done.ok else done.stdout
        except ProcessFault as error:
            said = error.message
        if said is not None:
            shutil.rmtree(folder, ignore_errors=True)
            raise _not_made(target, said)


def _not_made(target: Target, said: str) -> FreezeError:
    lines = [line for line in redact(said).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    minor = ".".join(map(str, target.minor))
    return FreezeError(
        f"pip-tools could not be installed for Python {minor}.",
        code="tool-environment-failed",
        why=(errors or lines or ["No output."])[-1],
        fix=Advice("Freeze without --engine pip-tools, or for another Python."),
    )


# Not `PIP_`, but they change what pip-compile does or writes.
_OTHERS = ("CUSTOM_COMPILE_COMMAND", "PIP_TOOLS_CACHE_DIR", "FORCE_COLOR", "CLICOLOR_FORCE")


def pip_environment(
    variables: Mapping[str, str], index: IndexOptions, *, cache: Path
) -> dict[str, str]:
    """``variables`` without pip's, pip-tools' and Python's own, plus what ``index`` amounts to.

    ``cache`` is the folder for everything that pip and pip-compile keep.
    """
    result = {
        name: value
        for name, value in without_python_variables(variables).items()
        if not name.startswith("PIP_") and name not in _OTHERS
    }
    result |= {
        # pip.conf files beside the user's home and the interpreter are read even with
        # PIP_CONFIG_FILE set to a real file; os.devnull is pip's word for "none at all".
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PIP_TOOLS_CACHE_DIR": str(cache / "pip-tools"),
        "PIP_NO_COLOR": "1",
        "NO_COLOR": "1",
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
        "PIP_TIMEOUT": f"{index.timeout:g}",
        "PIP_RETRIES": str(index.retries),
    }
    return result | {name: value for name, value in _options(index) if value}


def _options(index: IndexOptions) -> Iterable[tuple[str, str]]:
    main, *extra = index.index_urls or ("",)
    yield "PIP_INDEX_URL", main
    yield "PIP_EXTRA_INDEX_URL", " ".join(extra)
    yield "PIP_NO_INDEX", "" if main and not index.offline else "1"
    # A folder as a URL: pip splits the variable at blanks, which a path may hold.
    links = (Path(link).as_uri() if link.startswith("/") else link for link in index.find_links)
    yield "PIP_FIND_LINKS", " ".join(links)
    yield "PIP_TRUSTED_HOST", " ".join(sorted(index.trusted_hosts))
    yield "PIP_NO_BINARY", ",".join(sorted(index.no_binary))
    yield "PIP_ONLY_BINARY", ",".join(sorted(index.only_binary))
    yield "PIP_PREFER_BINARY", "1" if index.prefer_binary else ""
    yield "PIP_PRE", "1" if index.pre else ""
    yield "PIP_CERT", index.cert or ""
    yield "PIP_CLIENT_CERT", index.client_cert or ""
    yield "PIP_PROXY", index.proxy or ""
    yield "PIP_KEYRING_PROVIDER", index.keyring_provider


class Mirror:
    """The picture of ``root`` below ``folder``; absolute paths keep their shape.

    ``/home/me/project`` appears as ``<folder>/home/me/project``, so that ``../shared.txt`` leads
    to what it means.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = Path(os.path.realpath(folder))
        self._project = root
        self._opened: set[Path] = set()
        self.root = self.of(root)
        self._open(root)

    def of(self, path: Path) -> Path:
        """Where the picture of the absolute ``path`` is or would be."""
        return self._folder.joinpath(*path.parts[1:])

    def write(self, path: Path, text: str) -> Path:
        """Puts ``text`` at the picture of ``path``; returns where."""
        self._open(path.parent)
        copy = self.of(path)
        copy.unlink(missing_ok=True)
        copy.write_bytes(text.encode())
        return copy

    def link(self, path: Path) -> None:
        """Makes ``path``, which may lie outside the project, be found."""
        copy = self.of(path)
        if not os.path.lexists(copy):
            self._open(path.parent)
            copy.symlink_to(path)

    def original(self, text: str) -> str:
        """``text`` with every path of the picture turned into the real one."""
        return text.replace(self._folder.as_posix() + "/", "/")

    def _open(self, folder: Path) -> None:
        """Makes the picture of ``folder`` a folder of its own, what is in it links."""
        if folder in self._opened or folder == folder.parent:
            return
        self._opened.add(folder)
        self._open(folder.parent)
        copy = self.of(folder)
        if copy.is_symlink():
            copy.unlink()
        copy.mkdir(exist_ok=True)
        if folder.is_relative_to(self._project) and folder.is_dir():
            for entry in folder.iterdir():
                (copy / entry.name).symlink_to(entry)


_PRIVATE = re.compile(r"^-[rc] (?:.*/)?\.venvman-[a-z]+\.txt$")


class Finisher:
    """Knows the request, so that one file after the other can be put right."""

    def __init__(self, request: FreezeRequest, mirror: Mirror, pinned: Pinned) -> None:
        self._request = request
        self._root = request.project.root
        self._mirror = mirror
        self._portable = Portable(self._root, pinned)

    def entries(self, text: str, groups: Sequence[Group]) -> tuple[LockEntry, ...]:
        """The pins in ``text``, what pip-compile wrote for ``groups``."""
        text = self._mirror.original(text)
        lock = parse_lock(text, path="pip-compile", folder_name=_project_name)
        requirements = [line for each in groups for line in (*each.requirements, *each.constraints)]
        entries = [
            replace(
                entry,
                source=self._portable.source(entry.source, requirements),
                via=tuple(name for name in entry.via if not _PRIVATE.match(name)),
                origin=None,
            )
            for entry in lock.entries
        ]
        return tuple(sorted(_named_by_elimination(entries), key=sort_key))

    def lock(
        self,
        text: str,
        group: Group,
        sources: SourceTexts,
        *,
        command: CompileCommand,
        limited: bool,
        common: Sequence[LockEntry],
    ) -> Lock:
        """The finished lock of ``group``.

        ``command`` is what could stand in its header. ``limited``: the run
        was given pins that such a command would not have. ``common`` are the pins of all groups.
        """
        elsewhere = {entry.name: entry.source for entry in common}
        entries = [
            entry
            if entry.source.is_index
            else replace(entry, source=elsewhere.get(entry.name, entry.source))
            for entry in self.entries(text, [group])
        ]
        return finished_lock(
            tuple(entries),
            group,
            sources,
            target=self._request.target,
            existing=self._request.locks.get(group.name),
            command=command,
            limited=limited,
            unpinned=parse_lock(text, path="pip-compile").unpinned,
        )


def _project_name(path: str) -> str | None:
    """The name that the folder ``path`` states, for entries that do not say theirs."""
    return project_name(Path(path))


def _named_by_elimination(entries: list[LockEntry]) -> list[LockEntry]:
    """Names a folder whose files do not state its name: the one that ``via`` knows and no pin has.

    Needed for projects whose ``setup.py`` computes it; with more than one of them their folder's
    names stay.
    """
    names = {entry.name for entry in entries}
    unknown = {
        canonical(via) for entry in entries for via in entry.via if not via.startswith("-")
    } - names
    used = {via for entry in entries for via in entry.via}
    nameless = [
        entry
        for entry in entries
        if isinstance(entry.source, DirectorySource) and entry.name not in used
    ]
    if len(unknown) != 1 or len(nameless) != 1:
        return entries
    (name,) = unknown
    return [replace(entry, name=name) if entry is nameless[0] else entry for entry in entries]
