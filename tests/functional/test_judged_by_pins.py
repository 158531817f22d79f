"""Freshness where a lock alone cannot tell: the pins' own metadata is asked."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.support.cli import run
from tests.support.index import Index
from tests.support.projects import versions_in, write_project
from tests.support.wheels import make_wheel

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def project(tmp_path: Path, index: Index) -> Path:
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


@pytest.fixture
def root(tmp_path: Path, index: Index) -> Path:
    """top needs middle, which needs deep; all are synced. Newer versions came since."""
    make_wheel(index.folder, "top", requires=["middle"])
    make_wheel(index.folder, "middle", requires=["deep"])
    make_wheel(index.folder, "deep")
    root = write_project(tmp_path / "shop", {"requirements.in": "top\n"})
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    make_wheel(index.folder, "middle", "2.0", requires=["deep"])
    return root


LOSSES = {
    "without": r"",
    "elsewhere": r'deep==1.0 ; sys_platform == "plan9" \\\n\1',
    "from a place": r"deep @ https://example.invalid/deep-1.0-py3-none-any.whl \\\n\1",
}


def lose(root: Path, how: str) -> None:
    """What a merge or a stranger makes of the pin of deep."""
    lock = root / "requirements.txt"
    pin = re.compile(r"deep==1\.0 \\\n((?:    .*\n)+)")
    text, count = pin.subn(LOSSES[how], lock.read_text())
    assert count == 1
    lock.write_text(text)


@pytest.mark.parametrize("how", LOSSES)
def test_a_lock_that_lost_a_pin_is_stale_and_mended_without_moving_others(
    root: Path, how: str
) -> None:
    before = (root / "requirements.txt").read_text()
    lose(root, how)
    for verb in ("freeze", "sync"):
        assert run(verb, "--check", cwd=root).code == 1
    assert run("sync", "--locked", cwd=root).code == 1
    found = run("doctor", "--format", "json", "--ignore", "VM6", cwd=root).json["data"]["findings"]
    assert "VM302" in {each["code"] for each in found}
    assert run("freeze", cwd=root).code == 0
    assert (root / "requirements.txt").read_text() == before
    assert run("doctor", "--ignore", "VM6", cwd=root).code == 0
    assert versions_in(root) == {"deep": "1.0", "middle": "1.0", "top": "1.0"}


@pytest.mark.parametrize("how", ["without", "elsewhere"])
def test_freeze_asks_the_index_where_nothing_here_can_tell(
    root: Path, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = (root / "requirements.txt").read_text()
    lose(root, how)
    run("clean", cwd=root)
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(tmp_path / "another cache"))
    monkeypatch.setenv("VENVMAN_STATE_DIR", str(tmp_path / "another state"))
    assert run("freeze", cwd=root).code == 0
    assert (root / "requirements.txt").read_text() == before


@pytest.mark.parametrize("how", ["without", "elsewhere"])
def test_a_first_sync_that_learns_of_a_lost_pin_brings_it(
    root: Path, how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = (root / "requirements.txt").read_text()
    lose(root, how)
    lost = (root / "requirements.txt").read_text()
    run("clean", cwd=root)
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(tmp_path / "another cache"))
    monkeypatch.setenv("VENVMAN_STATE_DIR", str(tmp_path / "another state"))
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    assert versions_in(root) == {"deep": "1.0", "middle": "1.0", "top": "1.0"}
    assert (root / "requirements.txt").read_text() == before
    assert "requirements.txt" in ran.stdout
    assert run("sync", "--locked", "--check", cwd=root).code == 0
    # With --locked it is no sync's to write; what it has installed by then stays.
    run("clean", cwd=root)
    (root / "requirements.txt").write_text(lost)
    monkeypatch.setenv("VENVMAN_CACHE_DIR", str(tmp_path / "a third cache"))
    monkeypatch.setenv("VENVMAN_STATE_DIR", str(tmp_path / "a third state"))
    ran = run("sync", "--locked", "--format", "json", cwd=root)
    assert ran.code == 1
    assert [each["code"] for each in ran.json["problems"]] == ["lock-misses-dependency"]


def test_what_is_overridden_is_judged_by_the_override(
    root: Path, index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_wheel(index.folder, "deep", "2.0")
    make_wheel(index.folder, "strict", requires=["deep<2", "gone"])
    (root / "requirements.in").write_text("strict\n")
    (root / "pyproject.toml").write_text(
        "[tool.venvman]\noverrides = ['deep>=2', 'gone; python_version < \"3\"']\n"
    )
    ran = run("sync", cwd=root)
    assert ran.code == 0, ran.stderr
    assert versions_in(root) == {"deep": "2.0", "strict": "1.0"}
    monkeypatch.setenv("VENVMAN_STATE_DIR", str(tmp_path / "another state"))
    ran = run("freeze", "--check", cwd=root)
    assert ran.code == 0, ran.stderr


def test_a_change_of_the_overrides_makes_the_lock_stale_here_as_elsewhere(
    root: Path, index: Index
) -> None:
    make_wheel(index.folder, "deep", "2.0")
    (root / "pyproject.toml").write_text("[tool.venvman]\noverrides = ['deep>=2']\n")
    assert run("freeze", "--check", cwd=root).code == 1
    assert run("sync", cwd=root).code == 0
    assert versions_in(root)["deep"] == "2.0"
