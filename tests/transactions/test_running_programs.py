"""Programs of the environment that run while it is synced, and import more of it later."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import lock_of, write_project
from tests.support.wheels import make_wheel
from tests.transactions.world import contents, left_over

LAZY = """
import importlib, sys
import alpha
stream = open(alpha.__file__.replace("__init__.py", "data.txt"))
for line in sys.stdin:
    name = line.strip()
    try:
        print(stream.read() if name == "data" else importlib.import_module(name).V, flush=True)
    except ImportError as error:
        print(type(error).__name__, flush=True)
"""
MODULES = 300
BUSY = f"""
import importlib, sys, time
print("ready", flush=True)
for number in range({MODULES}):
    importlib.import_module(f"steady.m{{number}}")
    time.sleep(0.008)
print("done", flush=True)
"""


class Running:
    """A project with two locks; ``steady`` is in both, ``alpha`` in two versions."""

    def __init__(self, root: Path, wheels: Path) -> None:
        steady = {f"steady/m{number}.py": f"V = {number}\n" for number in range(MODULES)}
        files = {"alpha/lazy.py": "V = {0!r}\n", "alpha/data.txt": "of {0}", "alpha/{1}.py": "V=1"}
        self.locks = {}
        unchanged = make_wheel(wheels, "steady", files={**steady, "steady/__init__.py": ""})
        for version, own in (("1.0", "old"), ("2.0", "new")):
            written = {
                path.format(version, own): text.format(version) for path, text in files.items()
            }
            written["alpha/__init__.py"] = f"V = {version!r}\n"
            alpha = make_wheel(wheels, "alpha", version, files=written)
            self.locks[version] = lock_of(alpha, unchanged)
        self.root = write_project(root, {"requirements.txt": "alpha\n"})

    def sync(self, version: str) -> None:
        (self.root / "requirements.lock").write_text(self.locks[version])
        ran = run("sync", "--frozen", cwd=self.root)
        assert ran.code == 0, ran.stderr

    def start(self, program: str) -> subprocess.Popen[str]:
        env = {key: each for key, each in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.Popen(
            [self.root / "venv/bin/python", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env,
        )

    def files(self) -> dict[str, str]:
        """But for bytecode, which programs write when they like."""
        found = contents(self.root / "venv").items()
        return {path: each for path, each in found if "__pycache__" not in path}


@pytest.fixture
def running(tmp_path: Path, index: Index) -> Running:
    return Running(tmp_path / "shop", index.folder)


@pytest.fixture
def program(running: Running) -> Iterator[subprocess.Popen[str]]:
    running.sync("1.0")
    with running.start(LAZY) as process:
        yield process
        process.kill()


def ask(process: subprocess.Popen[str], name: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{name}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_a_running_program_imports_what_is_there_when_it_asks(
    running: Running, program: subprocess.Popen[str]
) -> None:
    before = running.files()
    assert ask(program, "steady.m0") == "0"
    running.sync("2.0")
    assert ask(program, "steady.m1") == "1"
    assert ask(program, "alpha.old") == "ModuleNotFoundError"
    assert ask(program, "alpha.lazy") == "2.0"
    assert ask(program, "alpha.new") == "1"
    running.sync("1.0")
    assert ask(program, "steady.m2") == "2"
    assert ask(program, "alpha.old") == "1"
    assert running.files() == before
    assert run("doctor", "--verify", "--select", "VM1,VM4,VM5", cwd=running.root).code == 0


def test_what_a_running_program_has_open_stays_readable(
    running: Running, program: subprocess.Popen[str]
) -> None:
    assert ask(program, "alpha") == "1.0"
    running.sync("2.0")
    assert ask(program, "data") == "of 1.0"


def test_what_two_locks_share_can_be_imported_at_every_moment_of_a_sync(running: Running) -> None:
    running.sync("1.0")
    with running.start(BUSY) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        rounds = 0
        while process.poll() is None:
            running.sync("2.0")
            running.sync("1.0")
            rounds += 1
        assert process.stdout.read() == "done\n"
    assert rounds >= 2
    assert left_over(running.root / "venv") == []
