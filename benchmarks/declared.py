"""Ten projects' pyproject.toml, written in the shape of public ones: our pins beside uv's.

    python -m benchmarks.declared [--folder DIR]

Each is frozen by venvman and by ``uv pip compile pyproject.toml`` with the extra or the group, and
the pins are compared. Needs the package index and uv.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.alternate import caches_in, options_of
from benchmarks.peers import ROOT, install_peers, install_venvman
from venvman.system.reading import read_toml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


SHAPES = read_toml((ROOT / "benchmarks" / "inputs" / "declared.toml").read_text())


def pins(text: str) -> dict[str, str]:
    """Names and versions of a lock; uv without markers pins what applies here only."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def main(arguments: list[str] | None = None) -> int:
    """1 where a pin differs; each difference on stdout."""
    parser = options_of(__doc__, results=False)
    options = parser.parse_args(arguments)
    folder = options.folder
    uv, own = str(install_peers(folder) / "uv"), str(install_venvman(folder) / "venvman")
    env = caches_in(folder)
    worst = 0
    for name, shape in SHAPES.items():
        root = folder / re.sub(r"\W+", "-", name)
        root.mkdir(exist_ok=True)
        text = f'[project]\nname = "shape"\nversion = "1"\n{shape["text"]}'
        (root / "pyproject.toml").write_text(text)
        said = _run([own, "freeze", "-q", "--all-groups", "--python", sys.executable], root, env)
        for lock, listed in shape["locks"].items():
            words = tuple(listed)
            command = [uv, "pip", "compile", "-q", "--python", sys.executable, *_source(words)]
            theirs = pins(_run(command, root, env))
            ours = pins((root / lock).read_text()) if (root / lock).is_file() else {}
            wanted = set(theirs.items())
            # An extra's lock of ours has what the extra adds; uv's has the project's own, too.
            if words[:1] == ("--extra",):
                base = pins((root / "requirements.txt").read_text())
                ours = {**base, **ours}
            same = set(ours.items()) == wanted
            print(f"{'same' if same else 'DIFFERS':<8} {len(theirs):>3} pins  {name}: {lock}")
            if not same:
                worst = 1
                print(f"    ours alone  {sorted(set(ours.items()) - wanted)}")
                print(f"    uv's alone  {sorted(wanted - set(ours.items()))}", said)
    return worst


def _source(words: tuple[str, ...]) -> tuple[str, ...]:
    return words if words[:1] == ("--group",) else ("pyproject.toml", *words)


def _run(argv: list[str], cwd: Path, env: Mapping[str, str]) -> str:
    done = subprocess.run(argv, cwd=cwd, env=dict(env), capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else f"{done.stdout}{done.stderr}"


if __name__ == "__main__":
    sys.exit(main())
