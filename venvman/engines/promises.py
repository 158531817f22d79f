"""What an sdist says of its dependencies without being built: for good, or as far as it knew.

Setuptools writes the requirements into the archive as they were on the machine that made it. They
are final if ``setup.py`` does not look at the machine it runs on. Where it does, it may compute
others here, and this is a guess: good enough to see that a version does not fit, never the last
word on one that does.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

from venvman.index.metadata import is_static
from venvman.install.describe import static_project_metadata
from venvman.metadata import CoreMetadata, parse_metadata, parse_requires_txt

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["promised"]


_LOOKS_AROUND = re.compile(
    rb"\bsys\s*\.\s*(?:version|hexversion|platform|implementation|maxsize|byteorder|abiflags)"
    rb"|\bfrom\s+sys\b|\bplatform\b|\benviron\b|\bgetenv\b|\bos\s*\.\s*name\b|\buname\b"
    rb"|\bPY[23]\b|\bversion_info\b|\bsubprocess\b|\bsysconfig\b|\bimport_module\b"
    rb"|\bfind_spec\b|\bpkg_resources\b"
)
"""What a ``setup.py`` has that may ask for something else on another machine."""


def promised(archive: Path) -> tuple[CoreMetadata, bool] | None:
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
    return None if info is None else _guess(info, files)


def _guess(info: bytes, files: dict[str, bytes]) -> tuple[CoreMetadata, bool] | None:
    stated = parse_metadata(info)
    if "egg-info" not in files:
        return (stated, False) if stated.requires else None
    requires = parse_requires_txt(files.get("requires.txt", b"").decode("utf-8", "replace"))
    guess = CoreMetadata(
        name=stated.name,
        version=stated.version,
        requires_python=stated.requires_python,
        requires=requires,
        extras=stated.extras,
    )
    return guess, not _LOOKS_AROUND.search(files.get("setup.py", b""))


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
