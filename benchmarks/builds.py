"""Builds beside uv's, alternately: a changed editable project, and five sdists.

    python -m benchmarks.builds [--runs 5] [--folder DIR] [--backend setuptools --backend hatchling]

The editable project gets a new version before every run, so that both have to ask its back end. The
sdists are built anew in every run: what was built from them is taken out of both caches before, and
what was downloaded stays; then once more with empty caches. Needs the package index.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import Command, alternate, caches_in, machine, options_of
from benchmarks.peers import install_peers, install_venvman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SDISTS = ("docopt==0.6.2", "future==1.0.0", "termcolor==2.4.0", "toml==0.10.2", "xmltodict==0.13.0")
_PROJECT = """[build-system]
requires = [{requires!r}]
build-backend = {backend!r}

[project]
name = "demo"
version = "1.{number}"
dependencies = ["idna"]
"""
_BACKENDS = {"setuptools": "setuptools.build_meta", "hatchling": "hatchling.build"}


class Bench:
    """Both programs, each with folders of its own below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uv = str(install_peers(folder) / "uv")
        self.venvman = str(install_venvman(folder) / "venvman")
        self._numbers = itertools.count()

    def environment(self, case: str) -> Mapping[str, str]:
        """The variables for the programs, with caches of this ``case``."""
        return caches_in(self.folder / case)

    def editable(self, backend: str) -> tuple[Command, Command]:
        """The two commands for a project whose version is another each time."""
        case = f"editable-{backend}"
        env = self.environment(case)
        ours, theirs = (self.folder / case / name for name in ("venvman", "uv"))
        for project in (ours, theirs):
            (project / "src" / "demo").mkdir(parents=True, exist_ok=True)
            (project / "src" / "demo" / "__init__.py").touch()
            (project / "requirements.in").write_text("-e .\n")
        run(self.uv, "venv", "-q", "--clear", "venv", cwd=theirs, env=env)

        def changed(project: Path) -> Callable[[], None]:
            def write() -> None:
                text = _PROJECT.format(
                    requires=backend, backend=_BACKENDS[backend], number=next(self._numbers)
                )
                (project / "pyproject.toml").write_text(text)

            return write

        own = (self.venvman, "sync", "-q", "--no-locked")
        peer = (self.uv, "pip", "install", "-q", "--python", "venv/bin/python", "-e", ".")
        return (
            Command(label="venvman sync", argv=own, cwd=ours, env=env, prepare=changed(ours)),
            Command(
                label="uv pip install -e .", argv=peer, cwd=theirs, env=env, prepare=changed(theirs)
            ),
        )

    def sdists(self, *, warm: bool) -> tuple[Command, Command]:
        """The two commands for five sdists; ``warm``: what they were made of is at hand."""
        case = "sdists-warm" if warm else "sdists-cold"
        env = self.environment(case)
        ours, theirs = (self.folder / case / name for name in ("venvman", "uv"))
        text = "".join(f"--no-binary {each.partition('==')[0]}\n{each}\n" for each in SDISTS)
        for project in (ours, theirs):
            project.mkdir(parents=True, exist_ok=True)
        (ours / "requirements.in").write_text(text)
        (theirs / "requirements.txt").write_text(text)
        run(self.venvman, "freeze", "-q", cwd=ours, env=env)

        def forget(project: Path, cache: Path, *built: str) -> Callable[[], None]:
            def clear() -> None:
                shutil.rmtree(project / "venv", ignore_errors=True)
                for path in [cache] if not warm else found(cache, built):
                    shutil.rmtree(path, ignore_errors=True)

            return clear

        peer = f"{self.uv} venv -q venv && {self.uv} pip sync -q --python venv/bin/python "
        peer += "requirements.txt"
        cache, other = Path(env["VENVMAN_CACHE_DIR"]), Path(env["UV_CACHE_DIR"])
        return (
            Command(
                label="venvman sync",
                argv=(self.venvman, "sync", "-q", "--frozen"),
                cwd=ours,
                env=env,
                prepare=forget(ours, cache, "wheels-v1/keys", "built-metadata-v1"),
            ),
            Command(
                label="uv venv && uv pip sync",
                argv=("sh", "-c", peer),
                cwd=theirs,
                env=env,
                prepare=forget(theirs, other, "sdists-v*"),
            ),
        )


def found(cache: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    """The folders of ``cache`` that fit one of ``patterns``."""
    return itertools.chain.from_iterable(cache.glob(each) for each in patterns)


def run(*argv: str, cwd: Path, env: Mapping[str, str]) -> None:
    """Runs ``argv``, whose failure ends all."""
    subprocess.run(argv, cwd=cwd, env=dict(env), check=True)


def main(arguments: list[str] | None = None) -> int:
    """The figures on stdout."""
    parser = options_of(__doc__, runs=5, results=False)
    parser.add_argument("--backend", action="append", choices=sorted(_BACKENDS))
    options = parser.parse_args(arguments)
    bench = Bench(options.folder)
    print(machine(), end="\n\n")
    for backend in options.backend or sorted(_BACKENDS):
        title = f"A changed editable project, {backend}"
        print(alternate(title, bench.editable(backend), runs=options.runs, warmup=2))
    for warm in (True, False):
        title = f"Five sdists, {'downloaded before' if warm else 'empty caches'}"
        print(alternate(title, bench.sdists(warm=warm), runs=options.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
