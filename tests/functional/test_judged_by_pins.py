"""Freshness where a lock alone cannot tell: the pins' own metadata is asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cli import run
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.index import Index

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def project(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_INDEX_URL", index.simple)
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def freeze(project: Path, requirements: str) -> None:
    (project / "requirements.in").write_text(requirements)
    done = run("freeze", cwd=project)
    assert done.code == 0, done.stderr


def forget(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in another clone: nothing is remembered of this lock."""
    monkeypatch.setenv("VENVMAN_STATE_DIR", str(project.parent / "another state"))


def as_if_made_for(project: Path, python: str) -> None:
    lock = project / "requirements.txt"
    lock.write_text(lock.read_text().replace(f"Python {HERE}", f"Python {python}"))


def stale_reasons(project: Path) -> list[tuple[str, str]]:
    # a lock made for another Python that is on this machine would be judged for that one
    done = run("freeze", "--check", "--format", "json", "--python", sys.executable, cwd=project)
    return [(each["code"], each["message"]) for each in done.json["problems"]]


def test_an_extra_that_came_since_is_noticed_in_another_clone(
    project: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index.folder, "alpha", extras={"fast": ["beta"]})
    make_wheel(index.folder, "beta")
    freeze(project, "alpha\n")
    (project / "requirements.in").write_text("alpha[fast]\n")
    forget(project, monkeypatch)
    [(_, message)] = stale_reasons(project)
    assert "beta" in message


def test_a_dependency_that_only_this_python_has_makes_the_lock_stale(
    project: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index.folder, "alpha", requires=[f'beta; python_version < "{HERE}"'])
    make_wheel(index.folder, "beta")
    freeze(project, "alpha\n")
    assert stale_reasons(project) == []
    make_wheel(index.folder, "alpha", "1.1", requires=[f'beta; python_version >= "{HERE}"'])
    lock = project / "requirements.txt"
    text = lock.read_text()
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(project.parent / "another cache"))
    freeze(project, "alpha==1.1\n")
    assert "beta" in lock.read_text()
    lock.write_text(text.replace("alpha==1.0", "alpha==1.1"))
    as_if_made_for(project, "3.8")
    forget(project, monkeypatch)
    assert any("beta" in message for _, message in stale_reasons(project))


def test_a_pin_that_this_python_cannot_have_is_named_and_replaced(
    project: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index.folder, "alpha")
    freeze(project, "alpha\n")
    make_wheel(index.folder, "alpha", "2.0", requires_python="<3")
    lock = project / "requirements.txt"
    lock.write_text(lock.read_text().replace("alpha==1.0", "alpha==2.0"))
    as_if_made_for(project, "2.7")
    forget(project, monkeypatch)
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(project.parent / "another cache"))
    assert [code for code, _ in stale_reasons(project)] == ["lock-pin-unusable"]
    assert run("freeze", cwd=project).code == 0
    assert "alpha==1.0" in lock.read_text()


def test_a_lock_for_another_python_that_serves_here_too_is_fresh(
    project: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index.folder, "alpha", requires=["beta"])
    make_wheel(index.folder, "beta")
    freeze(project, "alpha\n")
    as_if_made_for(project, "3.8")
    forget(project, monkeypatch)
    assert stale_reasons(project) == []


def test_without_the_index_a_lock_is_judged_by_what_it_says(
    project: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(index.folder, "alpha")
    freeze(project, "alpha\n")
    as_if_made_for(project, "3.8")
    forget(project, monkeypatch)
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(project.parent / "another cache"))
    done = run("freeze", "--check", "--offline", cwd=project)
    assert done.code == 0
