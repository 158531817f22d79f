"""``make screens``: the pictures of the README and the site, light and dark, from real runs.

    python -m tools.screens

Each scene is typed into a shell on a terminal, in a scratch project against a local index. What
differs from run to run (durations, versions of Python, commits) is set to one value, so that two
runs give the same bytes.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.support.machine import machine, masked

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "docs" / "screens"
COLUMNS = 88


@dataclass(frozen=True)
class Scene:
    """Commands to make ready, and those that are shown."""

    title: str
    before: tuple[str, ...]
    shown: tuple[str, ...]


_PROJECT = (
    "mkdir shop && cd shop && git init -q && printf 'venv/\\n' > .gitignore",
    "printf 'flask<3.1\\nrequests\\n' > requirements.in",
    "venvman sync -q && venvman hooks install -q && git add . && git commit -qm 'A shop'",
)
_BRANCH = (
    "git switch -qc search && printf 'elasticsearch\\nflask\\nrequests\\n' > requirements.in",
    "venvman freeze -q -P flask && git commit -qam 'Search' && git switch -q main",
)

SCENES = {
    "sync": Scene(
        "venvman sync after a change of branch",
        (*_PROJECT, *_BRANCH),
        ("git switch search", "venvman sync"),
    ),
    "status": Scene(
        "venvman status where pip has moved a package",
        (
            *_PROJECT,
            "venv/bin/pip install -q --no-deps 'urllib3<2' rich && venv/bin/pip uninstall -qy idna",
        ),
        ("venvman status",),
    ),
    "doctor": Scene(
        "venvman doctor finds what is wrong, and names what fixes it",
        (
            *_PROJECT,
            "venv/bin/pip install -q --no-deps 'urllib3<2'",
            "rm venv/lib/python*/site-packages/jinja2.py && echo rich >> requirements.in",
        ),
        ("venvman doctor", "venvman doctor --fix --freeze"),
    ),
}


def pictures(name: str) -> Iterator[tuple[str, str]]:
    """The two files of a scene below ``docs/screens``: name and content."""
    text = _acted(SCENES[name])
    for look, theme in (("light", _LIGHT), ("dark", _DARK)):
        yield f"{name}-{look}.svg", _drawn(text, SCENES[name].title, theme)


def settled(sent: str) -> str:
    """What a terminal shows in the end, which was sent this: its colours, without its animation."""
    lines, row = [""], 0
    for part in re.split(r"(\r?\n|\r|\x1b\[\?25[lh]|\x1b\[2K|\x1b\[\d*A)", sent):
        if part.endswith("\n"):
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif re.fullmatch(r"\x1b\[\d*A", part):
            row -= int(part[2:-1] or 1)
        elif part != "\r" and not part.startswith("\x1b[?"):
            lines[row] += part
    return "\n".join(lines).rstrip("\n")


def _acted(scene: Scene) -> Text:
    with machine() as ours:
        for ran in ours.session(scene.before):
            if ran.code:
                raise RuntimeError(ran.stdout)
        text = Text()
        for command in scene.shown:
            text.append("$ ", style="green").append(f"{command}\n", style="bold")
            sent = ours.on_terminal(command, folder=ours.home / "shop", columns=COLUMNS)
            text.append_text(Text.from_ansi(masked(settled(sent)))).append("\n\n")
    text.rstrip()
    return text.append("\n")


def _drawn(text: Text, title: str, theme: TerminalTheme) -> str:
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(text)
    drawn = console.export_svg(
        title=title, theme=theme, code_format=_FORMAT, unique_id="screen", font_aspect_ratio=0.6
    )
    framed = drawn.replace("rgba(255,255,255,0.35)", "rgba(128,128,128,0.5)")
    return "".join(f"{line.rstrip()}\n" for line in framed.strip().splitlines())


# As rich's own, but for the fonts: those of the reader's system, so that nothing is fetched.
_FORMAT = """\
<svg class="screen" viewBox="0 0 {width} {height}" role="img" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font: {char_height}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font: 17px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

_LIGHT = TerminalTheme(
    (255, 255, 255),
    (8, 10, 12),
    [
        (36, 41, 47), (180, 35, 24), (17, 99, 41), (120, 70, 0),
        (9, 80, 174), (110, 55, 170), (20, 95, 110), (80, 86, 94),
    ],
    [
        (80, 86, 94), (164, 14, 38), (17, 99, 41), (120, 70, 0),
        (9, 80, 174), (110, 55, 170), (20, 95, 110), (31, 35, 40),
    ],
)  # fmt: skip
_DARK = TerminalTheme(
    (13, 17, 23),
    (230, 237, 243),
    [
        (139, 148, 158), (255, 123, 114), (86, 211, 100), (227, 179, 65),
        (121, 192, 255), (210, 168, 255), (86, 212, 221), (201, 209, 217),
    ],
    [
        (139, 148, 158), (255, 161, 152), (126, 231, 135), (242, 204, 96),
        (165, 214, 255), (226, 197, 255), (179, 240, 255), (255, 255, 255),
    ],
)  # fmt: skip


def main() -> int:
    """Writes the pictures of every scene."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCENES:
        for leaf, drawn in pictures(name):
            (FOLDER / leaf).write_text(drawn, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
