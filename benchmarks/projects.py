"""``sync --all`` of 1 to 200 projects, with nothing to do and with all to make, beside uv.

    python -m benchmarks.projects [--runs 3] [--results FILE]

Each project has a requirement, a lock and an environment; where all is to be made, the wheels are
at hand. A shell starts ``uv venv`` and ``uv pip sync`` once in each, told to ask no index: each of
its runs would ask, and where a look-up of a name is lost, wait. Needs the package index.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.alternate import (
    Command,
    Comparison,
    alternate,
    caches_in,
)
from benchmarks.peers import beside_uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SIZES = (1, 10, 50, 200)
MADE = 200
"""So many at once have their environments made, twice at most: making them takes its time."""
UV = "for each in */; do (cd $each && {uv} pip sync -q --python venv requirements.txt); done"


def main(arguments: Sequence[str] | None = None) -> int:
    return beside_uv(__doc__, arguments, "many projects", measured)


def measured(folder: Path, venvman: Path, uv: Path, runs: int) -> Iterator[Comparison]:
    online = caches_in(folder)
    env = {**online, "UV_OFFLINE": "1"}
    lock = synced(folder / "repository-1", 1, venvman, env) / "service000" / "requirements.txt"
    target = ("--target", folder / "cached", "--python", sys.executable)
    fill = (uv, "pip", "install", "-q", *target, "-r", lock)
    subprocess.run(tuple(map(str, fill)), env=online, check=True)
    for size in SIZES:
        root = synced(folder / f"repository-{size}", size, venvman, env)

        def command(label: str, *words: object, root: Path = root) -> Command:
            return Command(label=label, argv=tuple(map(str, words)), cwd=root, env=env)

        commands = [
            command("venvman sync --all", venvman, "sync", "--all"),
            command("uv pip sync, in each", "sh", "-ec", UV.format(uv=uv)),
        ]
        title = f"{size} project{'s' * (size > 1)}, nothing to do"
        yield alternate(title, commands, runs=runs, warmup=2, size=size)
    root = synced(folder / f"repository-{MADE}", MADE, venvman, env)

    def without_environments() -> None:
        for venv in root.glob("*/venv"):
            shutil.rmtree(venv)

    making = UV.format(uv=uv).replace("(cd $each &&", f"(cd $each && {uv} venv -q venv &&")
    commands = [
        Command(
            label=label, argv=tuple(map(str, words)), cwd=root, env=env,
            prepare=without_environments,
        )
        for label, *words in (
            ("venvman sync --all", venvman, "sync", "--all", "-q"),
            ("uv venv && uv pip sync, in each", "sh", "-ec", making),
        )
    ]  # fmt: skip
    title = f"{MADE} projects, all to make"
    yield alternate(title, commands, runs=min(runs, 2), warmup=1, size=MADE)


def synced(root: Path, size: int, venvman: Path, env: Mapping[str, str]) -> Path:
    """A repository of ``size`` projects with their environments."""
    for number in range(size):
        project = root / f"service{number:03}"
        project.mkdir(parents=True, exist_ok=True)
        (project / "requirements.in").write_text("requests\n")
    sync = (str(venvman), "sync", "--all", "-q", "--python", sys.executable)
    for words in (("git", "init", "-q"), sync):
        subprocess.run(words, cwd=root, env=dict(env), check=True)
    return root


if __name__ == "__main__":
    sys.exit(main())
