"""A first sync over a slow link, beside uv: 2 MB/s, and answers that take 200 ms.

    python -m benchmarks.links [--runs 3] [--results FILE]

The index is a recording of the public one that keeps files, too; all connections share the link.
Nothing is cached: freezing, then a new environment from that lock. Needs the package index.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from benchmarks import replay
from benchmarks.alternate import (
    Command,
    Comparison,
    alternate,
    caches_in,
)
from benchmarks.peers import beside_uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WANTED = "django\ncelery\nrequests\n"
JOBS = {
    "freeze": (
        "exec {0} freeze -q --python {1}",
        "exec {0} pip compile -q --generate-hashes -p {1} requirements.in -o requirements.txt",
    ),
    "new environment": (
        "exec {0} sync -q --frozen --python {1}",
        "{0} venv -q -p {1} venv; exec {0} pip sync -q -p venv requirements.txt",
    ),
}
"""Each as venvman and uv do it."""
LINKS = {"2 MB/s": ("--rate", "2e6"), "200 ms": ("--delay", "0.2")}


def main(arguments: Sequence[str] | None = None) -> int:
    return beside_uv(
        __doc__, arguments, "nothing cached, over slow links: django, celery, requests", measured
    )


def measured(folder: Path, venvman: Path, uv: Path, runs: int) -> Iterator[Comparison]:
    for link, words in LINKS.items():
        with replay.serving(folder / "recording", "--keep-files", *words) as index:
            env = caches_in(folder) | {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index}
            for title, (ours, theirs) in JOBS.items():
                pair = [
                    cold(folder / "ours", "cache", ours.format(venvman, sys.executable), env),
                    cold(folder / "theirs", "uv-cache", theirs.format(uv, sys.executable), env),
                ]
                yield alternate(f"{title}, {link}", pair, runs=runs)


def cold(project: Path, cache: str, line: str, env: dict[str, str]) -> Command:
    """``line``, run by a shell in ``project``, with nothing in the folder ``cache``."""
    project.mkdir(exist_ok=True)
    (project / "requirements.in").write_text(WANTED)

    def prepare() -> None:
        for folder in (project.parent / cache, project / "venv"):
            shutil.rmtree(folder, ignore_errors=True)
        if "requirements.in" in line or "freeze" in line:
            (project / "requirements.txt").unlink(missing_ok=True)

    label = "venvman" if project.name == "ours" else "uv"
    argv = ("sh", "-ec", line)
    return Command(label=label, argv=argv, cwd=project, env=env, prepare=prepare)


if __name__ == "__main__":
    sys.exit(main())
