"""Switches to locks with more pins than the state at hand: never reached, and yet known."""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from tests.support.cli import Ran, run
from tests.support.projects import lock_of, site_of, write_project
from tests.support.wheels import make_wheel
from tests.transactions.branches import uninstall
from tests.transactions.test_switch import _untimed
from tests.transactions.world import contents, left_over
from venvman import stamp
from venvman.install.switch import switch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.index import Index

WORDS = ("sync", "--frozen")
NAMES = ("alpha", "beta", "gamma", "delta")


class Growing:
    """A project whose lock gets longer; every wheel of it is in the store already."""

    def __init__(self, root: Path, index: Index) -> None:
        files = {"gamma": {"ns/gamma.py": "", "gamma.py": ""}, "delta": {"ns/delta.py": ""}}
        self.wheels = {
            name: make_wheel(
                index.folder, name, files=files.get(name), scripts={name: f"{name}:main"}
            )
            for name in NAMES
        }
        self.newer = make_wheel(index.folder, "alpha", "2.0")
        self.root = write_project(root, {"requirements.in": "alpha\n"})
        filler = write_project(root.with_name("filler"), {"requirements.in": "alpha\n"})
        for lock in (self.lock(*NAMES), lock_of(self.newer)):
            (filler / "requirements.txt").write_text(lock)
            assert run(*WORDS, "--yes", cwd=filler).code == 0

    @property
    def venv(self) -> Path:
        return self.root / "venv"

    def lock(self, *names: str) -> str:
        return lock_of(*(self.wheels[name] for name in names))

    def write(self, lock: str, *, wishes: str = "alpha\n") -> None:
        for name, text in (("requirements.txt", lock), ("requirements.in", wishes)):
            if (self.root / name).exists() and (self.root / name).read_text() == text:
                continue
            (self.root / name).write_text(text)
        time.sleep(0.012)

    def thorough(self, *words: str) -> Ran:
        with mock.patch.object(sys, "argv", ["venvman", *WORDS, *words]):
            ran = run(*WORDS, *words, cwd=self.root)
        assert ran.code == 0, ran.stdout + ran.stderr
        return ran

    def switch(self, words: Sequence[str] = WORDS) -> str | None:
        return switch(words, os.environ, str(self.root))

    def contents(self) -> dict[str, str]:
        return contents(self.venv)


@pytest.fixture
def growing(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Growing:
    """Its environment holds what a lock of alpha and beta names."""
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    made = Growing(tmp_path / "shop", index)
    made.write(made.lock("alpha", "beta"))
    made.thorough()
    return made


def test_more_pins_are_installed_as_the_thorough_way_does_it(growing: Growing) -> None:
    growing.write(growing.lock(*NAMES), wishes="alpha\ngamma>=1.0\n")
    said = growing.switch()
    assert said is not None
    quick = growing.contents()
    assert left_over(growing.venv) == []
    history = run("history", "--format", "json", cwd=growing.root).json["data"]["states"]
    shutil.rmtree(growing.venv)
    growing.write(growing.lock("alpha", "beta"))
    growing.thorough()
    growing.write(growing.lock(*NAMES), wishes="alpha\ngamma>=1.0\n")
    assert _untimed(said) == _untimed(growing.thorough().stdout)
    assert quick == growing.contents()
    again = run("history", "--format", "json", cwd=growing.root).json["data"]["states"]
    assert _timeless(history) == _timeless(again)


def _timeless(states: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: each[name] for name in each if name != "when"} for each in states]


def test_the_next_sync_and_the_next_switch_know_the_new_state(growing: Growing) -> None:
    growing.write(growing.lock("alpha", "beta", "gamma"))
    assert growing.switch() is not None
    assert stamp.answer(WORDS, os.environ, str(growing.root)) == (
        "Nothing to do: venv holds the 3 packages of default.\n"
    )
    assert "Nothing to do" in growing.thorough().stdout
    growing.write(growing.lock(*NAMES))
    assert growing.switch() is not None
    whole = growing.contents()
    growing.write(growing.lock("alpha", "beta"))
    assert growing.switch() is not None
    growing.write(growing.lock(*NAMES))
    assert growing.switch() is not None
    assert growing.contents() == whole


def test_a_rollback_goes_back_over_it(growing: Growing) -> None:
    before = growing.contents()
    growing.write(growing.lock(*NAMES))
    assert growing.switch() is not None
    after = growing.contents()
    assert run("rollback", "--with-lock", cwd=growing.root).code == 0
    assert growing.contents() == before
    assert (growing.root / "requirements.txt").read_text() == growing.lock("alpha", "beta")
    assert run("rollback", "--with-lock", cwd=growing.root).code == 0
    assert growing.contents() == after


