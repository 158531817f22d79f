"""Hooks beside pre-commit, prek, husky and lefthook: with or without ours, theirs run alike."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import pytest

from tests.support.cli import ended
from tests.support.projects import git, write_project
from venvman.githooks.install import install_hooks, uninstall_hooks
from venvman.githooks.script import HookMode

BIN = Path(sys.executable).parent

# As husky 9 writes it: https://typicode.github.io/husky
HUSKY = """\
#!/usr/bin/env sh
n=$(basename "$0")
s=$(dirname "$(dirname "$0")")/$n
[ ! -f "$s" ] && exit 0
sh -e "$s" "$@"
c=$?
exit $c
"""
NAMES = ("pre-commit", "post-checkout", "post-merge", "post-rewrite")
CONFIG = """\
repos:
  - repo: local
    hooks:
      - id: tell
        name: tell
        language: system
        entry: sh -c 'echo framework >> "$TOLD"'
        always_run: true
        pass_filenames: false
"""


@dataclass
class Repository:
    """A repository in which every hook of whatever manager writes its own name to a file."""

    root: Path

    @property
    def told(self) -> Path:
        return self.root.parent / "told"

    def run(self, *words: str) -> None:
        env = {
            **os.environ,
            "TOLD": str(self.told),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(self.root.parent / "framework"),
            "PREK_HOME": str(self.root.parent / "framework"),
            "CI": "1",  # lefthook then asks nothing
        }
        done = ended(words, cwd=self.root, env=env)
        assert done.returncode == 0, (words, done.stdout, done.stderr)

    def pre_commit(self) -> None:
        done = ended(
            (BIN / "pre-commit", "install", "-t", "pre-commit", "-t", "post-checkout"),
            cwd=self.root,
        )
        # With core.hooksPath it refuses, as husky sets it.
        assert done.returncode == 0 or "hooksPath" in done.stdout + done.stderr

    def prek(self) -> None:
        subprocess.run(
            (BIN / "prek", "install", "-t", "pre-commit", "-t", "post-checkout"),
            cwd=self.root,
            capture_output=True,
            check=False,
        )

    def lefthook(self) -> None:
        subprocess.run(
            (BIN / "lefthook", "install", "--force"),
            cwd=self.root,
            capture_output=True,
            check=False,
        )

    def husky(self) -> None:
        git(self.root, "config", "core.hooksPath", ".husky/_")
        folder = self.root / ".husky" / "_"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*")
        for name in NAMES:
            (folder / name).write_text(HUSKY)
            (folder / name).chmod(0o755)

    def venvman(self) -> None:
        install_hooks([self.root], mode=HookMode.REPORT, variables=os.environ)
        program = self.root.parent / "venvman"
        program.write_text('#!/bin/sh\necho "venvman $3" >> "$TOLD"\n')
        program.chmod(0o755)
        (self.root / ".git" / "venvman" / "program").write_text(f"{program}\n")

    def work(self) -> list[str]:
        """A commit and a checkout that change requirements; who told of it, sorted."""
        self.told.unlink(missing_ok=True)
        text = (self.root / "requirements.in").read_text()
        (self.root / "requirements.in").write_text(f"{text}six\n")
        self.run("git", "commit", "-qam", "more")
        self.run("git", "checkout", "-q", "HEAD~1")
        self.run("git", "checkout", "-q", "-")
        return sorted(self.told.read_text().splitlines()) if self.told.exists() else []


def make(root: Path, *, own: bool) -> Repository:
    write_project(
        root,
        {
            "requirements.in": "idna\n",
            ".pre-commit-config.yaml": CONFIG,
            "lefthook.yml": "pre-commit:\n  commands:\n    tell:\n"
            "      run: echo lefthook >> $TOLD\n",
            ".husky/pre-commit": "echo husky >> $TOLD\n",
            ".gitignore": "venv/\n",
        },
    )
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-qnm", "first")
    if own:
        for name in ("pre-commit", "post-checkout"):
            path = root / ".git" / "hooks" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(f'#!/bin/sh\necho "own {name}" >> "$TOLD"\n')
            path.chmod(0o755)
    return Repository(root)


def files(repository: Repository) -> dict[str, str]:
    """What hooks and their managers left: every file that git runs or they read."""
    root = repository.root
    found = [*(root / ".git" / "hooks").glob("*"), *(root / ".husky").rglob("*")]
    found += root.glob("lefthook*.yml")
    return {
        path.relative_to(root).as_posix(): path.read_text(errors="replace")
        for path in found
        if path.is_file() and path.suffix != ".sample"
    }


def without(steps: Sequence[str]) -> list[str]:
    return [step for step in steps if step != "venvman"]


STEPS = ("pre_commit", "venvman", "husky", "lefthook")
ORDERS = [*permutations(STEPS)]
DANCES = [
    *([first, "venvman", first, "venvman"] for first in ("pre_commit", "prek", "lefthook")),
    *(["venvman", first, "venvman", first] for first in ("pre_commit", "prek", "lefthook")),
    ["venvman", "pre_commit", "pre_commit", "venvman"],
    ["pre_commit", "venvman", "venvman", "pre_commit"],
]


@pytest.mark.parametrize(
    ("steps", "own"),
    [
        # Each of them is the first once; `make museum` has all orders.
        *((steps, True) for steps in (*ORDERS[::7], *DANCES[::2])),
        *((steps, False) for steps in DANCES[::4]),
        *(
            pytest.param(steps, own, marks=pytest.mark.museum)
            for own in (True, False)
            for steps in (*ORDERS, *DANCES)
        ),
    ],
    ids=str,
)
def test_the_hooks_of_others_run_as_often_as_without_ours(
    steps: Sequence[str], own: bool, tmp_path: Path
) -> None:
    ours, theirs = make(tmp_path / "a" / "p", own=own), make(tmp_path / "b" / "p", own=own)
    for step in steps:
        act: Callable[[], None] = getattr(ours, step)
        act()
    for step in without(steps):
        act = getattr(theirs, step)
        act()

    told = ours.work()
    expected = theirs.work()

    assert [each for each in told if not each.startswith("venvman")] == expected
    mine = [each for each in told if each.startswith("venvman")]
    assert len(mine) == len(set(mine)) + mine.count("venvman post-checkout") // 2

    ours.venvman()  # wherever it was set aside, installing again brings it back
    told = ours.work()
    # With husky a hook that the project has is a tracked file, which is left alone.
    assert told.count("venvman pre-commit") in ({0, 1} if "husky" in steps else {1})
    assert told.count("venvman post-checkout") == 2
    assert [each for each in told if not each.startswith("venvman")] == expected

    uninstall_hooks(ours.root, variables=os.environ)

    assert ours.work() == expected
    assert not [name for name, text in files(ours).items() if "venvman" in text]
    assert git(ours.root, "status", "--porcelain") == git(theirs.root, "status", "--porcelain")
