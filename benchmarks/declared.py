"""Ten projects' pyproject.toml, written in the shape of public ones: our pins beside uv's.

    python -m benchmarks.declared [--folder DIR]

Each is frozen by venvman and by ``uv pip compile pyproject.toml`` with the extra or the group, and
the pins are compared. Needs the package index and uv.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.alternate import caches_in, options_of
from benchmarks.peers import install_peers, install_venvman

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Shape:
    """``text`` after the project's name and version; ``locks`` with uv's words for each."""

    text: str
    locks: Mapping[str, tuple[str, ...]]


DEFAULT: Mapping[str, tuple[str, ...]] = {"requirements.txt": ()}
SHAPES = {
    "a web service (uv)": Shape(
        text='dependencies = ["fastapi[standard]>=0.115", "sqlalchemy>=2", "alembic"]\n'
        '[dependency-groups]\ndev = ["pytest>=8", {include-group = "lint"}]\nlint = ["ruff"]\n',
        locks={"requirements.txt": (), "requirements-dev.txt": ("--group", "dev")},
    ),
    "a command line (hatch)": Shape(
        text='requires-python = ">=3.9"\ndependencies = ["typer>=0.12", "rich>=13", '
        "\"tomli>=2; python_version < '3.11'\", \"colorama; sys_platform == 'win32'\"]\n",
        locks=DEFAULT,
    ),
    "a library (setuptools)": Shape(
        text='dependencies = ["requests>=2.31,<3", "attrs"]\n[project.optional-dependencies]\n'
        'test = ["pytest", "responses"]\ndocs = ["sphinx<9", "furo"]\n',
        locks={
            "requirements.txt": (),
            "requirements-test.txt": ("--extra", "test"),
            "requirements-docs.txt": ("--extra", "docs"),
        },
    ),
    "a package of poetry 2": Shape(
        text='dependencies = ["httpx (>=0.27,<1.0)", "pydantic (>=2.7,<3.0)", '
        '"python-dotenv (>=1.0.1,<2.0.0)"]\n',
        locks=DEFAULT,
    ),
    "a module (flit)": Shape(
        text='dependencies = ["docutils", "requests", "tomli-w"]\n[project.optional-dependencies]\n'
        'dev = ["testpath", "pytest-cov"]\n',
        locks={"requirements.txt": (), "requirements-dev.txt": ("--extra", "dev")},
    ),
    "data work (pdm)": Shape(
        text='requires-python = ">=3.10"\ndependencies = ["pandas>=2", "pyarrow", "matplotlib"]\n'
        '[dependency-groups]\ntest = ["pytest", "hypothesis"]\n',
        locks={"requirements.txt": (), "requirements-test.txt": ("--group", "test")},
    ),
    "a site (django)": Shape(
        text='dependencies = ["django>=4.2,<5.3", "psycopg[binary]>=3.1", "celery[redis]", '
        '"gunicorn", "whitenoise"]\n',
        locks=DEFAULT,
    ),
    "extras that name themselves": Shape(
        text='dependencies = ["click"]\n[project.optional-dependencies]\nyaml = ["pyyaml"]\n'
        'all = ["shape[yaml]", "jinja2"]\n',
        locks={"requirements.txt": (), "requirements-all.txt": ("--extra", "all")},
    ),
    "limits and exclusions": Shape(
        text='dependencies = ["urllib3!=2.0.0,!=2.0.1,<3", "botocore~=1.34", "packaging<25"]\n',
        locks=DEFAULT,
    ),
    "groups alone": Shape(
        text='dependencies = []\n[dependency-groups]\ndev = ["black==24.*", "mypy>=1.8"]\n'
        'ci = [{include-group = "dev"}, "coverage[toml]"]\n',
        locks={
            "requirements-dev.txt": ("--group", "dev"),
            "requirements-ci.txt": ("--group", "ci"),
        },
    ),
}


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
        text = f'[project]\nname = "shape"\nversion = "1"\n{shape.text}'
        (root / "pyproject.toml").write_text(text)
        said = _run([own, "freeze", "-q", "--all-groups", "--python", sys.executable], root, env)
        for lock, words in shape.locks.items():
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