def test_what_is_gone_by_hand_comes_with_it(growing: Growing) -> None:
    uninstall(site_of(growing.root), "beta-1.0")
    growing.write(growing.lock("alpha", "beta", "gamma"))
    said = growing.switch()
    assert said is not None
    assert said.splitlines()[:2] == ["+ beta   1.0", "+ gamma  1.0"]
    assert "Nothing to do" in growing.thorough().stdout


GAMMA = "gamma==1.0 \\\n"

DOUBTS: dict[str, Callable[[Growing], object]] = {
    "a pin that is another": lambda g: g.write(
        lock_of(g.newer, g.wheels["beta"], g.wheels["gamma"])
    ),
    "a pin that is gone": lambda g: g.write(g.lock("alpha", "gamma")),
    "a marker": lambda g: g.write(
        g.lock(*NAMES).replace(GAMMA, "gamma==1.0 ; python_version > '3' \\\n")
    ),
    "an extra": lambda g: g.write(g.lock(*NAMES).replace("gamma==", "gamma[x]==")),
    "an option": lambda g: g.write("--pre\n" + g.lock(*NAMES)),
    "a header": lambda g: g.write("# a comment\n" + g.lock(*NAMES)),
    "a pin without hashes": lambda g: g.write(
        g.lock("alpha", "beta") + lock_of(g.wheels["gamma"], hashes=False)
    ),
    "a name twice": lambda g: g.write(g.lock("alpha", "beta", "gamma") + g.lock("gamma")),
    "another hash": lambda g: g.write(
        g.lock("alpha", "beta") + g.lock("gamma").replace("sha256:", "sha256:0")[:-1] + "\n"
    ),
    "an option among the wishes": lambda g: g.write(g.lock(*NAMES), wishes="--pre\nalpha\n"),
    "a wish with settings": lambda g: g.write(
        g.lock(*NAMES), wishes="alpha\ngamma --config-settings=a=b\n"
    ),
    "pip's own configuration": lambda g: _configure(g),  # noqa: PLW0108 - defined below
    "another group": lambda g: (g.root / "dev.in").write_text("gamma\n"),
    "a package by hand": lambda g: _by_hand(g),  # noqa: PLW0108 - defined below
}


def _configure(growing: Growing) -> None:
    folder = growing.root.parent / "config"
    (folder / "pip").mkdir(parents=True)
    (folder / "pip" / "pip.conf").write_text("[global]\nno-binary = gamma\n")
    os.environ["PIP_CONFIG_FILE"] = str(folder / "pip" / "pip.conf")
    growing.write(growing.lock("alpha", "beta", "gamma"))


def _by_hand(growing: Growing) -> None:
    info = site_of(growing.root) / "gamma-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gamma\nVersion: 1.0\n")
    (info / "RECORD").write_text("")
    growing.write(growing.lock("alpha", "beta", "gamma"))


@pytest.mark.parametrize("doubt", DOUBTS)
def test_any_other_difference_is_left_to_the_thorough_way(
    growing: Growing, doubt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    DOUBTS[doubt](growing)
    before = growing.contents()
    said = growing.switch()
    monkeypatch.delenv("PIP_CONFIG_FILE", raising=False)
    assert said is None
    assert growing.contents() == before


def test_a_lock_that_must_be_judged_is(growing: Growing) -> None:
    growing.write(growing.lock("alpha", "beta", "gamma"))
    assert growing.switch(("sync",)) is None
    assert growing.switch(("sync", "--frozen", "--offline")) is None


def test_a_wheel_that_the_store_has_not_is_fetched(growing: Growing, index: Index) -> None:
    other = make_wheel(index.folder, "omega")
    growing.write(growing.lock("alpha", "beta") + lock_of(other))
    assert growing.switch() is None
    growing.thorough()
    assert (site_of(growing.root) / "omega-1.0.dist-info").is_dir()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_growing_by_chance_ends_as_it_does_without_switches(growing: Growing, seed: int) -> None:
    switched, seen = _grow(growing, random.Random(seed), with_switches=True)
    shutil.rmtree(growing.venv)
    _, expected = _grow(growing, random.Random(seed), with_switches=False)
    assert seen == expected
    assert switched >= 2


def _grow(
    growing: Growing, choices: random.Random, *, with_switches: bool
) -> tuple[int, list[dict[str, str]]]:
    switched, seen = 0, []
    for _ in range(3):
        names = choices.sample(NAMES, 4)
        for count in range(1, 5):
            growing.write(growing.lock(*names[:count]), wishes=f"{names[0]}\n")
            if with_switches and growing.switch() is not None:
                switched += 1
            else:
                growing.thorough()
            seen.append(growing.contents())
    return switched, seen
