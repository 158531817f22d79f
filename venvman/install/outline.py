"""Outlines: what is left of a lock or requirements file when its plain lines are taken out.

Two texts with one outline differ only in plain lines: pins with hashes and nothing else in a lock,
names with versions in a requirements file. Whatever else decides what a sync does (headers,
options, markers, URLs, includes) is in the outline. Pure: text in, values out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Outline", "outline_of_lock", "outline_of_source"]

# As every tool writes them: a canonical name, hashes on lines of their own, then comments.
_PIN = re.compile(
    r"^([a-z0-9]+(?:-[a-z0-9]+)*)==([a-z0-9.!+]+) \\\n"
    r"((?:    --hash=sha256:[0-9a-f]{64} \\\n)*    --hash=sha256:[0-9a-f]{64})\n"
    r"(?:    #[^\n]*\n)*",
    re.MULTILINE,
)
_RELEASE = r"[0-9]+(?:\.[0-9]+)*"
_CLAUSE = rf"(?:==|>=|<=|!=|<|>) ?{_RELEASE}"
_WISH = re.compile(
    rf"^[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*(?: ?{_CLAUSE}(?:, ?{_CLAUSE})*)?\n", re.MULTILINE
)
_NAME = re.compile(r"[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*")
# They decide which file a pin comes to, or what it is built into.
_DECIDING = re.compile(
    r"^[^#\n]*--(?:no-binary|only-binary|prefer-binary|config-setting)", re.MULTILINE
)


class Outline(NamedTuple):
    """``rest`` is what is left, ``pins`` are a lock's plain ones: version and hashes by name."""

    rest: str
    pins: dict[str, tuple[str, tuple[str, ...]]]

    @property
    def names(self) -> set[str] | None:
        """The names that stand in the rest, as written; None where one cannot be told."""
        found = set()
        for line in self.rest.split("\n"):
            if not line or line[0] in "#\0" or line.startswith(("    ", "--")):
                continue
            name = _NAME.match(line)
            if name is None or "://" in line.partition(" @ ")[0]:
                return None
            found.add(name[0])
        return found


def outline_of_lock(text: str) -> Outline | None:
    """The outline of a lock; None where it cannot be told what a line belongs to."""
    pins: dict[str, tuple[str, tuple[str, ...]]] = {}
    rest: list[str] = []
    end = 0
    for found in _PIN.finditer(text):
        name, version, hashes = found.groups()
        if name in pins or text[max(found.start() - 2, 0) : found.start()] == "\\\n":
            return None
        rest.append(text[end : found.start()])
        if not pins:
            rest.append("\0\n")  # here ends what may be the header
        end = found.end()
        pins[name] = (version, tuple(line[11:82] for line in hashes.split("\n")))
    rest.append(text[end:])
    return None if _DECIDING.search("".join(rest)) else Outline("".join(rest), pins)


def outline_of_source(text: str) -> Outline | None:
    """The outline of a requirements file; None where it says more than an outline can tell."""
    if "\\\n" in text or "\r" in text or _DECIDING.search(text):
        return None
    return Outline(_WISH.sub("", text), {})
