"""One requirements file, frozen and synced on every interpreter of this machine.

    python -m benchmarks.interpreters REQUIREMENTS.in [--oldest 3.8] [--folder DIR]

The interpreters are those that venvman finds itself, one for each minor version; the checks are
those of ``benchmarks.workloads``. Needs the package index.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import options_of
from benchmarks.workloads import check, install_tools, new_project
from venvman.python.interpreters import available
from venvman.system.directories import Directories

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, results=False)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--oldest", default="3.8")
    parser.add_argument("--venvman", type=Path, help="the program; default: this checkout")
    options = parser.parse_args(arguments)
    folder = options.folder
    tools = install_tools(folder, venvman=options.venvman)
    bad = 0
    for minor in minors(_numbers(options.oldest)):
        python = f"{minor[0]}.{minor[1]}"
        print(f"## {options.requirements.name}, Python {python}", flush=True)
        bad += check(new_project(folder, options.requirements, python=python, tools=tools))
    return int(bad > 0)


def minors(oldest: tuple[int, ...]) -> list[tuple[int, int]]:
    """The minor versions that venvman finds here, oldest first."""
    directories = Directories.of(os.environ)
    found = available(directories=directories, variables=os.environ)
    return sorted({each.minor for each in found if each.minor >= oldest})


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


if __name__ == "__main__":
    sys.exit(main())
