"""The headers of the locks that are written. Pure.

A lock keeps the options somebody once chose: they stand in the command of its header, which is also
what update bots run.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from venvman.requirements.header import UNSAFE_PACKAGES, Annotations, LockHeader, LockStyle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from venvman.lock.file import Lock
    from venvman.model.names import NormalizedName

# Options of pip-compile that its own header never shows, because they do not shape the file.
_TRANSIENT = ("--upgrade", "-U", "-P", "--rebuild", "--quiet", "-q", "--dry-run")


def new_arguments(
    style: LockStyle, *, sources: Sequence[str], output: str, more: Sequence[str] = ()
) -> tuple[str, ...]:
    """The arguments of a new header's pip-compile; ``sources`` and ``output`` as it sees them.

    ``more`` are further options.

    For the default style exactly what lockfile.md names, which Renovate and Dependabot understand.
    """
    options = [
        "--allow-unsafe" if style.allow_unsafe else None,
        "--annotation-style=line" if style.annotations is Annotations.LINE else None,
        "--generate-hashes" if style.hashes else None,
        None if style.annotate else "--no-annotate",
        None if style.emit_find_links else "--no-emit-find-links",
        None if style.emit_index_url else "--no-emit-index-url",
        f"--output-file={output}",
        "--strip-extras" if style.strip_extras else None,
        *more,
    ]
    return (*sorted(option for option in options if option), *sources)


def compile_arguments(header: LockHeader, *, hashes: bool | None) -> tuple[str, ...] | None:
    """The arguments of an existing pip-compile header, ``hashes`` forced on or off unless None.

    None where the header has no such command.
    """
    if header.tool != "pip-compile" or not header.line.is_compile:
        return None
    words = shlex.split(header.command or "")
    words = [word for word in words[header.line.start :] if not word.startswith(_TRANSIENT)]
    if hashes is None or hashes == ("--generate-hashes" in words):
        return tuple(words)
    if not hashes:
        return tuple(word for word in words if word != "--generate-hashes")
    options = [word for word in words if word not in header.sources]
    return (*sorted([*options, "--generate-hashes"]), *header.sources)


def style_of(lock: Lock | None) -> LockStyle:
    """The shape of an existing lock: as its header's command asks, else as it is seen to be."""
    if lock is None:
        return LockStyle()
    header = lock.header
    if header.tool == "venvman":
        return header.style
    if header.line.is_compile:
        # Options may also come from the tool's configuration, which no header shows.
        return replace(
            header.style,
            hashes=header.style.hashes or any(entry.hashes for entry in lock.entries),
            annotate=header.style.annotate or any(entry.via for entry in lock.entries),
            annotations=lock.annotations,
        )
    options = " ".join(lock.options)
    return LockStyle(
        hashes=any(entry.hashes for entry in lock.entries) or not lock.entries,
        strip_extras=not any(entry.extras for entry in lock.entries),
        allow_unsafe=not left_out(lock),
        annotate=any(entry.via for entry in lock.entries) or not lock.entries,
        annotations=lock.annotations,
        emit_index_url="--index-url" in options,
    )


def left_out(lock: Lock) -> frozenset[NormalizedName]:
    """The packages that ``lock`` does not pin by rule: pip, setuptools, distribute, as a rule.

    Of a lock whose options are not known, those that no pin is one of, unless some are pinned.
    """
    header = lock.header
    if header.tool == "venvman" or header.is_complete or not lock.entries:
        return frozenset()
    if header.is_compiled and header.line.is_compile:
        return frozenset() if header.style.allow_unsafe else header.style.unsafe
    pinned = any(entry.name in UNSAFE_PACKAGES for entry in lock.entries)
    return frozenset(lock.unpinned) if pinned else UNSAFE_PACKAGES


def compile_header(arguments: Sequence[str], *, python: str) -> LockHeader:
    """pip-compile's header; ``python`` is the target's ``3.11``."""
    return _header("pip-compile", shlex.join(["pip-compile", *arguments]), python)


def renewed(header: LockHeader, *, python: str, hashes: bool | None) -> LockHeader:
    """``header`` as its tool would write it again: for ``python``.

    ``hashes`` are forced on or off unless None.
    """
    text = re.sub(r"(with [Pp]ython )\d+\.\d+", rf"\g<1>{python}", header.text, count=1)
    command = header.command
    if command is not None and header.line.is_compile and hashes is not None:
        if header.tool == "pip-compile":
            arguments = compile_arguments(header, hashes=hashes) or ()
            words = shlex.split(command)
            command = shlex.join([*words[: header.line.start], *arguments])
        elif hashes and not header.style.hashes:
            command = f"{command} --generate-hashes"
        elif not hashes:
            command = command.replace(" --generate-hashes", "")
        text = text.replace(header.command or "", command)
    minor = python if header.python else None
    return replace(header, text=text, command=command, python=minor)


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
    return header.line.values("--target") if header.tool == "venvman" else ()


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
