"""A cold sync where the resolver loses every tenth answer, against uv, alternately.

    python -m benchmarks.lookups [--runs 10] [--folder DIR] [--results FILE]

Eighteen distributions into a new environment with an empty cache. Before ``socket.getaddrinfo`` of
ours stands one that counts its answers over all runs and holds every tenth back for five seconds
(the first among them), as glibc does where a packet is lost; uv resolves by itself, with nothing
lost. Needs the package index. Exits with 1 if a run stalls.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.alternate import Command, alternate, caches_in, options_of, write_results
from benchmarks.peers import install_peers, install_venvman, versions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WANTED = "kubernetes==31.0.0\ngoogle-auth==2.35.0\npython-dateutil==2.9.0.post0\n"
STALL = 5.0
LOSING = f"""
import fcntl, os, socket, time

def getaddrinfo(*words, **more):
    with open(os.environ["LOOKUPS_COUNTED"], "a+") as counted:
        fcntl.flock(counted, fcntl.LOCK_EX)
        counted.write("x")
        lost = counted.tell() % 10 == 1
    if lost:
        time.sleep({STALL})
    return whole(*words, **more)

whole, socket.getaddrinfo = socket.getaddrinfo, getaddrinfo
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, runs=10)
    options = parser.parse_args(arguments)
    folder = options.folder
    (folder / "losing").mkdir(parents=True, exist_ok=True)
    (folder / "losing" / "sitecustomize.py").write_text(LOSING)
    counted = folder / "counted"
    counted.write_text("")
    uv, venvman = install_peers(folder) / "uv", install_venvman(folder) / "venvman"
    pair = commands(folder, counted, uv, venvman)
    compared = alternate("new environment, every tenth look-up lost", pair, runs=options.runs)
    asked = len(counted.read_text())
    slowest = max(compared.timings[0].seconds)
    notes = (
        f"look-ups: {asked} in {options.runs + 1} runs, {-(-asked // 10)} of them lost",
        f"slowest run of venvman: {slowest:.2f} s (a lost look-up takes {STALL:.0f} s)",
    )
    write_results(
        options.results,
        "sync while every tenth look-up is lost, 18 distributions",
        [replace(compared, notes=notes)],
        versions(venvman, uv),
    )
    return int(slowest >= STALL)


def commands(folder: Path, counted: Path, uv: Path, venvman: Path) -> tuple[Command, Command]:
    env = caches_in(folder)
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "requirements.in").write_text(WANTED)
    subprocess.run(
        [uv, "pip", "compile", "--quiet", "--generate-hashes", "--python", sys.executable,
         "--output-file", "requirements.txt", "requirements.in"],
        cwd=project, env=env, check=True,
    )  # fmt: skip

    def cold() -> None:
        for leaf in ("uv-cache", "cache", "state", "project/venv"):
            shutil.rmtree(folder / leaf, ignore_errors=True)

    ours = Command(
        label="venvman sync --frozen",
        argv=(str(venvman), "sync", "--frozen", "--python", sys.executable),
        cwd=project,
        env={**env, "PYTHONPATH": str(folder / "losing"), "LOOKUPS_COUNTED": str(counted)},
        prepare=cold,
    )
    theirs = Command(
        label="uv venv + uv pip sync",
        argv=(
            "sh", "-c", (f"'{uv}' venv -q -p '{sys.executable}' venv && "
            f"'{uv}' pip sync -q --require-hashes --python venv/bin/python requirements.txt"),
        ),
        cwd=project,
        env=env,
        prepare=cold,
    )  # fmt: skip
    return ours, theirs


if __name__ == "__main__":
    sys.exit(main())
