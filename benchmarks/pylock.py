"""Asks pip and uv whether pylock.toml is read here as they read it, both ways.

    python -m benchmarks.pylock REQUIREMENTS.in ... [--target SPEC ...]

For each file, in new environments:

- venvman freezes it into a ``pylock.toml`` (for ``--target``, if any): pip and uv install from it
  (as a dry run) the names and versions that packaging's own reading selects;
- uv (``uv pip compile``) and pip (``pip lock``) each write one: venvman syncs it, then uv has
  nothing to change.

Prints a table in Markdown; exits with 1 if anything of that does not hold. Needs the package index.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.pylock import Pylock

from benchmarks.alternate import neutral_environment
from benchmarks.peers import install_peers, install_venvman
from venvman.model.names import canonical
from venvman.system.reading import read_toml

PREVIEW = ("--preview-features", "pylock")


@dataclass(frozen=True)
class Run:
    """A folder with the programs in ``peers`` and ``venvman``."""

    folder: Path
    peers: Path
    venvman: Path

    def __call__(self, *words: str | Path, cwd: Path) -> str:
        done = subprocess.run(
            [*map(str, words)],
            cwd=cwd,
            env={**neutral_environment(), "VENVMAN_LOCK_FORMAT": "pylock"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{words}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def environment(self, name: str) -> Path:
        """A new environment with nothing in it."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        self(self.peers / "uv", "venv", "-q", "--python", sys.executable, path, cwd=self.folder)
        return path

    def project(self, name: str, requirements: Path | None = None) -> Path:
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        (path / ".git").mkdir(parents=True)
        if requirements is not None:
            shutil.copy(requirements, path / "requirements.in")
        return path


def of_ours(run: Run, file: Path, targets: list[str]) -> tuple[int, set[str], set[str]]:
    """How many pins a lock of ours has, and in what pip and uv differ from packaging."""
    root = run.project("ours", file)
    flags = [word for each in targets for word in ("--target", each)]
    run(run.venvman / "venvman", "freeze", "-q", *flags, cwd=root)
    lock = Pylock.from_dict(read_toml((root / "pylock.toml").read_text()))
    expected = {f"{package.name} {package.version}" for package, _ in lock.select()}
    report = root / "report.json"
    dry = ("install", "--dry-run", "--ignore-installed", "--quiet", "--report", report)
    run(run.peers / "python", "-m", "pip", *dry, "-r", "pylock.toml", cwd=root)
    installs = [each["metadata"] for each in json.loads(report.read_text())["install"]]
    by_pip = {f"{canonical(each['name'])} {each['version']}" for each in installs}
    python = run.environment("empty") / "bin/python"
    words = (run.peers / "uv", "pip", "sync", *PREVIEW, "--dry-run", "--python", python)
    said = run(*words, "pylock.toml", cwd=root)
    by_uv = {
        f"{name} {version}"
        for name, version in re.findall(r"^ \+ (\S+)==(\S+)", said, re.MULTILINE)
    }
    return len(lock.packages), by_pip ^ expected, by_uv ^ expected


def of_theirs(run: Run, file: Path, tool: str) -> str:
    """What uv would change in an environment that venvman made of the lock of ``tool``."""
    root = run.project(f"of-{tool}")
    lock = root / "pylock.toml"
    if tool == "uv":
        words = (run.peers / "uv", "pip", "compile", *PREVIEW, "--python", sys.executable, "-q")
        run(*words, "--format", "pylock.toml", "-o", lock, file.resolve(), cwd=root)
    else:
        pip = (run.peers / "python", "-m", "pip", "lock", "-q")
        run(*pip, "-r", file.resolve(), "-o", lock, cwd=root)
    run(run.venvman / "venvman", "sync", "-q", "--python", sys.executable, cwd=root)
    sync = (run.peers / "uv", "pip", "sync", *PREVIEW, "--dry-run")
    said = run(*sync, "--python", root / "venv/bin/python", lock, cwd=root)
    return "same" if "Would make no changes" in said else said.strip().replace("\n", "; ")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--target", action="append", default=[])
    given = parser.parse_args()
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers = install_peers(folder)
        subprocess.run(
            [peers / "python", "-m", "pip", "install", "-q", "-U", "pip"],
            check=True,
            env=neutral_environment(),
        )
        run = Run(folder, peers, install_venvman(folder))
        print("| file | pins | pip of ours | uv of ours | ours of pip | ours of uv |")
        print("| --- | --: | --- | --- | --- | --- |")
        for file in given.files:
            count, pip, uv = of_ours(run, file, given.target)
            row = ["same" if not each else ", ".join(sorted(each)) for each in (pip, uv)]
            row += [of_theirs(run, file, tool) for tool in ("pip", "uv")]
            good = good and set(row) == {"same"}
            print(f"| {file.name} | {count} | {' | '.join(row)} |", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
