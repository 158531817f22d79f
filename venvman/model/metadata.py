"""Core metadata (METADATA, PKG-INFO) and setuptools' requires.txt: bytes in, values out. Pure.

Lean on purpose: the fields that venvman asks for, found without building an email message. What a
``Requires-Dist`` line means is left to :mod:`packaging`, and only for the lines that are needed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# The format is that of email headers: field names are case-insensitive, a line that starts with
# white space continues the one before it. Compiled when first used (:mod:`re` keeps them), since
# importing this module is on the way of every sync.
_FIELD = rb"(?im)^(Name|Version|Requires-Python|Requires-Dist|Provides-Extra):(.*(?:\n[ \t]+\S.*)*)"
_NAME = rb"(?im)^Name:(.*)"
_VERSION = rb"(?im)^Version:(.*)"


class CoreMetadata(NamedTuple):
    """Some fields of the core metadata specification, as written; None or empty where absent.

    ``requires`` are ``Requires-Dist`` values (PEP 508 texts), ``extras`` the ``Provides-Extra``.
    """

    name: str | None = None
    version: str | None = None
    requires_python: str | None = None
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def parse_metadata(content: bytes) -> CoreMetadata:
    """The fields of METADATA or PKG-INFO; the description after the headers is never looked at."""
    fields: dict[bytes, list[str]] = {}
    for key, value in re.findall(_FIELD, headers_of(content)):
        fields.setdefault(key.lower(), []).append(_text(value))

    def first(key: bytes) -> str | None:
        return fields.get(key, [""])[0] or None

    return CoreMetadata(
        name=first(b"name"),
        version=first(b"version"),
        requires_python=first(b"requires-python"),
        requires=tuple(fields.get(b"requires-dist", ())),
        extras=tuple(fields.get(b"provides-extra", ())),
    )


def name_and_version(content: bytes) -> tuple[str | None, str | None]:
    """Just the two fields that say which distribution this is; much cheaper than all of them.

    ``content`` may be the beginning of the file alone, as long as it holds both.
    """
    headers = headers_of(content)
    name, version = re.search(_NAME, headers), re.search(_VERSION, headers)
    return (
        _text(name[1]) or None if name else None,
        _text(version[1]) or None if version else None,
    )


_LICENCE = rb"(?im)^(?:License-Expression:|License:|Classifier: *License ::(?:.*::)?)(.*)"


def licence(content: bytes) -> str | None:
    """What METADATA says of the licence: its expression, name or classifier, and no text."""
    said = [_text(each) for each in re.findall(_LICENCE, headers_of(content))]
    return next((each for each in said if 0 < len(each) <= 60 and each != "UNKNOWN"), None)


def parse_requires_txt(text: str) -> tuple[str, ...]:
    """The lines of setuptools' ``requires.txt`` as PEP 508 texts.

    A section is ``[extra]``, ``[:marker]`` or ``[extra:marker]``; both become part of the marker.
    """
    requires: list[str] = []
    condition = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = (part.strip() for part in line[1:-1].partition(":"))
            parts = [f"({marker})"] if marker else []
            parts += [f'extra == "{extra}"'] if extra else []
            condition = " and ".join(parts)
        elif line and not line.startswith("#"):
            # A URL may hold a semicolon; PEP 508 asks for the space before the marker's own.
            separator = " ; " if " @ " in line else "; "
            requires.append(f"{line}{separator}{condition}" if condition else line)
    return tuple(requires)


def headers_of(content: bytes) -> bytes:
    """All of METADATA or PKG-INFO that is looked at: what stands before the description."""
    if b"\r\n" in content:
        content = content.replace(b"\r\n", b"\n")
    end = content.find(b"\n\n")
    return content if end < 0 else content[:end]


def _text(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "replace").split())


_SECTIONS = {"[console_scripts]": "console", "[gui_scripts]": "gui"}
_OBJECT = re.compile(r"([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?")


class EntryPointInvalid(ValueError):
    """A script that cannot be generated; the message is a sentence's end ("the line ...")."""

    def __init__(self, message: str, *, line: int, text: str) -> None:
        super().__init__(message)
        self.line = line
        self.text = text


class EntryPoint(NamedTuple):
    """One script to generate.

    ``section`` is ``console`` or ``gui``, ``attribute`` may be dotted.
    """

    name: str
    module: str
    attribute: str
    section: str


def parse_scripts(text: str) -> tuple[EntryPoint, ...]:
    """The console and gui scripts in ``text``, in its order; other sections are not looked at.

    Raises:
        EntryPointInvalid: a script without a function, or one whose name would lead out of the
            folder for scripts.
    """
    section: str | None = None
    scripts: dict[str, EntryPoint] = {}
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if line.startswith("["):
            section = _SECTIONS.get(line)
        elif section is not None and line and not line.startswith(("#", ";")):
            name, equals, value = (part.strip() for part in line.partition("="))
            if not equals or not name:
                raise EntryPointInvalid("is not NAME = MODULE:FUNCTION", line=number, text=line)
            if name in (".", "..") or any(character in name for character in "/\\\0"):
                raise EntryPointInvalid("names a path outside of bin", line=number, text=line)
            match = _OBJECT.fullmatch(value)
            if match is None:
                raise EntryPointInvalid("names no function", line=number, text=line)
            scripts[name] = EntryPoint(name, match[1], match[2], section)
    return tuple(scripts.values())
