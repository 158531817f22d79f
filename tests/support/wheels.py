"""Wheels and sdists built on the fly, valid by default."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def large(name: str) -> dict[str, bytes]:
    """The contents of a wheel that is worth a process of its own to unpack."""
    return {f"{name}/large.bin": random.Random(1).randbytes(100_000)}


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    extras: Mapping[str, Iterable[str]] | None = None,
    requires_python: str | None = None,
    files: Mapping[str, str | bytes] | None = None,
    scripts: Mapping[str, str] | None = None,
    gui_scripts: Mapping[str, str] | None = None,
    tag: str = "py3-none-any",
    purelib: bool = True,
    build: str | None = None,
    raw: Mapping[str, bytes] | None = None,
    compress: bool = True,
) -> Path:
    """Writes a wheel into ``folder`` and returns its path.

    ``files`` maps paths in the wheel to contents (default: one module named after the
    distribution with ``__version__``); ``scripts`` maps console script names to entry points;
    ``raw`` replaces or adds finished entries, RECORD included, to make broken wheels on purpose.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    module = name.replace("-", "_").replace(".", "_").lower()
    content: dict[str, bytes] = {
        path: body.encode() if isinstance(body, str) else body
        for path, body in (
            files if files is not None else {f"{module}.py": f"__version__ = {version!r}\n"}
        ).items()
    }
    info = f"{stem}.dist-info"
    content[f"{info}/METADATA"] = _metadata(
        name, version, requires=requires, extras=extras or {}, requires_python=requires_python
    )
    content[f"{info}/WHEEL"] = _wheel_file(tag, purelib=purelib, build=build)
    entry_points = _entry_points(scripts or {}, gui_scripts or {})
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points
    content |= dict(raw or {})
    record = f"{info}/RECORD"
    if record not in content:
        rows = [record_row(path, body) for path, body in content.items()]
        content[record] = "\n".join([*rows, f"{record},,", ""]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}{f'-{build}' if build else ''}-{tag}.whl"
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for entry, body in content.items():
            information = zipfile.ZipInfo(entry, date_time=(2020, 1, 1, 0, 0, 0))
            information.external_attr = 0o644 << 16
            information.compress_type = method
            archive.writestr(information, body)
    return path


def make_sdist(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Iterable[str] = (),
    files: Mapping[str, str] | None = None,
    backend: str | None = None,
) -> Path:
    """Writes an sdist with an in-tree build backend that needs nothing from an index.

    ``backend`` is the backend's Python source; the default zips the tree's modules into a wheel,
    editables included (a ``.pth`` to the source folder).
    """
    stem = f"{name.replace('-', '_')}-{version}"
    module = name.replace("-", "_").lower()
    content = {
        "pyproject.toml": (
            "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
            f"[project]\nname = {name!r}\nversion = {version!r}\n"
            f"dependencies = {list(requires)!r}\n"
        ),
        "PKG-INFO": _metadata(name, version, requires=requires, extras={}).decode(),
        "backend.py": backend if backend is not None else in_tree_backend(name, version, requires),
        f"{module}.py": f"__version__ = {version!r}\n",
        **(files or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for entry, text in content.items():
            body = text.encode()
            information = tarfile.TarInfo(f"{stem}/{entry}")
            information.size = len(body)
            archive.addfile(information, io.BytesIO(body))
    return path


def in_tree_backend(
    name: str,
    version: str,
    requires: Iterable[str] = (),
    extras: Mapping[str, Iterable[str]] | None = None,
) -> str:
    """The source of a PEP 517 and PEP 660 backend that builds with the standard library alone."""
    stem = f"{name.replace('-', '_')}-{version}"
    metadata = _metadata(name, version, requires=requires, extras=extras or {}).decode()
    return f"""
import os, zipfile
STEM = {stem!r}
INFO = STEM + ".dist-info"
METADATA = {metadata!r}
WHEEL = "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def get_requires_for_build_wheel(config_settings=None): return []
def get_requires_for_build_editable(config_settings=None): return []
def get_requires_for_build_sdist(config_settings=None): return []

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    os.makedirs(os.path.join(metadata_directory, INFO))
    for leaf, body in (("METADATA", METADATA), ("WHEEL", WHEEL)):
        with open(os.path.join(metadata_directory, INFO, leaf), "w") as stream:
            stream.write(body)
    return INFO

prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel

def _build(folder, content):
    content = dict(content)
    content[INFO + "/METADATA"] = METADATA
    content[INFO + "/WHEEL"] = WHEEL
    content[INFO + "/RECORD"] = "".join(path + ",,\\n" for path in content) + INFO + "/RECORD,,\\n"
    leaf = STEM + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, leaf), "w") as archive:
        for path, body in content.items():
            archive.writestr(path, body)
    return leaf

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    modules = [leaf for leaf in os.listdir(".") if leaf.endswith(".py") and leaf != "backend.py"]
    return _build(wheel_directory, {{leaf: open(leaf).read() for leaf in modules}})

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _build(wheel_directory, {{"__editable__." + STEM + ".pth": os.getcwd() + "\\n"}})
"""


def record_row(path: str, body: bytes) -> str:
    """A RECORD row with the sha256 of ``body`` in the specification's encoding."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(body)}"


def sha256_of(path: Path) -> str:
    """``sha256:<hex>`` of a file, as locks write it."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _metadata(
    name: str,
    version: str,
    *,
    requires: Iterable[str],
    extras: Mapping[str, Iterable[str]],
    requires_python: str | None = None,
) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        for requirement in requirements:
            head, _, marker = requirement.partition(";")
            condition = f"({marker.strip()}) and " if marker else ""
            lines.append(f'Requires-Dist: {head.strip()}; {condition}extra == "{extra}"')
    return ("\n".join(lines) + "\n").encode()


def _wheel_file(tag: str, *, purelib: bool, build: str | None) -> bytes:
    lines = ["Wheel-Version: 1.0", "Generator: venvman-tests"]
    lines.append(f"Root-Is-Purelib: {'true' if purelib else 'false'}")
    lines += [f"Build: {build}"] if build else []
    pythons, abis, platforms = tag.split("-")
    lines += [
        f"Tag: {python}-{abi}-{platform}"
        for python in pythons.split(".")
        for abi in abis.split(".")
        for platform in platforms.split(".")
    ]
    return ("\n".join(lines) + "\n").encode()


def _entry_points(scripts: Mapping[str, str], gui_scripts: Mapping[str, str]) -> bytes:
    sections = (("console_scripts", scripts), ("gui_scripts", gui_scripts))
    lines = []
    for section, entries in sections:
        if entries:
            lines += [f"[{section}]", *(f"{name} = {point}" for name, point in entries.items())]
    return ("\n".join(lines) + "\n").encode() if lines else b""
