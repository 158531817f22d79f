"""How a lock is written: what its header's command asks for, and the headers of new locks. Pure.

A lock beside its ``.in`` keeps the options somebody once chose; they are read from the command in
its header, which is also what update bots run.
"""

from __future__ import annotations

import shlex
from itertools import pairwise
from typing import TYPE_CHECKING

from venvman.frozen import dataclass
from venvman.lock.file import Annotations, LockHeader
from venvman.lock.header import named_sources
from venvman.names import NormalizedName, canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "UNSAFE_PACKAGES",
    "LockStyle",
    "compile_arguments",
    "compile_header",
    "new_arguments",
    "own_header",
    "style_of",
    "target_names",
]

UNSAFE_PACKAGES = frozenset(NormalizedName(name) for name in ("setuptools", "distribute", "pip"))
"""What pip-compile sorts last, under a heading of its own."""

# Options of pip-compile that its own header never shows, because they do not shape the file.
_TRANSIENT = (
    "--upgrade",
    "--upgrade-package",
    "-U",
    "-P",
    "--rebuild",
    "--quiet",
    "-q",
    "--dry-run",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockStyle:
    """What shapes a lock's text besides its pins. The defaults are those of a new lock."""

    hashes: bool = True
    strip_extras: bool = True
    allow_unsafe: bool = True
    annotate: bool = True
    annotations: Annotations = Annotations.SPLIT
    emit_index_url: bool = False
    emit_find_links: bool = True
    unsafe: frozenset[NormalizedName] = UNSAFE_PACKAGES


def style_of(header: LockHeader) -> LockStyle:
    """The style that ``header``'s command asks for; a header without one asks for the default."""
    words = _words(header)
    if header.tool not in {"pip-compile", "uv", "venvman"} or not words:
        return LockStyle()
    asked = set(words)
    if header.tool == "venvman":
        return LockStyle(hashes="--no-hashes" not in asked)
    unsafe = frozenset(canonical(value) for value in _values(words, "--unsafe-package"))
    line = "line" in _values(words, "--annotation-style")
    return LockStyle(
        hashes="--generate-hashes" in asked,
        strip_extras=("--strip-extras" in asked)
        if header.tool == "pip-compile"
        else "--no-strip-extras" not in asked,
        allow_unsafe=header.tool == "uv" or "--allow-unsafe" in asked,
        annotate=not asked & {"--no-annotate", "--no-annotation"},
        annotations=Annotations.LINE if line else Annotations.SPLIT,
        emit_index_url=(header.tool == "pip-compile" and "--no-emit-index-url" not in asked)
        or "--emit-index-url" in asked,
        emit_find_links="--no-emit-find-links" not in asked,
        unsafe=unsafe or UNSAFE_PACKAGES,
    )


def new_arguments(style: LockStyle, *, source: str, output: str) -> tuple[str, ...]:
    """The arguments of a new header's pip-compile; ``source`` and ``output`` as it should see them.

    For the default style exactly what DESIGN 4.5 names, which Renovate and Dependabot understand.
    """
    options = [
        "--allow-unsafe" if style.allow_unsafe else None,
        "--annotation-style=line" if style.annotations is Annotations.LINE else None,
        "--generate-hashes" if style.hashes else None,
        None if style.annotate else "--no-annotate",
        "--no-emit-find-links" if not style.emit_find_links else None,
        "--no-emit-index-url" if not style.emit_index_url else None,
        f"--output-file={output}",
        "--strip-extras" if style.strip_extras else None,
    ]
    return (*sorted(option for option in options if option), source)


def compile_arguments(
    header: LockHeader, *, source: str, hashes: bool | None
) -> tuple[str, ...] | None:
    """The arguments of an existing pip-compile header, ``hashes`` forced on or off unless None.

    None where the header has no such command, or it compiles other files than ``source`` (as the
    command spells it).
    """
    if header.tool != "pip-compile" or named_sources(header) != (source,):
        return None
    words = [word for word in _words(header)[1:] if not word.startswith(_TRANSIENT)]
    if hashes is None or hashes == ("--generate-hashes" in words):
        return tuple(words)
    if not hashes:
        return tuple(word for word in words if word != "--generate-hashes")
    options = [word for word in words if word != source]
    return (*sorted([*options, "--generate-hashes"]), source)


def compile_header(arguments: Sequence[str], *, python: str) -> LockHeader:
    """pip-compile's header; ``python`` is the target's ``3.11``."""
    return _header("pip-compile", shlex.join(["pip-compile", *arguments]), python)


def own_header(style: LockStyle, *, python: str, targets: Sequence[str] = ()) -> LockHeader:
    """The header of locks that pip-compile could not write again without a change.

    ``targets`` are the names of those that the lock is for, where it is for other ones than the
    Python that froze it.
    """
    words = ["venvman", "freeze", *(["--no-hashes"] if not style.hashes else [])]
    words += [word for name in targets for word in ("--target", name)]
    return _header("venvman", shlex.join(words), python)


def target_names(header: LockHeader) -> tuple[str, ...]:
    """The targets that the header's command names; empty for a lock of one Python."""
    return tuple(_values(_words(header), "--target")) if header.tool == "venvman" else ()


def _header(tool: str, command: str, python: str) -> LockHeader:
    lines = (
        "#",
        f"# This file is autogenerated by {tool} with Python {python}",
        "# by the following command:",
        "#",
        f"#    {command}",
        "#",
    )
    return LockHeader(text="\n".join(lines), tool=tool, command=command, python=python)


def _words(header: LockHeader) -> list[str]:
    try:
        return shlex.split(header.command or "")
    except ValueError:
        return []


def _values(words: list[str], option: str) -> list[str]:
    joined = [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
    apart = [after for word, after in pairwise(words) if word == option]
    return joined + apart
