"""Commands that find everything as it was, against ``python -c pass`` and uv, alternately.

    python -m benchmarks.everyday REQUIREMENTS.in [--runs 15] [--folder DIR] [--results FILE]

Freezes and syncs REQUIREMENTS.in once; then each command is asked twice, so that its answer is
remembered, and timed. ``python`` is the one that venvman runs on. Needs the package index.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import (
    Command,
    Comparison,
    alternate,
    caches_in,
    options_of,
    write_results,
)
from benchmarks.peers import install_peers, install_venvman, versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# The bar of each: so many times `python -c pass`.
QUESTIONS = {
    "sync": 2.0,
    "sync --project .": 2.0,
    "sync --format json": 2.0,
    "sync -v": 2.0,
    "sync --color always": 2.0,
    "freeze": 2.0,
    "freeze --project .": 2.0,
    "freeze --format json": 2.0,
    "freeze -v": 2.0,
    "freeze --color always": 2.0,
    "status": 2.5,
    "tree": 2.5,
    "why {name}": 2.5,
    "scan": 2.5,
    "diff": 2.5,
    "history": 2.5,
    "doctor": 4.0,
    "--version": 1.3,
    "--help": 2.5,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, runs=15)
    parser.add_argument("requirements", type=Path)
    options = parser.parse_args(arguments)
    folder = options.folder
    uv, bin_folder = install_peers(folder) / "uv", install_venvman(folder)
    env = caches_in(folder)
    project = made(folder / "project", options.requirements, bin_folder / "venvman", env)
    heading = f"everyday commands, {options.requirements.name}"
    told = versions(bin_folder / "venvman", uv)
    found = measured(project, bin_folder, uv, env, options.runs)
    write_results(options.results, heading, found, told)
    return 0


def measured(
    project: Path, bin_folder: Path, uv: Path, env: dict[str, str], runs: int
) -> Iterator[Comparison]:
    def command(label: str, *argv: str | Path) -> Command:
        return Command(label=label, argv=tuple(map(str, argv)), cwd=project, env=env)

    bare = command("python -c pass", bin_folder / "python", "-c", "pass")
    lines_of_lock = (project / "requirements.txt").read_text().splitlines()
    name = next(each.split("==")[0] for each in lines_of_lock if re.match(r"\w\S*==", each))
    for question, bar in QUESTIONS.items():
        words = question.format(name=name).split()
        ours = command(f"venvman {question}", bin_folder / "venvman", *words)
        ours.run(), ours.run()
        yield alternate(f"venvman {question} (bar {bar})", [ours, bare], runs=runs)
    for question, peer in (
        ("doctor", ("pip", "check", "--python", "venv/bin/python")),
        ("run -- true", ("run", "--no-project", "--python", "venv/bin/python", "true")),
    ):
        ours = command(f"venvman {question}", bin_folder / "venvman", *question.split())
        theirs = command(" ".join(("uv", *peer)), uv, *peer)
        yield alternate(f"venvman {question}", [ours, theirs], runs=runs)


def made(project: Path, requirements: Path, venvman: Path, env: dict[str, str]) -> Path:
    """A synced project in a git repository, old enough to be trusted."""
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    shutil.copy(requirements, project / "requirements.in")
    for argv in (
        ("git", "init", "-q"),
        (str(venvman), "sync"),
        ("git", "add", "requirements.in", "requirements.txt"),
        ("git", "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "-qm", "one"),
    ):
        subprocess.run(argv, cwd=project, env=env, check=True, capture_output=True)
    time.sleep(0.1)
    return project


if __name__ == "__main__":
    sys.exit(main())
