"""The pages of the documentation as a reader follows them: blocks of code, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    path.relative_to(ROOT).as_posix()
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    )
)


@dataclass(frozen=True)
class Block:
    """A block of code: its language (empty where it has none), the line it begins at, its text.

    The language of a comment ``<!-- setup ... -->``, which readers do not see, is ``setup``.
    """

    language: str
    line: int
    text: str


@dataclass(frozen=True)
class Step:
    """A command, with what the page shows below it; None where it shows nothing of it at all."""

    command: str
    shown: str | None


_FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```+$"
    r"|^<!-- (?P<setup>setup)\n(?P<hidden>.*?)^-->$",
    re.MULTILINE | re.DOTALL,
)


def blocks_of(page: str) -> Iterator[Block]:
    """The fenced blocks and setups of ``page``, a path below the root, and indented ones."""
    text = (ROOT / page).read_text(encoding="utf-8")
    rest = 0
    for found in _FENCE.finditer(text):
        yield from _indented(text, rest, found.start())
        rest = found.end()
        line = text.count("\n", 0, found.start()) + 1
        if found["setup"]:
            yield Block("setup", line, found["hidden"])
        else:
            body = re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
            yield Block(found["language"], line, body)
    yield from _indented(text, rest, len(text))


def steps_of(block: Block) -> list[Step]:
    """The commands of a block that is run."""
    if block.language != "console":
        whole = re.sub(r"\\\n", "", block.text)
        return [Step(line, None) for line in whole.splitlines() if line.strip()]
    steps: list[Step] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            steps.append(Step(line[2:], ""))
        elif line.startswith("> "):
            steps[-1] = Step(f"{steps[-1].command}\n{line[2:]}", "")
        else:
            steps[-1] = Step(steps[-1].command, f"{steps[-1].shown}{line}\n")
    return [Step(each.command, each.shown or None) for each in steps]


def fits(shown: str, said: str) -> bool:
    """Whether ``said`` is what is shown; a line ``...`` stands for any lines."""
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", shown, flags=re.MULTILINE)]
    return (
        re.fullmatch("(?:.*\n)*".join(parts), said if said.endswith("\n") else said + "\n")
        is not None
    )


def _indented(text: str, start: int, end: int) -> Iterator[Block]:
    """Blocks that are code by four blanks after an empty line; not what continues a list."""
    in_list = False
    lines = text[start:end].split("\n")
    first = text.count("\n", 0, start) + 1
    before = ""
    for number, line in enumerate(lines, first):
        if re.match(r" {0,3}(?:[-*]|\d+\.) ", line):
            in_list = True
        elif line and not line.startswith(" "):
            in_list = False
        if line.startswith("    ") and not before.strip() and not in_list:
            yield Block("", number, line[4:] + "\n")
        before = line
