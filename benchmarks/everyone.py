"""The same job by every tool, alternately: lock, a new environment, nothing to do.

    python -m benchmarks.everyone REQUIREMENTS.in [--runs 3] [--only uv,pip] [--results FILE]

Each tool, in its newest release, has a project of its own with the same requirements, a cache of
its own, and its own lock. All is cached before it is timed. Needs the package index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.alternate import (
    Command,
    Comparison,
    alternate,
    neutral_environment,
    options_of,
    requirement_lines,
    write_results,
)
from benchmarks.peers import install_tool, install_venvman, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PYTHON = sys.executable
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
VENV = f"{PYTHON} -m venv venv"
ENVIRONMENTS = ("venv", ".venv")
LOCKS = ("requirements.txt", "pylock.toml", "Pipfile.lock", "pdm.lock", "poetry.lock")
TOOLS = {
    "venvman": (
        f"{{bin}}/venvman freeze --python {PYTHON}",
        f"{{bin}}/venvman sync --locked --python {PYTHON}",
        "{bin}/venvman sync",
    ),
    "uv": (
        f"{{bin}}/uv pip compile -q --generate-hashes -p {PYTHON} requirements.in -o {LOCKS[0]}",
        f"{{bin}}/uv venv -q -p {PYTHON} venv && {{bin}}/uv pip sync -q -p venv requirements.txt",
        "{bin}/uv pip sync -q -p venv requirements.txt",
    ),
    "pip": (
        "{bin}/pip lock -q -r requirements.in -o pylock.toml",
        f"{VENV} && {{bin}}/pip --python venv/bin/python install -q -r pylock.toml",
        "{bin}/pip --python venv/bin/python install -q -r pylock.toml",
    ),
    "pip-tools": (
        "{bin}/pip-compile -q --generate-hashes --allow-unsafe --strip-extras requirements.in",
        f"{VENV} && {{bin}}/pip-sync -q --python-executable venv/bin/python requirements.txt",
        "{bin}/pip-sync -q --python-executable venv/bin/python requirements.txt",
    ),
    "pipenv": ("{bin}/pipenv lock", "{bin}/pipenv sync", "{bin}/pipenv sync"),
    "pdm": ("{bin}/pdm lock -q", "{bin}/pdm sync -q", "{bin}/pdm sync -q"),
    "poetry": ("{bin}/poetry lock -q", "{bin}/poetry sync -q", "{bin}/poetry sync -q"),
}
"""What a user types: for a lock, for a new environment from it, and once more."""
PROGRAMS = {"pip-tools": "pip-compile"}
BESIDE = {"pdm": ("hishel<2",)}
"""What a tool has to be given: pdm 2.29 does not start with the newest release of what it needs."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    name: str
    bin: Path
    project: Path
    env: dict[str, str]

    def command(self, job: int, prepare: Callable[[], None] = lambda: None) -> Command:
        line = TOOLS[self.name][job].format(bin=self.bin)
        argv = ("sh", "-c", line)
        return Command(label=self.name, argv=argv, cwd=self.project, env=self.env, prepare=prepare)

    def forget_lock(self) -> None:
        for name in LOCKS:
            (self.project / name).unlink(missing_ok=True)

    def forget_environment(self) -> None:
        for name in ENVIRONMENTS:
            shutil.rmtree(self.project / name, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = options_of(__doc__, runs=3)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--only", default="", help="tools beside venvman, separated by commas")
    options = parser.parse_args(arguments)
    folder = options.folder
    chosen = ["venvman", *(options.only.split(",") if options.only else list(TOOLS)[1:])]
    lines = requirement_lines(options.requirements)
    tools = [made(folder, name, lines) for name in chosen]
    write_results(
        options.results,
        f"every tool, {options.requirements.name}",
        measured(tools, options.runs),
        versions(*(each.bin / PROGRAMS.get(each.name, each.name) for each in tools)),
    )
    return 0


def made(folder: Path, name: str, lines: Sequence[str]) -> Tool:
    """The tool, installed, with a project that has the requirements ``lines``."""
    place = folder / "everyone"
    place.mkdir(parents=True, exist_ok=True)
    programs = (
        install_venvman(place)
        if name == "venvman"
        else install_tool(place, name, *BESIDE.get(name, ()))
    )
    project = place / f"project-{name}"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir()
    if name in {"pdm", "poetry"}:
        (project / "pyproject.toml").write_text(
            f"[project]\nname = 'bench'\nversion = '1'\nrequires-python = '=={MINOR}.*'\n"
            f"dependencies = {lines!r}\n[tool.poetry]\npackage-mode = false\n"
            "[tool.pdm]\ndistribution = false\n"
            # By the pages that all others read, rather than by an interface of pypi.org alone.
            "[[tool.poetry.source]]\nname = 'index'\nurl = 'https://pypi.org/simple/'\n"
        )
    elif name == "pipenv":
        (project / "asked.txt").write_text("\n".join(lines) + "\n")
    else:
        (project / "requirements.in").write_text("\n".join(lines) + "\n")
    caches = ("VENVMAN_CACHE_DIR", "VENVMAN_STATE_DIR", "UV_CACHE_DIR", "PIP_CACHE_DIR")
    more = ("PIP_TOOLS_CACHE_DIR", "PIPENV_CACHE_DIR", "PDM_CACHE_DIR", "POETRY_CACHE_DIR")
    env = neutral_environment(
        **{each: str(place / f"cache-{name}" / each.lower()) for each in (*caches, *more)},
        PIPENV_VENV_IN_PROJECT="1",
        PIPENV_YES="1",
        PIPENV_IGNORE_VIRTUALENVS="1",
        PIPENV_DEFAULT_PYTHON_VERSION=sys.executable,
        POETRY_VIRTUALENVS_IN_PROJECT="true",
        PDM_CHECK_UPDATE="false",
        PDM_IGNORE_ACTIVE_VENV="1",
        # Named by itself, an environment's Python would be installed into.
        PATH=os.pathsep.join((str(Path(sys.executable).resolve().parent), os.environ["PATH"])),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    if name == "pipenv":
        take = (str(programs / "pipenv"), "install", "--skip-lock", "-r", "asked.txt")
        subprocess.run(take, cwd=project, env=env, check=True, capture_output=True)
    return Tool(name=name, bin=programs, project=project, env=env)


def measured(tools: Sequence[Tool], runs: int) -> Iterator[Comparison]:
    able, notes = [], ["everything is in each tool's cache"]
    for tool in tools:
        try:
            tool.command(0, tool.forget_lock).run()
            tool.command(1, tool.forget_environment).run()
            if not any((tool.project / each).exists() for each in ENVIRONMENTS):
                raise RuntimeError("it made no environment in the project")
        except RuntimeError as error:
            notes.append(f"{tool.name} could not do it: {str(error).splitlines()[-1]}")
        else:
            able.append(tool)
    for title, job in (("lock", 0), ("new environment", 1), ("nothing to do", 2)):
        commands = [
            each.command(job, (each.forget_lock, each.forget_environment, lambda: None)[job])
            for each in able
        ]
        result = alternate(title, commands, runs=runs, warmup=job // 2)
        yield replace(result, notes=tuple(notes))


if __name__ == "__main__":
    sys.exit(main())
