"""A freeze with nothing to do is answered from its stamp, before anything is imported."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.functional.test_nothing_to_do import STAMP_ONLY, rewrite, venvman
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.index import Index

SAID = "Nothing to do: requirements.txt answers its requirements.\n"


@pytest.fixture
def project(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Frozen, found fresh once more, and stamped; there is no environment."""
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    make_wheel(index.folder, "alpha", requires=["beta"])
    make_wheel(index.folder, "beta")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.in").write_text("alpha\n")
    assert venvman("freeze", cwd=folder).code == 0
    time.sleep(0.05)
    assert venvman("freeze", cwd=folder).stdout == SAID
    return folder


def is_answered_at_once(project: Path, *arguments: str, **env: str) -> bool:
    done = venvman(*(arguments or ("freeze",)), cwd=project, program=STAMP_ONLY, **env)
    return done.code == 0


def test_the_stamp_says_what_the_thorough_way_says(project: Path) -> None:
    assert venvman("freeze", cwd=project, program=STAMP_ONLY).stdout == SAID


@pytest.mark.parametrize("arguments", [("lock",), ("freeze", "--check"), ("freeze", "-q")])
def test_other_ways_to_ask_the_same_are_answered(project: Path, arguments: tuple[str, ...]) -> None:
    assert is_answered_at_once(project, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [("freeze", "--upgrade"), ("freeze", "--no-hashes"), ("freeze", "-P", "beta"),
     ("freeze", "--installed"), ("freeze", "--format", "json"), ("freeze", "--python", "3.12")],
)  # fmt: skip
def test_other_questions_are_not_answered(project: Path, arguments: tuple[str, ...]) -> None:
    assert not is_answered_at_once(project, *arguments)


def make_environment(project: Path) -> None:
    (project / "venv").mkdir()
    (project / "venv" / "pyvenv.cfg").write_text("home = /nowhere\n")


CHANGES: dict[str, Callable[[Path], object]] = {
    "the requirements file is written": lambda p: rewrite(p / "requirements.in"),
    "the lock is written": lambda p: rewrite(p / "requirements.txt"),
    "the lock goes": lambda p: (p / "requirements.txt").unlink(),
    "a requirements file comes": lambda p: (p / "dev.in").write_text("alpha\n"),
    "a configuration comes": lambda p: (p / "pyproject.toml").write_text("[tool.venvman]\n"),
    "an environment comes": make_environment,
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_answered_once(project: Path, change: str) -> None:
    assert is_answered_at_once(project)
    CHANGES[change](project)
    assert not is_answered_at_once(project)


def test_another_project_is_not_answered_for(project: Path) -> None:
    other = project.parent / "other"
    project.rename(other)
    assert not is_answered_at_once(other)


def test_a_damaged_stamp_is_no_answer(project: Path, isolated: Path) -> None:
    [stamp] = (isolated / "state" / "fresh").iterdir()
    stamp.write_text("x")
    assert not is_answered_at_once(project)
    assert venvman("freeze", cwd=project).stdout == SAID
