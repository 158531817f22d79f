"""An environment of the peers' own, and one with venvman installed as a user has it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import neutral_environment, options_of, write_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from benchmarks.alternate import Comparison

ROOT = Path(__file__).resolve().parents[1]


def install_peers(folder: Path) -> Path:
    """uv and pip-tools in ``folder/peers``; the folder of their programs."""
    return _environment(folder / "peers", "uv", "pip-tools")


def install_tool(folder: Path, name: str, *more: str) -> Path:
    """``name`` in an environment of its own; the folder of its programs."""
    return _environment(folder / name, name, *more)


def versions(*programs: Path) -> dict[str, str]:
    """What each program says that it is: a label and a version."""
    found = {}
    for program in programs:
        done = subprocess.run(
            [program, "--version"], check=True, capture_output=True, text=True,
            env=neutral_environment(),
        )  # fmt: skip
        told = re.search(r"\d+(?:\.\d+)+", done.stdout + done.stderr)
        found[program.name] = told[0] if told else done.stdout.strip()
    return found


def install_venvman(folder: Path) -> Path:
    """venvman from this checkout, not editable and with bytecode; the folder of its program."""
    return _environment(folder / "venvman", str(ROOT))


def beside_uv(
    doc: str | None,
    arguments: Sequence[str] | None,
    heading: str,
    measured: Callable[[Path, Path, Path, int], Iterable[Comparison]],
) -> int:
    """A measurement's program: ``measured`` gets a folder, venvman, uv, and how many rounds."""
    options = options_of(doc, runs=3).parse_args(arguments)
    folder = options.folder
    venvman, uv = install_venvman(folder) / "venvman", install_peers(folder) / "uv"
    found = measured(folder, venvman, uv, options.runs)
    write_results(options.results, heading, found, versions(venvman, uv))
    return 0


_MADE: dict[tuple[str, ...], Path] = {}
"""What one process has installed: `python -m benchmarks` installs each of them once."""


def _environment(path: Path, *requirements: str) -> Path:
    if requirements in _MADE:
        return _MADE[requirements]
    env = neutral_environment()
    if not path.exists():
        subprocess.run([sys.executable, "-m", "venv", str(path)], check=True, env=env)
    pip = [str(path / "bin/python"), "-m", "pip", "install", "--quiet", "--upgrade"]
    pip += ["--disable-pip-version-check"]
    # The scripts of old pips import `re` first, half of what Python itself takes to start; those of
    # pipx, uv and newer pips do not.
    subprocess.run([*pip, "pip"], check=True, env=env)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", requirements[0]], check=True, env=env)
    subprocess.run([*pip, *requirements], check=True, env=env)
    return _MADE.setdefault(requirements, path / "bin")
