"""A machine like a reader's: an empty home, a package index, venvman and Python on PATH, a shell.

What the documentation shows is run on it. The packages bear the names of well-known ones and are
small wheels of our own, so that an example reads as in life and nothing leaves this machine.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.cli import PATIENCE, PROGRAM, Ran, run_on_terminal
from tests.support.index import serve
from tests.support.pythons import OWN_PYTHON, cache_with_small_pip
from tests.support.wheels import make_wheel
from tests.support.worlds import stock

_CLICK = ['colorama; platform_system == "Windows"']
_FLASK = ["blinker>=1.6.2", "click>=8.1.3", "itsdangerous>=2.1.2", "jinja2>=3.1.2"]
_REQUESTS = ["certifi>=2017.4.17", "charset-normalizer>=2,<4", "idna>=2.5,<4", "urllib3>=1.21.1,<3"]
PACKAGES: Mapping[str, Any] = {
    "blinker 1.9.0": [],
    "certifi 2025.8.3": [],
    "charset-normalizer 3.4.3": [],
    "click 8.1.8": _CLICK,
    "click 8.3.0": _CLICK,
    "colorama 0.4.6": [],
    "elastic-transport 8.17.1": ["certifi", "urllib3>=1.26.2,<3"],
    "elasticsearch 8.19.1": ["elastic-transport>=8.15.1,<9", "typing-extensions"],
    "flask 2.3.3": [*_FLASK, "werkzeug>=2.3.7"],
    "flask 3.0.3": [*_FLASK, "werkzeug>=3.0.0"],
    "flask 3.1.2": [*_FLASK, "markupsafe>=2.1.1", "werkzeug>=3.1.0"],
    "httpx 0.28.1": ["certifi", "idna"],
    "idna 3.10": [],
    "iniconfig 2.1.0": [],
    "itsdangerous 2.2.0": [],
    "jinja2 3.1.6": ["markupsafe>=2.0"],
    "markupsafe 3.0.3": [],
    "numpy 2.2.6": {"python": ">=3.10"},
    "numpy 2.3.5": {"python": ">=3.11"},
    "packaging 25.0": [],
    "pip 26.0": [],
    "pluggy 1.6.0": [],
    "requests 2.31.0": _REQUESTS,
    "requests 2.32.5": _REQUESTS,
    "rich 14.1.0": [],
    "setuptools 80.9.0": [],
    "typing-extensions 4.15.0": [],
    "urllib3 1.26.20": [], "urllib3 2.5.0": [],
    "werkzeug 3.0.6": ["markupsafe>=2.1.1"], "werkzeug 3.1.3": ["markupsafe>=2.1.1"],
}  # fmt: skip


class Machine:
    """A home folder, and the shells that are started in it."""

    def __init__(self, top: Path, index: str) -> None:
        self.home = top / "ada"
        self.home.mkdir(parents=True)
        tools = top / "bin"
        tools.mkdir()
        program = tools / "venvman"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -c {shlex.quote(PROGRAM)} "$@"\n')
        program.chmod(0o755)
        for name in ("python", "python3"):
            (tools / name).symlink_to(OWN_PYTHON)
        (self.home / ".gitconfig").write_text(
            "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n"
        )
        cache_with_small_pip(top)
        self.variables = {
            "PATH": os.pathsep.join([str(tools), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "SHELL": "/bin/bash",
            "VENVMAN_CACHE_DIR": str(top / "cache"),
            "VENVMAN_STATE_DIR": str(top / "state"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_INDEX_URL": index,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": "2026-03-02T09:14:00Z",
            "GIT_COMMITTER_DATE": "2026-03-02T09:14:00Z",
        }

    def session(self, commands: Sequence[str]) -> list[Ran]:
        """What each of ``commands`` shows, typed one after the other into one shell."""
        steps = "\n".join(f"{command}\nprintf '\\036%d\\036' $?" for command in commands)
        done = subprocess.run(
            ["bash", "-c", f"export COLUMNS=100\n{steps}\n"],
            cwd=self.home,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=PATIENCE * 2,
            check=False,
        )
        pieces = done.stdout.split("\036")
        shown, codes = pieces[:-1:2], pieces[1::2]
        assert len(codes) == len(commands), done.stdout
        return [Ran(int(code), text) for text, code in zip(shown, codes, strict=True)]

    def on_terminal(self, command: str, *, folder: Path, columns: int) -> str:
        """All that ``command`` sends to a terminal of ``columns``."""
        starter = "import os, sys; os.execvp('bash', ['bash', '-c', sys.argv[1]])"
        ran = run_on_terminal(
            command, program=starter, cwd=folder, env=self.variables, columns=columns
        )
        return ran.stdout


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine in a folder of its own, which is removed with it."""
    with tempfile.TemporaryDirectory(prefix="machine-") as top, serve(Path(top) / "index") as index:
        stock(index, PACKAGES)
        make_wheel(
            index.folder,
            "pytest",
            "8.4.2",
            requires=["iniconfig>=1", "packaging>=20", "pluggy>=1.5,<2"],
            files={"pytest.py": "def main():\n    print('3 passed')\n"},
            scripts={"pytest": "pytest:main"},
        )
        yield Machine(Path(top).resolve(), index.simple)


_MASKS = (
    (re.compile(r"/\S*?/machine-[^/\s]*/ada"), "/home/ada"),
    (re.compile(r"\b\d+(?:\.\d+)? (?:s|ms)\b"), "0.1 s"),
    (
        re.compile(r"(?m)^(?:\x1b\[[\d;]*m)*(?:[a-z]+ 0\.1 s(?:, )?){2,}(?:\x1b\[0m)?\r?(?:\n|\Z)"),
        "",
    ),
    (re.compile(r"\bsha256:(?:[0-9a-f]{64}|…)"), "sha256:…"),
    (re.compile(r"(?i)\b(python ?)3\.\d+\b(?!\.\d)"), r"\g<1>3.12"),
    (re.compile(r"\b3\.(?:[89]|1\d)\.\d+\b"), "3.12.4"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d\b"), "2026-03-02 09:14"),
    (re.compile(r" +│\n"), "  │\n"),
    (re.compile(r"\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7}\b"), "1a2b3c4"),
)


def masked(text: str) -> str:
    """``text`` with what differs from run to run and machine to machine made one and the same.

    The line that says how long each stage took is only there where one took long.
    """
    for pattern, fixed in _MASKS:
        text = pattern.sub(fixed, text)
    return text
