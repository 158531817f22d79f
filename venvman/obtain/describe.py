"""METADATA of a source that is not a wheel: read where it is promised, else made by the backend."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

from venvman.build.backend import Build, build_metadata
from venvman.index.metadata import is_static
from venvman.model.errors import Command, InstallError
from venvman.model.metadata import CoreMetadata, parse_metadata, parse_requires_txt
from venvman.obtain.sources import project_of, working_folder
from venvman.system.reading import read_regular, read_toml
from venvman.system.secrets import redact

if TYPE_CHECKING:
    from pathlib import Path

    from venvman.build.backend import BuildContext, ConfigSettings
    from venvman.index.client import Index
    from venvman.model.names import NormalizedName
    from venvman.model.sources import ArchiveSource, DirectorySource, VcsSource

_DYNAMIC = frozenset({"version", "dependencies", "optional-dependencies", "requires-python"})


def metadata_of_source(
    source: ArchiveSource | VcsSource | DirectorySource,
    context: BuildContext,
    *,
    index: Index,
    root: Path,
    hashes: tuple[str, ...] = (),
    config_settings: ConfigSettings = (),
    name: NormalizedName | None = None,
    label: str = "",
) -> tuple[bytes, ArchiveSource | VcsSource | DirectorySource]:
    """The METADATA that ``source`` has on the interpreter, and ``source`` made exact.

    Exact is: with the commit, with the archive's hash. In this order: the PKG-INFO of an archive
    that promises to be final (PEP 643), a ``[project]`` table without anything dynamic (PEP 621),
    the backend's ``prepare_metadata_for_build_wheel`` in isolation, a whole build. A wheel's
    METADATA is the index client's to read, not this function's.

    Raises:
        InstallError, IndexFault, GitError: it could not be had, or its backend fails.
    """
    with project_of(source, context, index=index, root=root, hashes=hashes) as (project, exact):
        known = _promised(project)
        if known is not None:
            return known, exact
        if context.settings.forbidden:
            raise InstallError(
                f"What {redact(str(exact))} needs only its own code can tell.",
                code="build-in-look",
                why="A command that only looks starts nothing that the project's files name.",
                fix=Command.venvman("freeze"),
            )
        build = Build(
            project=project,
            label=label or redact(str(exact)),
            name=name,
            config_settings=config_settings,
            context=context,
        )
        with working_folder(context.settings.cache) as output:
            return build_metadata(build, output), exact


def static_project_metadata(pyproject: str) -> bytes | None:
    """METADATA from the ``[project]`` table of ``pyproject`` (text); None where it may not be all.

    PEP 621 forbids a backend to change what the table states; what it leaves out and does not
    list as ``dynamic`` is absent for good.
    """
    try:
        table = read_toml(pyproject).get("project")
    except ValueError:
        return None
    if not isinstance(table, dict) or not all(
        isinstance(table.get(key), str) for key in ("name", "version")
    ):
        return None
    if _DYNAMIC & set(table.get("dynamic", ())):
        return None
    lines = ["Metadata-Version: 2.2", f"Name: {table['name']}", f"Version: {table['version']}"]
    if "requires-python" in table:
        lines.append(f"Requires-Python: {table['requires-python']}")
    try:
        lines += [f"Requires-Dist: {each}" for each in table.get("dependencies", ())]
        for extra, requirements in table.get("optional-dependencies", {}).items():
            lines.append(f"Provides-Extra: {extra}")
            lines += [f"Requires-Dist: {_for_extra(each, extra)}" for each in requirements]
    except (ValueError, TypeError, AttributeError):
        return None  # not valid: the backend will say so better
    return ("\n".join(lines) + "\n").encode()


def _promised(project: Path) -> bytes | None:
    try:
        content = read_regular(project / "PKG-INFO")
    except OSError:
        content = b""
    if is_static(content):
        return content
    try:
        text = read_regular(project / "pyproject.toml").decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return static_project_metadata(text)


def _for_extra(requirement: str, extra: str) -> str:
    """``requirement`` with its marker narrowed to ``extra``."""
    from packaging.markers import Marker
    from packaging.requirements import Requirement

    parsed = Requirement(requirement)
    wanted = f'extra == "{extra}"'
    parsed.marker = Marker(f"({parsed.marker}) and {wanted}" if parsed.marker else wanted)
    return str(parsed)


_LOOKS_AROUND = re.compile(
    rb"\bsys\s*\.\s*(?:version|hexversion|platform|implementation|maxsize|byteorder|abiflags)"
    rb"|\bfrom\s+sys\b|\bplatform\b|\benviron\b|\bgetenv\b|\bos\s*\.\s*name\b|\buname\b"
    rb"|\bPY[23]\b|\bversion_info\b|\bsubprocess\b|\bsysconfig\b|\bimport_module\b"
    rb"|\bfind_spec\b|\bpkg_resources\b"
)
"""What a ``setup.py`` has that may ask for something else on another machine."""


def metadata_unbuilt(archive: Path) -> tuple[CoreMetadata, bool] | None:
    """The metadata, and whether it is final (PEP 643, PEP 621); None where nothing can be told."""
    try:
        files = _small_files(archive)
    except (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error):
        return None
    info = files.get("PKG-INFO")
    if info is not None and is_static(info):
        return parse_metadata(info), True
    static = static_project_metadata(files.get("pyproject.toml", b"").decode("utf-8", "replace"))
    if static is not None:
        return parse_metadata(static), True
    if info is None:
        return None
    stated = parse_metadata(info)
    if "egg-info" not in files:
        return (stated, False) if stated.requires else None
    requires = parse_requires_txt(files.get("requires.txt", b"").decode("utf-8", "replace"))
    is_final = not _LOOKS_AROUND.search(files.get("setup.py", b""))
    return stated._replace(requires=requires), is_final


def _small_files(archive: Path) -> dict[str, bytes]:
    """Those of the project's top folder and of its ``egg-info``, which counts as a file too."""
    found: dict[str, bytes] = {}
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                key = _key(name, found)
                if key:
                    found[key] = opened.read(name)
        return found
    with tarfile.open(archive) as tar:
        for member in tar:
            key = _key(member.name, found) if member.isfile() else None
            stream = tar.extractfile(member) if key else None
            if key and stream is not None:
                found[key] = stream.read()
    return found


def _key(name: str, found: dict[str, bytes]) -> str | None:
    parts = name.removeprefix("./").split("/")
    if len(parts) == 2 and parts[1] in ("PKG-INFO", "pyproject.toml", "setup.py"):
        return parts[1]
    if len(parts) >= 3 and parts[-2].endswith(".egg-info"):
        found["egg-info"] = b""
        return parts[-1] if parts[-1] == "requires.txt" else None
    return None
