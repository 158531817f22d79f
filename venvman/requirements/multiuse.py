"""Multi-use lock files (PEP 751): one file with groups and extras, of which sync chooses. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from venvman.model.frozen import dataclass
from venvman.model.names import canonical
from venvman.requirements.naming import DEFAULT
from venvman.system.reading import read_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from packaging.markers import Marker

_TABLE = re.compile(r"^[ \t]*\[\[?[\w.\"-]+\]", re.MULTILINE)
EVERY = ("*",)
"""In place of groups: all that a file has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerGroup:
    """A dependency group, or an extra, of a lock file.

    ``name`` is that of the group in the project, ``said`` that in the file. ``beside`` is the group
    whose lock the file is; ``unasked``: whoever installs that one installs this one, too.
    """

    name: str
    said: str
    beside: str
    extra: bool = False
    unasked: bool = False


def inner_groups(text: str, group: str) -> tuple[InnerGroup, ...]:
    """What the lock file of ``group`` has to choose from; nothing where it cannot be read.

    Its ``default`` comes with ``group`` itself. An extra that meets a group of its name is
    ``extra-NAME``; what is in ``pylock.GROUP.toml`` is ``GROUP-NAME``.
    """
    head = _TABLE.split(text, maxsplit=1)[0]  # keys of the file itself stand before its tables
    try:
        said = read_toml(head)
    except ValueError:
        return ()
    unasked = _names(said.get("default-groups"))
    groups = _names(said.get("dependency-groups")) | unasked
    extras = _names(said.get("extras"))
    prefix = "" if group == DEFAULT else f"{group}-"
    taken = groups | {DEFAULT, group}

    def named(extra: str) -> str:
        return f"{prefix}extra-{extra}" if extra in taken else prefix + extra

    own = {DEFAULT, group}
    return (
        *(
            InnerGroup(
                name=group if each in own else prefix + each,
                said=each,
                beside=group,
                unasked=each in unasked,
            )
            for each in sorted(groups)
        ),
        *(
            InnerGroup(name=named(each), said=each, beside=group, extra=True)
            for each in sorted(extras)
        ),
    )


def _names(said: object) -> set[str]:
    rows = said if isinstance(said, list) else []
    return {canonical(each) for each in rows if isinstance(each, str)}


# What str() of a marker consists of.
_WORD = r"""(?:"[^"]*"|'[^']*'|\w+)"""
_TOKEN = re.compile(rf"\s*(\(|\)|\b(?:and|or)\b|{_WORD} (?:not in|[^\s\w]+|in) {_WORD})")
_CHOICE = re.compile(r"""["']([^"']+)["'] (not )?in (extras|dependency_groups)""")


def chosen(
    marker: Marker | None, inner: Collection[InnerGroup], groups: Collection[str] | None
) -> Marker | bool:
    """``marker`` with the answer in place of what it asks about extras and dependency groups.

    ``groups`` are the names of those that are chosen; None: the file's default groups.
    """
    from packaging.markers import Marker

    text = str(marker or "")
    if marker is None or not _CHOICE.search(text):
        return marker or True
    on = {
        (each.extra, each.said)
        for each in inner
        if (each.unasked if groups is None else groups == EVERY or each.name in groups)
    }

    def answer(comparison: str) -> str | bool:
        asked = _CHOICE.fullmatch(comparison)
        if asked is None:
            return comparison
        return ((asked[3] == "extras", canonical(asked[1])) in on) is not bool(asked[2])

    def joined(tokens: Iterator[str]) -> str | bool:
        """What stands up to the closing parenthesis: terms (``and``) of which one has to hold."""
        terms: list[list[str | bool]] = [[]]
        for word in tokens:
            if word == ")":
                break
            if word == "or":
                terms.append([])
            elif word != "and":
                terms[-1].append(joined(tokens) if word == "(" else answer(word))
        every = [_all(term) for term in terms]
        rest = [each for each in every if isinstance(each, str)]
        if True in every or not rest:
            return True in every
        return rest[0] if len(rest) == 1 else f"({' or '.join(rest)})"

    said = joined(iter(_TOKEN.findall(text)))
    return Marker(said) if isinstance(said, str) else said


def _all(term: list[str | bool]) -> str | bool:
    rest = [each for each in term if isinstance(each, str)]
    if False in term or not rest:
        return False not in term
    return " and ".join(rest)
