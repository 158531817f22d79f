"""What a command line says at a glance, before typer judges it.

When typer refuses a line, nothing of it is parsed; but the refusal must already be told in the
wanted format, about the right command.
"""

from __future__ import annotations

from dataclasses import field
from itertools import pairwise
from typing import TYPE_CHECKING

from venvman.cli.commands import ALIASES, COMMANDS, GROUPS, PASSING
from venvman.cli.options import Color, Common, Format
from venvman.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Invocation"]

_VALUED = frozenset(
    {"--project", "--format", "--color", "--cache-dir", "--group", "-g", "--only-group"}
)
"""Options of ``run`` that take the next word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """``command`` is ``sync`` or ``hooks install``; ``venvman`` where no known one is named."""

    command: str = "venvman"
    known: bool = False
    common: Common = field(default_factory=Common)

    @classmethod
    def of(cls, words: Sequence[str]) -> Invocation:
        """Reads ``words`` up to ``--``; what it does not understand it passes over."""
        own = _own(list(words))
        command = _command(own)
        return cls(
            command=command or "venvman",
            known=command is not None,
            common=Common(
                format=Format.JSON if _value(own, "--format") == "json" else Format.TEXT,
                color=_color(_value(own, "--color")),
                quiet="-q" in own or "--quiet" in own,
                verbose="-v" in own or "--verbose" in own,
            ),
        )


def _own(words: list[str]) -> list[str]:
    """Those that are ours: up to ``--``, and up to the program that ``run`` is given."""
    if "--" in words:
        return words[: words.index("--")]
    command = next((position for position, word in enumerate(words) if word in PASSING), None)
    if command is None or GROUPS.keys() & words[:command]:
        return words
    for position, (before, word) in enumerate(pairwise(words[command:]), start=command + 1):
        if not word.startswith("-") and before not in _VALUED:
            return words[:position]
    return words


def _command(words: list[str]) -> str | None:
    plain = [ALIASES.get(word, word) for word in words if not word.startswith("-")]
    for position, word in enumerate(plain):
        if word in COMMANDS:
            return word
        if word in GROUPS:
            members = GROUPS[word][1]
            named = [each for each in plain[position + 1 :] if each in members]
            return " ".join([word, *named[:1]])
    return None


def _value(words: list[str], option: str) -> str | None:
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _color(word: str | None) -> Color:
    return Color(word) if word in {each.value for each in Color} else Color.AUTO
