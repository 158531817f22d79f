"""Writes `completions/`: what a package brings for bash, zsh and fish, as the program prints it.

python -m tools.completions
"""

from __future__ import annotations

import sys
from pathlib import Path

from typer._completion_shared import get_completion_script

FOLDER = Path(__file__).parents[1] / "completions"
FILES = {"bash": "venvman.bash", "zsh": "_venvman", "fish": "venvman.fish"}


def scripts() -> dict[str, str]:
    """The name of each file, and what is in it."""
    words = {"prog_name": "venvman", "complete_var": "_VENVMAN_COMPLETE"}
    return {name: f"{get_completion_script(shell=at, **words)}\n" for at, name in FILES.items()}


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    for name, script in scripts().items():
        (FOLDER / name).write_text(script, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
