"""``${VAR}`` in requirements files and locks: filled in, and remembered for what it is.

What a variable brings into a URL is a secret wherever it stands there; shown is ``${VAR}``.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from venvman.system.secrets import REFERENCE, is_broken, remember, remember_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from venvman.model.errors import FileLine

_AUTHORITY = re.compile(r"[^/?#]*")
# What ends a userinfo, or the word that a URL is, where it is not percent-encoded.
_NOT_IN_USERINFO = re.compile(r"[\s\x00-\x1f\x7f/?#\[\]\\'\"<>`]")
_NOT_IN_URL = re.compile(r"[\s\x00-\x1f\x7f'\"]")


class _Part(Enum):
    """Which part of a URL a reference stands for."""

    USER = "user"
    PASSWORD = "password"  # noqa: S105 - the name of a part
    REST = "rest"
    WHOLE = "whole"


def expand(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with every ``${NAME}`` that ``variables`` has a non-empty value for put in.

    Only capitals, digits and the underscore make a name; anything else stays as it is. What comes
    into a URL is hidden from then on (:func:`venvman.system.secrets.remember`).
    """
    if "${" not in text:
        return text
    for name, value, part in _values(text, variables):
        shown = f"${{{name}}}"
        if part is not _Part.WHOLE:
            remember(value, shown=shown, credential=part is _Part.PASSWORD)
        elif "://" in value:
            remember_url(value, shown=shown)
    for name in REFERENCE.findall(text):
        text = text.replace(f"${{{name}}}", variables.get(name) or f"${{{name}}}")
    return text


def misfits(text: str, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The variables whose values cannot stand where ``text`` has them in a URL, as they are."""
    found = {
        name: None
        for name, value, part in _values(text, variables)
        if (
            is_broken(value)
            if part is _Part.WHOLE
            else (_NOT_IN_URL if part is _Part.REST else _NOT_IN_USERINFO).search(value)
        )
    }
    return tuple(found)


_unset: dict[str, FileLine] = {}


def note_unset(line: FileLine, variables: Mapping[str, str]) -> None:
    """Remembers the variables that ``line`` names and that are not set, for who fails by them."""
    if variables and "${" in line.text:
        for name in REFERENCE.findall(line.text):
            if not variables.get(name):
                _unset[name] = line


def unset_in(url: str) -> dict[str, FileLine | None]:
    """The variables that ``url`` still has as references, and the line that names each."""
    return {name: _unset.get(name) for name in REFERENCE.findall(url)}


def _values(text: str, variables: Mapping[str, str]) -> Iterator[tuple[str, str, _Part]]:
    """Each reference of ``text`` that has a value, and what it is a part of."""
    for word in text.split():
        before, scheme, rest = word.partition("://")
        authority = _AUTHORITY.match(rest)
        userinfo, at, _ = rest[: authority.end() if authority else 0].rpartition("@")
        user, colon, password = userinfo.partition(":")
        # A user name alone is a token, but not to ssh.
        alone = not colon and not before.endswith(("ssh", "sftp"))
        for piece, part in (
            (before, _Part.REST if scheme else _Part.WHOLE),
            (user, _Part.PASSWORD if alone else _Part.USER),
            (password, _Part.PASSWORD),
            (rest[len(userinfo) + len(at) :], _Part.REST),
        ):
            for name in REFERENCE.findall(piece):
                if value := variables.get(name):
                    yield name, value, part
