"""Scripts: what stands in ``bin``. Pure: entry points in, bytes out.

The launchers of Windows come from the ``installer`` package. On POSIX a script is four lines, and
importing that package for them would cost more time than linking a thousand files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from installer.scripts import ScriptSection

    from venvman.entrypoints import EntryPoint

__all__ = ["rewritten", "script_file", "shebang", "with_versioned_names"]

_BODY = """\
import sys
from {module} import {imported}
if __name__ == "__main__":
    sys.exit({attribute}())
"""
# Linux reads 127 bytes of the first line before 5.1, "#!" included.
_LONGEST = 127


def script_file(
    point: EntryPoint, *, python: str, windows: bool = os.name == "nt"
) -> tuple[str, bytes]:
    """The file name and content of the script for ``point``, run by the interpreter ``python``."""
    if windows:
        return _launcher(point, python)
    body = _BODY.format(
        module=point.module,
        imported=point.attribute.partition(".")[0],
        attribute=point.attribute,
    )
    return point.name, shebang(python) + body.encode()


def shebang(python: str) -> bytes:
    """The line, or lines, that make a script run by ``python``.

    Kernels cut long lines and split at spaces; then ``/bin/sh`` runs the first lines, which to
    Python are a text that nobody reads.
    """
    encoded = os.fsencode(python)
    simple = b"#!" + encoded + b"\n"
    if len(simple) <= _LONGEST and not encoded.split(maxsplit=1)[1:]:
        return simple
    import shlex

    quoted = os.fsencode(shlex.quote(python))
    return b"#!/bin/sh\n'''exec' " + quoted + b' "$0" "$@"\n' + b"' '''\n"


def rewritten(content: bytes, *, python: str) -> bytes:
    """A script from a wheel, its ``#!python`` line made to name ``python``; others as they are."""
    first, newline, rest = content.partition(b"\n")
    if not first.startswith(b"#!python"):
        return content
    return shebang(python) + (rest if newline else b"")


def with_versioned_names(
    points: Iterable[EntryPoint], *, minor: tuple[int, int]
) -> tuple[EntryPoint, ...]:
    """``points``, with pip's own scripts named after the environment's Python.

    pip's wheel is made for every version: installing it gives ``pip``, ``pip3`` and ``pip3.11``
    whatever numbers the wheel lists.
    """
    result = []
    for point in points:
        if point.name == "pip":
            names = ("pip", f"pip{minor[0]}", f"pip{minor[0]}.{minor[1]}")
            result += [point._replace(name=name) for name in names]
        elif not _is_versioned_pip(point.name):
            result.append(point)
    return tuple(result)


def _is_versioned_pip(name: str) -> bool:
    number = name.removeprefix("pip")
    return number != name and bool(number) and number.replace(".", "").isdigit()


def _launcher(point: EntryPoint, python: str) -> tuple[str, bytes]:
    from typing import cast

    from installer.scripts import Script
    from installer.utils import get_launcher_kind

    section = cast("ScriptSection", point.section)
    script = Script(point.name, point.module, point.attribute, section)
    kind = get_launcher_kind()
    return script.generate(python, "win-amd64" if kind == "posix" else kind)
