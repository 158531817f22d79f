"""Freeze against uv and pip-compile, alternately, on one requirements file.

    python -m benchmarks.freeze REQUIREMENTS.in [--runs 5] [--pip-compile] [--results FILE]

Needs the package index. Both sides write hashes. ``--pip-compile`` adds pip-compile, which takes
minutes. "Asked before" is the same file over unchanged pages, which venvman answers from what it
remembers; "a new question" adds another harmless line each time, so that it must be solved, with
pages and metadata in the cache.
"""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import replay
from benchmarks.alternate import (
    Command,
    Comparison,
    alternate,
    caches_in,
    options_of,
    peak_memory,
    write_results,
)
from benchmarks.peers import install_peers, install_venvman, versions

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, runs=5)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--pip-compile", action="store_true")
    parser.add_argument("--index", help="another index; replay: a recording of the public one")
    options = parser.parse_args(arguments)
    folder = options.folder
    project = folder / "freeze"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    shutil.copy(options.requirements, project / "requirements.in")
    with ExitStack() as ends:
        if options.index == "replay":
            options.index = ends.enter_context(replay.serving(folder / "recording"))
        write_results(
            options.results,
            f"freeze, {options.requirements.name}",
            measured(comparisons(folder, project, options), options),
            versions(install_venvman(folder) / "venvman", install_peers(folder) / "uv"),
        )
    return 0


def measured(
    found: Mapping[str, list[Command]], options: argparse.Namespace
) -> Iterator[Comparison]:
    for title, commands in found.items():
        # An index of one's own may only record what it is asked for the first time.
        warmup = int("empty" not in title or options.index is not None)
        result = alternate(title, commands, runs=options.runs, warmup=warmup)
        note = f"peak memory of all processes: {memory(commands[:2])}"
        yield replace(result, notes=(note,))


def memory(commands: Sequence[Command]) -> str:
    return ", ".join(f"{each.label} {peak_memory(each):.0f} MiB" for each in commands)


def comparisons(
    folder: Path, project: Path, options: argparse.Namespace
) -> dict[str, list[Command]]:
    peers, ours = install_peers(folder), install_venvman(folder)
    env = caches_in(folder)
    env |= {
        "PIP_TOOLS_CACHE_DIR": str(folder / "pip-tools-cache"),
        "PIP_CACHE_DIR": str(folder / "pip-cache"),
    }
    if options.index:
        env |= {"PIP_INDEX_URL": options.index, "UV_DEFAULT_INDEX": options.index}
    lock = project / "requirements.txt"
    # Not in the project: a lock whose header names the source would be taken for its lock.
    theirs = folder / "uv.txt"

    def forget(path: Path, *more: str) -> Callable[[], None]:
        def prepare() -> None:
            path.unlink(missing_ok=True)
            for leaf in more:
                shutil.rmtree(folder / leaf, ignore_errors=True)

        return prepare

    def ask_anew(path: Path) -> Callable[[], None]:
        """Both sides are asked the same; the lock may be in the way of neither."""

        def prepare() -> None:
            path.unlink(missing_ok=True)
            line = f"packaging!=0.{time.time_ns()}\n"
            (project / "requirements.in").write_text(options.requirements.read_text() + line)

        return prepare

    def command(label: str, *argv: str | Path, prepare: Callable[[], None]) -> Command:
        return Command(label=label, argv=argv, cwd=project, env=env, prepare=prepare)

    venvman = (ours / "venvman", "freeze", "--python", sys.executable)
    uv = (peers / "uv", "pip", "compile", "-q", "--generate-hashes", "--python", sys.executable,
          "requirements.in", "-o", theirs)  # fmt: skip
    bare = (sys.executable, "-c", "pass")
    found = {
        "empty cache": [
            command("venvman freeze", *venvman, prepare=forget(lock, "cache")),
            command("uv pip compile", *uv, prepare=forget(theirs, "uv-cache")),
        ],
        "warm cache, asked before": [
            command("venvman freeze", *venvman, prepare=forget(lock)),
            command("uv pip compile", *uv, prepare=forget(theirs)),
        ],
        "warm cache, a new question": [
            command("venvman freeze", *venvman, prepare=ask_anew(lock)),
            command("uv pip compile", *uv, prepare=ask_anew(theirs)),
        ],
        "nothing changed": [
            command("venvman freeze", *venvman, prepare=lambda: None),
            command("python -c pass", *bare, prepare=lambda: None),
        ],
    }
    if options.pip_compile:
        compiled = folder / "compiled.txt"
        argv = (peers / "pip-compile", "--generate-hashes", "-q", "-o", compiled, "requirements.in")
        clean = forget(compiled, "pip-cache", "pip-tools-cache")
        found["empty cache"].append(command("pip-compile", *argv, prepare=clean))
    return found


if __name__ == "__main__":
    sys.exit(main())
