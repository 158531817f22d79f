"""The program itself, killed at random moments: making an environment, upgrading, switching back.

After each kill one command follows, and the environment is the old one or the new one, file by
file. What every single step leaves is in ``test_crash`` and ``test_switch``.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.transactions.branches import WORDS, Branches
from venvman.environment.history import LOG


class Kill:
    """A project that is brought into an old state, and the two states a killed sync may leave."""

    def __init__(self, branches: Branches, *, seed: int) -> None:
        self.branches = branches
        self.random = random.Random(seed)
        self.states = {}
        for branch in ("main", "work"):
            branches.checkout(branch)
            branches.full()
            self.states[branch] = branches.contents()
        self.kinds: dict[str, Callable[[], None]] = {
            "create": self._nothing_there,
            "upgrade": self._upgrade,
            "switch": self._switch,
        }
        self.seconds = dict.fromkeys(self.kinds, 0.6)
        self.killed = dict.fromkeys(self.kinds, 0)

    def once(self, kind: str, *, doctor: bool) -> None:
        """Prepares, starts a sync to ``work``, kills it, lets one command follow, and looks."""
        branches = self.branches
        self.kinds[kind]()
        branches.checkout("work")
        self._kill(kind)
        follow = "sync" if kind == "create" else self.random.choice(["sync", "status"])
        if follow == "sync":
            assert run(*WORDS, cwd=branches.root).code == 0
            assert branches.contents() == self.states["work"], kind
        else:
            left = branches.contents()
            run("status", cwd=branches.root)
            assert branches.contents() == left, kind
            assert run(*WORDS, cwd=branches.root).code == 0
            assert branches.contents() == self.states["work"], kind
        assert branches.left_over() == []
        assert _strays(branches.root) == []
        if doctor:
            ran = run("doctor", "--select", "VM1,VM4,VM5", "--format", "json", cwd=branches.root)
            findings = ran.json["data"]["findings"]
            codes = {each["code"] for each in findings if each["severity"] != "note"}
            at_work = branches.contents() == self.states["work"]
            assert not codes if at_work else codes <= {"VM401", "VM402", "VM404"}, findings

    def _nothing_there(self) -> None:
        shutil.rmtree(self.branches.venv)

    def _upgrade(self) -> None:
        """Back to ``main``, with no state known to switch to."""
        self.branches.checkout("main")
        (self.branches.venv / LOG).unlink(missing_ok=True)
        self.branches.full()

    def _switch(self) -> None:
        self.branches.checkout("work")
        self.branches.full()
        self.branches.sync("main")

    def _kill(self, kind: str) -> None:
        argv = [sys.executable, "-m", "venvman", *WORDS]
        started = time.monotonic()
        with subprocess.Popen(
            argv,
            cwd=self.branches.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            try:
                process.wait(self.random.uniform(0.05, self.seconds[kind] * 1.05))
                took = time.monotonic() - started
                self.seconds[kind] = self.seconds[kind] * 0.7 + took * 0.3
            except subprocess.TimeoutExpired:
                process.kill()
                self.killed[kind] += 1
                # Most of the time goes by before anything is changed.
                self.seconds[kind] *= 1.01


def _strays(root: Path) -> list[str]:
    expected = {".git", "requirements.lock", "requirements.txt", "venv"}
    return sorted({path.name for path in root.iterdir()} - expected)


@pytest.fixture
def kill(tmp_path: Path, index: Index) -> Kill:
    return Kill(Branches(tmp_path / "shop", index.folder), seed=7)


def test_killed_at_random_moments_the_environment_is_the_old_one_or_the_new(kill: Kill) -> None:
    """Three of them; ``make torture`` takes hundreds."""
    while sum(kill.killed.values()) < 3:
        for kind in kill.kinds:
            kill.once(kind, doctor=False)


@pytest.mark.torture
def test_killed_three_hundred_times_the_environment_is_the_old_one_or_the_new(
    kill: Kill, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = 0
    while sum(kill.killed.values()) < 330 or min(kill.killed.values()) < 90:
        for kind in kill.kinds:
            kill.once(kind, doctor=True)
        rounds += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{rounds} rounds, killed: {kill.killed}\n")
