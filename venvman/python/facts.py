"""What one interpreter knows about itself, printed as JSON: this file is run *by* that interpreter.

``python -I -S facts.py`` must work in every CPython from 3.8 on (3.7 gets as far as telling its
version), so: the standard library only, no import of venvman, no syntax newer than 3.8, and nothing
at import time but imports. :mod:`venvman.python.probe` runs it and reads what it prints.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import platform
import re
import struct
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType


def gather() -> Mapping[str, object]:
    """Every fact, as JSON can hold it.

    ``paths`` are relative to the root of a virtual environment of this interpreter; all other
    paths are absolute. ``debug`` and ``free_threaded`` speak of the build. ``elf`` is the beginning
    of the executable in hexadecimal, "" where it cannot be read.
    """
    return {
        "version": _version(sys.version_info),
        "implementation": sys.implementation.name,
        "executable": sys.executable,
        "prefix": sys.prefix,
        "stdlib": sysconfig.get_path("stdlib"),
        "markers": _markers(),
        "platform": sysconfig.get_platform(),
        "bits": struct.calcsize("P") * 8,
        "debug": _is_debug_build(),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "soabi": sysconfig.get_config_var("SOABI"),
        "ext_suffix": sysconfig.get_config_var("EXT_SUFFIX"),
        "multiarch": sysconfig.get_config_var("MULTIARCH"),
        "macos": _macos(),
        "glibc": _glibc(),
        "musl": _musl(),
        "elf": _executable_begins_with(64).hex(),
        "manylinux_refused": _manylinux_refused(),
        "paths": _environment_paths(),
        "has_venv": importlib.util.find_spec("venv") is not None,
        "pip": _ensurepip(),
    }


def _version(info: Sequence[object]) -> str:
    """``3.11.7`` or ``3.15.0a2``, as PEP 508 writes ``implementation_version``."""
    major, minor, micro, level, serial = info
    stage = "" if level == "final" else f"{level:.1}{serial}"
    return f"{major}.{minor}.{micro}" + stage


def _markers() -> Mapping[str, str]:
    """PEP 508's environment markers, but for ``extra``."""
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": _version(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def _is_debug_build() -> bool:
    declared = sysconfig.get_config_var("Py_DEBUG")
    if declared is not None:
        return bool(declared)
    return hasattr(sys, "gettotalrefcount") or "_d.pyd" in importlib.machinery.EXTENSION_SUFFIXES


def _macos() -> object:
    """``[[13, 4], "arm64"]``, None on other systems."""
    if platform.system() != "Darwin":
        return None
    release, _, machine = platform.mac_ver()
    if release.startswith("10.16"):
        # A Python built against an old SDK is told 10.16 by every macOS from 11 on.
        release = subprocess.check_output(
            [sys.executable, "-I", "-S", "-c", "import platform; print(platform.mac_ver()[0])"],
            env={"SYSTEM_VERSION_COMPAT": "0"},
            universal_newlines=True,
        )
    return [[int(part) for part in release.strip().split(".")[:2]], machine]


def _glibc() -> list[int] | None:
    """``[2, 36]``, None where this interpreter does not run on glibc."""
    try:
        answer = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        return None
    match = re.match(r"glibc (\d+)\.(\d+)", answer)
    return [int(part) for part in match.groups()] if match else None


def _musl() -> list[int] | None:
    """``[1, 2]``, None where this interpreter does not run on musl.

    The dynamic loader is named near the beginning of the executable, and tells its version on
    stderr when started without arguments.
    """
    loader = re.search(rb"(/[^\0]*ld-musl-[^\0]+)\0", _executable_begins_with(8192))
    if loader is None:
        return None
    try:
        told = subprocess.run([os.fsdecode(loader.group(1))], stderr=subprocess.PIPE, check=False)
    except OSError:
        return None
    match = re.search(rb"Version (\d+)\.(\d+)", told.stderr)
    return [int(part) for part in match.groups()] if match else None


def _executable_begins_with(size: int) -> bytes:
    if not sys.platform.startswith("linux"):
        return b""
    try:
        with Path(sys.executable).open("rb") as stream:
            return stream.read(size)
    except OSError:
        return b""


def _manylinux_refused() -> list[list[int]]:
    """The glibc versions ``[2, minor]`` that a ``_manylinux`` module (PEP 600) rules out."""
    module, glibc = _manylinux_module(), _glibc()
    if module is None or glibc is None:
        return []
    arch = sysconfig.get_platform().split("-", 1)[-1].replace("-", "_")
    minors = range(5, glibc[1] + 1)
    return [[2, minor] for minor in minors if not _manylinux_allows(module, minor, arch)]


def _manylinux_module() -> ModuleType | None:
    # site is switched off here, but the module is usually put into site-packages.
    places = [*sys.path, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    spec = importlib.machinery.PathFinder.find_spec("_manylinux", places)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _manylinux_allows(module: ModuleType, minor: int, arch: str) -> bool:
    if hasattr(module, "manylinux_compatible"):
        answer = module.manylinux_compatible(2, minor, arch)
        return True if answer is None else bool(answer)
    legacy = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
    return bool(getattr(module, legacy.get(minor, "") + "_compatible", True))


def _environment_paths() -> Mapping[str, str]:
    """Where a virtual environment of this interpreter keeps things, relative to its root."""
    schemes = sysconfig.get_scheme_names()
    paths = sysconfig.get_paths(
        "venv" if "venv" in schemes else "posix_prefix", vars={"base": "", "platbase": ""}
    )
    wanted = ("purelib", "platlib", "scripts", "data")
    return {name: paths[name].replace(os.sep, "/").strip("/").lstrip(".") for name in wanted}


def _ensurepip() -> object:
    """``{"version", "folders"}``: the pip that ensurepip has, and where its wheel may be."""
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), "/usr/share/python-wheels"]
    try:
        import ensurepip
    except ImportError:  # Debian without python3-venv
        return {"version": None, "folders": [each for each in folders if each]}
    folders.insert(1, str(Path(ensurepip.__file__).parent / "_bundled"))
    return {"version": ensurepip.version(), "folders": [each for each in folders if each]}


if __name__ == "__main__":
    print(json.dumps(gather()))  # noqa: T201 - this is how it answers
